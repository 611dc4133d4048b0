"""The checks, a module a subject: each a function from a `World` to findings. `doctor/registry` lists them."""
