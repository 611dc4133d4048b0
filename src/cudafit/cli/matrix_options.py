"""`--matrix` and `--matrix-version`, which every command takes that answers from the matrix."""

from collections.abc import Callable
from typing import Any

import click

from cudafit.matrix.compiled import Compiled
from cudafit.matrix.load import open_matrix


def matrix_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives the command `matrices` and `pinned`, for `chosen`."""
    command = click.option(
        "--matrix", "matrices", metavar="DIR", multiple=True, help="Lay the rows of DIR over the packaged matrix."
    )(command)
    return click.option(
        "--matrix-version", "pinned", metavar="VERSION", help="Answer from this version of the matrix, or not at all."
    )(command)


def chosen(matrices: tuple[str, ...], pinned: str | None) -> Compiled:
    return open_matrix(matrices, pinned)
