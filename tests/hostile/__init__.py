"""What an attack on cudafit tried, each as a case: what is built, the command, what must be said and what must stay."""
