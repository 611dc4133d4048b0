"""What a project's own files ask for: requirement files and pyproject.toml. Read, never run."""
