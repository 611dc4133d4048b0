"""A lock that is older than its declaration: by what it holds, since a checkout gives all files the same age."""

import os
from collections.abc import Iterator

from cudafit.errors import InputError
from cudafit.lock.quoted.kinds import LOCKS
from cudafit.model.declaration import Declaration
from cudafit.project.kinds import read_declaration
from cudafit.resolve.versions import admits_any

_OF = {
    "pyproject.toml": ("uv.lock", "poetry.lock", "pdm.lock"),
    "Pipfile": ("Pipfile.lock",),
    "pixi.toml": ("pixi.lock",),
}
_SHOWN = 3


def older_locks(declared: Declaration, folder: str) -> Iterator[str]:
    """What a lock beside a declaration does not hold of it, or not so."""
    for name in _OF.get(os.path.basename(declared.path), ()):
        path = os.path.normpath(os.path.join(folder, name))
        if not os.path.isfile(path):
            continue
        try:
            lock = read_declaration(path, kinds=LOCKS)
        except InputError as error:
            yield error.what
            continue
        if lock and (told := list(_against(declared, lock))):
            more = f", and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
            yield f"{path} is older than {declared.path}: {', '.join(told[:_SHOWN])}{more}"


def _against(declared: Declaration, lock: Declaration) -> Iterator[str]:
    held: dict[str, list[str]] = {}
    for want in lock.wanted:
        held.setdefault(want.name, []).append(want.specifier.removeprefix("=="))
    for want in declared.wanted:
        if want.constraint or want.url or want.marker or want.name == declared.name:
            continue
        versions = held.get(want.name, [])
        if not versions and not declared.conda:
            yield f"it lacks {want.name} ({want.origin})"
        elif versions and not any(admits_any(want.specifier, one) for one in versions):
            yield f"it holds {want.name} {versions[0]}, {want.text} is asked for ({want.origin})"
