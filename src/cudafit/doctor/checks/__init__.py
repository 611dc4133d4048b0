"""The checks, a module a subject. Each is a function from a `World` to findings; all are listed in `doctor/registry`."""
