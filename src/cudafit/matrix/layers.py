"""Matrix folders laid one over the other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from cudafit.errors import InputError
from cudafit.matrix.compiled import Compiled, content_key
from cudafit.matrix.folder import BUILDS, Folder, read_folder
from cudafit.matrix.linters.unique import KEYS
from cudafit.model.matrix import Build, Facts, Matrix
from cudafit.system.commands import command_text, path_word


def read_stack(stack: Sequence[str], update: str | None = None, lowest: Compiled | None = None) -> tuple[Matrix, str]:
    """The matrix of a whole folder with others laid over it, and its version; raises InputError.

    The builds of a package in `update`, which is one of the stack, stand in place of all that there were. `lowest` is
    the first folder as it was compiled: to read that takes a twentieth of the time.
    """
    over = [_read(path) for path in stack[1:]]  # first: what has a flaw is mostly the user's, and small
    matrix, version = (lowest.matrix(), lowest.version) if lowest else _whole(stack[0])
    for folder in over:
        rows = folder.matrix()
        if folder.path == update:
            matrix = Matrix(matrix.facts, {**matrix.builds, **dict.fromkeys(rows.builds, ())})
        matrix = lay_over(matrix, rows)
    if len(stack) > 1:
        # Another set of own rows is another matrix, and a report must tell the two apart.
        own = [f"{folder.path}/{name}" for folder in over for name in folder.files]
        version = f"{version}+own.{content_key(own)[:8]}"
    return matrix, version


def _whole(path: str) -> tuple[Matrix, str]:
    folder = _read(path)
    if folder.version is None:
        raise InputError(f"`{path}` is not a whole matrix: it has no matrix.yaml with a version")
    return folder.matrix(), folder.version


def lay_over(base: Matrix, rows: Matrix) -> Matrix:
    """`base` with another matrix's rows in place of those about the same thing, and its new ones after them."""
    names = [part.name for part in fields(Facts)]
    facts = {name: _laid(getattr(base.facts, name), getattr(rows.facts, name), KEYS[name]) for name in names}
    builds: dict[str, tuple[Build, ...]] = dict(base.builds)
    for name, over in rows.builds.items():
        builds[name] = _laid(builds.get(name, ()), over, KEYS[BUILDS])
    return Matrix(Facts(**facts), builds)


def _laid(base: Iterable[Any], rows: Iterable[Any], names: tuple[str, ...]) -> tuple[Any, ...]:
    merged: Mapping[Any, Any] = {
        tuple(getattr(row, name) for name in names): row for group in (base, rows) for row in group
    }
    return tuple(merged.values())


def _read(path: str) -> Folder:
    try:
        folder = read_folder(path)
    except OSError as error:
        raise InputError(f"cannot read the matrix `{path}`: {error.strerror or error}") from None
    if folder.flaws:
        more = f" (and {len(folder.flaws) - 1} more)" if len(folder.flaws) > 1 else ""
        check = command_text("cudafit", "matrix", "check", path_word(path))
        raise InputError(f"the matrix `{path}` has a flaw: {folder.flaws[0]}{more}", hint=f"`{check}` names all")
    return folder
