"""What kind of environment lies at a path: by files alone, nothing of it is run."""

import os
import re

from cudafit.files import Files
from cudafit.model.environment import CONDA, SYSTEM, VENV
from cudafit.model.located import Located

_PYTHON = re.compile(r"(python|pypy)\d*(\.\d+)*t?(\.exe)?")
_BIN = ("bin", "Scripts")


def at(files: Files, path: str, found_by: str) -> Located | None:
    """The environment at a path: its folder, its interpreter, or a folder that holds a `.venv`."""
    if files.is_file(path) or (not files.is_dir(path) and files.link_target(path) is not None):
        return of_interpreter(files, path, found_by)
    if not files.is_dir(path):
        return None
    if kind := kind_of(files, path):
        return Located(path, kind, found_by)
    for name in (".venv", "venv"):
        if files.exists(f"{path}/{name}/pyvenv.cfg"):
            return Located(f"{path}/{name}", VENV, found_by)
    for name in ("python3", "python"):
        if files.exists(f"{path}/bin/{name}"):
            return Located(path, SYSTEM, found_by, f"{path}/bin/{name}")
    return None


def kind_of(files: Files, prefix: str) -> str | None:
    """Of a folder that says by itself that it is an environment."""
    if files.exists(f"{prefix}/pyvenv.cfg"):
        return VENV
    return CONDA if files.is_dir(f"{prefix}/conda-meta") else None


def unfinished(files: Files, prefix: str, kind: str) -> str | None:
    """What an environment lacks that was begun, or copied, in part: nothing can be said of it."""
    if kind == SYSTEM:
        return None
    if kind == CONDA:
        # conda writes conda-meta/history with the first package.
        return None if listed(files, f"{prefix}/conda-meta") else "its conda-meta is empty"
    parts = ("bin", "Scripts", "lib", "Lib", "lib64")
    if any(listed(files, f"{prefix}/{part}") for part in parts):
        return None
    return "it has a pyvenv.cfg, and neither an interpreter nor packages"


def listed(files: Files, folder: str) -> list[str]:
    try:
        return files.names(folder)
    except OSError:
        return []


def of_interpreter(files: Files, path: str, found_by: str) -> Located | None:
    """`.venv/bin/python` is the environment's own, though it is a link to another; so its folder decides.

    Where that folder is no environment, the interpreter's own place does: `~/.local/bin/python3.12` is a link to where
    uv keeps it. Source: CPython's getpath.py, which looks for pyvenv.cfg before it follows the links.
    """
    if not _PYTHON.fullmatch(os.path.basename(path)):
        return None
    prefix = _prefix(path)
    if kind := kind_of(files, prefix):
        return Located(prefix, kind, found_by, path)
    real = real_path(files, path)
    if _PYTHON.fullmatch(os.path.basename(real)) and files.exists(real):
        prefix = _prefix(real)
        if files.is_dir(f"{prefix}/conda-meta"):
            return Located(prefix, CONDA, found_by, path)
    return Located(prefix, SYSTEM, found_by, path)


def _prefix(interpreter: str) -> str:
    folder = os.path.dirname(interpreter)
    return (os.path.dirname(folder) if os.path.basename(folder) in _BIN else folder) or "/"


def real_path(files: Files, path: str) -> str:
    try:
        return files.real(path)
    except OSError:
        return path


def same(files: Files, one: str, other: str) -> bool:
    """Whether two paths lead to the same place."""
    return one.rstrip("/") == other.rstrip("/") or real_path(files, one) == real_path(files, other)
