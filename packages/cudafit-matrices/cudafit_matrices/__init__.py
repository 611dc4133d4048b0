"""The facts that cudafit answers from. It finds this folder and reads the files; nothing imports it."""
