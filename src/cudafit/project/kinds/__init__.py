"""The kinds of files in which people keep what a project needs, a module each."""

import os
import re

from cudafit.model.declaration import Declaration, FileKind
from cudafit.project.kinds import (
    conda,
    dockerfile,
    notebook,
    pipfile,
    pixi,
    pyproject,
    requirements,
    script,
    setup_cfg,
    setup_py,
)
from cudafit.project.requirement_files import LIMIT, file_text

# In this order they are looked for in a folder: the first that declares anything is the project's answer.
KINDS = (
    pyproject.KIND,
    setup_cfg.KIND,
    setup_py.KIND,
    requirements.KIND,
    pipfile.KIND,
    pixi.KIND,
    conda.KIND,
    dockerfile.KIND,
    notebook.KIND,
    script.KIND,
)
_LOCK_LIMIT = 64 << 20
# The kinds of declaration that belong to code itself.
OF_CODE = (pyproject.KIND, setup_cfg.KIND, setup_py.KIND)


def kind_of(name: str, text: str, kinds: tuple[FileKind, ...] = KINDS) -> FileKind:
    """By the name, or by what stands in it; whatever else is named is a file of requirements."""
    if one := _by_name(name, kinds):
        return one
    lower = os.path.basename(name).lower()
    is_yaml = lower.endswith((".yml", ".yaml"))
    return next((one for one in kinds if is_yaml and one.looks_like and one.looks_like(text)), requirements.KIND)


def _by_name(name: str, kinds: tuple[FileKind, ...]) -> FileKind | None:
    """A lock's name may be like that of another kind."""
    lower = os.path.basename(name).lower()
    found = [one for one in kinds if re.fullmatch(one.pattern, lower)]
    return next((one for one in found if one.is_lock), found[0] if found else None)


def read_declaration(path: str, *, named: bool = False, kinds: tuple[FileKind, ...] = KINDS) -> Declaration | None:
    """None for a file that declares nothing. Raises InputError, with the place where it can be told."""
    by_name = _by_name(path, kinds)
    text = file_text(path, named=named, limit=_LOCK_LIMIT if by_name and by_name.is_lock else LIMIT)
    return kind_of(path, text, kinds).read(path, text)


def described(kinds: tuple[FileKind, ...] = KINDS) -> str:
    return ", ".join(f"`{one.example}`" for one in kinds)


__all__ = ["KINDS", "OF_CODE", "described", "kind_of", "read_declaration"]
