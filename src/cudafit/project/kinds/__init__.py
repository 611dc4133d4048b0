"""The kinds of files in which people keep what a project needs, a module each, loaded when there is such a file."""

import os
import re
from importlib import import_module

from cudafit.model.declaration import Declaration, FileKind
from cudafit.project.requirement_files import LIMIT, file_text


def _kind(name: str, pattern: str, example: str, module: str, *, here: bool = True) -> FileKind:
    def read(path: str, text: str) -> Declaration | None:
        found: Declaration | None = import_module(f"{__name__}.{module}").read(path, text)
        return found

    return FileKind(name, pattern, example, here, False, read)


_PYPROJECT = _kind("pyproject", r"pyproject\.toml", "pyproject.toml", "pyproject")
_SETUP_CFG = _kind("setup.cfg", r"setup\.cfg", "setup.cfg", "setup_cfg")
_SETUP_PY = _kind("setup.py", r"setup\.py", "setup.py", "setup_py")
_REQUIREMENTS = _kind("requirements", r"requirements.*\.(txt|in)", "requirements.txt", "requirements")
_CONDA = _kind("conda", r"(environment|conda)([-_.].*)?\.ya?ml", "environment.yml", "conda")
# In this order they are looked for in a folder: the first that declares anything is the project's answer.
KINDS = (
    _PYPROJECT,
    _SETUP_CFG,
    _SETUP_PY,
    _REQUIREMENTS,
    _kind("pipfile", r"pipfile", "Pipfile", "pipfile"),
    _kind("pixi", r"pixi\.toml", "pixi.toml", "pixi"),
    _CONDA,
    _kind("dockerfile", r"(.*[-_.])?(dockerfile|containerfile)([-_.].*)?", "Dockerfile", "dockerfile"),
    _kind("notebook", r".*\.ipynb", "train.ipynb", "notebook"),
    _kind("pep723", r".*\.py[w]?", "script.py", "script", here=False),
)
# The kinds of declaration that belong to code itself.
OF_CODE = (_PYPROJECT, _SETUP_CFG, _SETUP_PY)
_LOCK_LIMIT = 64 << 20
_DEPENDENCIES = re.compile(r"(?m)^dependencies\s*:")


def kind_of(name: str, text: str, kinds: tuple[FileKind, ...] = KINDS) -> FileKind:
    """By the name; a YAML file of another name may be conda's, and whatever else is named is a file of requirements."""
    if one := _by_name(name, kinds):
        return one
    is_yaml = name.lower().endswith((".yml", ".yaml"))
    return _CONDA if is_yaml and _CONDA in kinds and _DEPENDENCIES.search(text) else _REQUIREMENTS


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
