"""The Python first on PATH: that of an image, of Colab, or the system's own."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from cudafit.env.active import is_of_uvx, path_entries
from cudafit.env.prefixes import of_interpreter
from cudafit.files import Files
from cudafit.model.environment import SYSTEM, VENV
from cudafit.model.frozen import frozen
from cudafit.model.located import Located

FOUND_BY = "the Python first on PATH"
# `python` before `python3` is Python 2 on old systems.
_NAMES = ("python3", "python", "python.exe")
_STORE = "WindowsApps"  # Windows' stand-ins, which open the shop
_VERSION_LIMIT = 1 << 12
_MOST_PARENTS = 64
# Where programs lie in images whose PATH is not in their files, as their makers set it.
USUAL_PATH = "/opt/venv/bin:/venv/bin:/opt/conda/bin:/usr/local/bin:/usr/bin:/bin"


@frozen
class OnPath:
    """What was found, or why nothing was."""

    located: Located | None
    why_not: str


def first_on_path(files: Files, environ: Mapping[str, str], folder: str) -> OnPath:
    entries = path_entries(environ)
    for path in _pythons(files, entries):
        located = of_interpreter(files, path, FOUND_BY)
        if located is None or (located.kind == VENV and is_of_uvx(files, located.prefix)):
            continue
        if located.kind != SYSTEM or not _is_script(files, path) or _has_library(files, located.prefix):
            return OnPath(located, "")
        below = _of_pyenv(files, path, environ, folder)
        if below and (found := of_interpreter(files, below, f"{FOUND_BY}, by pyenv")):
            return OnPath(found, "")
        return OnPath(None, f"PATH: {path} is a script, and files do not tell which Python it starts")
    return OnPath(None, "PATH: no Python in any of its folders" if entries else "PATH: it is empty")


def system_on_path(files: Files, environ: Mapping[str, str], folder: str) -> OnPath:
    """The first that is in no environment: a container's own, Colab's, the system's."""
    passed = []
    for entry in path_entries(environ):
        found = first_on_path(files, {**environ, "PATH": entry}, folder)
        if found.located and found.located.kind == SYSTEM:
            return OnPath(replace(found.located, found_by="the first Python on PATH that is in no environment"), "")
        passed += [found.located.prefix] if found.located else []
    seen = f"; {', '.join(dict.fromkeys(passed))} are environments" if passed else ""
    return OnPath(None, f"PATH has no Python outside of an environment{seen}")


def _pythons(files: Files, entries: list[str]) -> Iterator[str]:
    for entry in entries:
        if os.path.basename(entry) == _STORE:
            continue
        for name in _NAMES:
            path = os.path.join(entry, name)
            if files.is_file(path):
                yield path
                break


def _is_script(files: Files, path: str) -> bool:
    """Also a link to what is no Python, as mise has it."""
    try:
        real = files.real(path)
        return files.head(path, 2) == b"#!" or not re.match(r"(python|pypy)", os.path.basename(real))
    except OSError:
        return True


def _has_library(files: Files, prefix: str) -> bool:
    """Whether Python's own library lies beside: then whatever starts it is this one."""
    try:
        return bool(files.names(f"{prefix}/lib", "python3*")) or files.is_dir(f"{prefix}/Lib")
    except OSError:
        return False


def _of_pyenv(files: Files, shim: str, environ: Mapping[str, str], folder: str) -> str | None:
    """Source: pyenv's README, "Understanding Python version selection"; of several names the first is `python`'s."""
    root = os.path.dirname(os.path.dirname(shim))
    if os.path.basename(os.path.dirname(shim)) != "shims" or not files.is_dir(f"{root}/versions"):
        return None
    told = environ.get("PYENV_VERSION") or _version_file(files, folder) or _first_line(files, f"{root}/version")
    name = (told or "").split(":")[0].split()
    path = f"{root}/versions/{name[0]}/bin/python" if name and "/" not in name[0] and name[0] not in ("..", ".") else ""
    return path if path and files.exists(path) else None


def _version_file(files: Files, folder: str) -> str | None:
    for _ in range(_MOST_PARENTS):
        if text := _first_line(files, os.path.join(folder, ".python-version")):
            return text
        if folder == os.path.dirname(folder):
            return None
        folder = os.path.dirname(folder)
    return None


def _first_line(files: Files, path: str) -> str | None:
    try:
        lines = files.read_text(path, _VERSION_LIMIT).split()
    except OSError:
        return None
    return lines[0] if lines else None
