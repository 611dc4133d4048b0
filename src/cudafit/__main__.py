"""`python -m cudafit`."""

from cudafit.cli.main import main

if __name__ == "__main__":
    main()
