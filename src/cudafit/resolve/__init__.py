"""Which builds fit a machine, and why the others do not. Pure: request + machines + matrix -> Resolution."""
