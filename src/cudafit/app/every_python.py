"""A pyproject.toml is for every Python that it admits: what stands in it must hold for the lowest of them."""

import os
from dataclasses import replace

from cudafit.model.declaration import Bound
from cudafit.project.kinds import read_declaration
from cudafit.resolve.bounds import lowest
from cudafit.resolve.request import Request


def for_every_python(request: Request, path: str) -> Request:
    """The request for the lowest Python of the file that is to be changed: uv and Poetry lock for all of them, and find
    nothing where one of them has no wheel. Raises InputError for a file that cannot be read."""
    found = read_declaration(path) if os.path.isfile(path) else None
    bounds: tuple[Bound, ...] = found.python if found else ()
    python = lowest(bounds) if bounds else None
    if python is None:
        return request
    told = ", ".join(f"{one.specifier} ({one.origin})" for one in bounds)
    note = f"{path} is for every Python of {told}: the builds are those that Python {python} can have"
    return replace(request, python=python, pythons=(), notes=(*request.notes, note))
