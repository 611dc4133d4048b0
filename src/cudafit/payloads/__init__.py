"""Programs that run inside the target environment, with its interpreter: the standard library, nothing of cudafit."""
