"""The formats of locks and templates, a module each; the name of a file says which is meant."""

import os
import re

from cudafit.errors import InputError
from cudafit.lock.formats import (
    compose,
    conda_lock,
    devcontainer,
    dockerfile,
    environment,
    explicit,
    pixi,
    pylock,
    pyproject,
    requirements,
)
from cudafit.lock.formats.format import CONDA, IMAGE, PIP, Format

__all__ = ["CONDA", "FORMATS", "IMAGE", "NAMES", "PIP", "Format", "format_of"]

# In the order in which they are told. Of two whose patterns a name fits, the first is meant.
FORMATS = (
    requirements.FORMAT,
    pylock.FORMAT,
    pyproject.FORMAT,
    environment.FORMAT,
    conda_lock.FORMAT,
    explicit.FORMAT,
    pixi.FORMAT,
    dockerfile.FORMAT,
    compose.FORMAT,
    devcontainer.FORMAT,
)
NAMES = tuple(one.name for one in FORMATS)


def format_of(path: str, forced: str | None = None) -> Format:
    """By the word of the user, or the name of the file; raises InputError for a name that tells nothing."""
    if forced:
        return next(one for one in FORMATS if one.name == forced)
    name = os.path.basename(path)
    for one in FORMATS:
        if re.fullmatch(one.pattern, name):
            return one
    known = ", ".join(f"`{one.example}`" for one in FORMATS)
    raise InputError(
        f"`-o {path}`: the name does not tell which format is meant",
        cause=[f"known names are like {known}"],
        hint="name it so, or give the format with `--format NAME`",
    )
