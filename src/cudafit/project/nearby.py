"""What the project in a folder asks for, when nothing was said on the command line."""

import os
from collections.abc import Sequence
from typing import Any

from cudafit.errors import InputError
from cudafit.model.frozen import frozen
from cudafit.model.requirement import Wanted, wanted
from cudafit.project.requirement_files import read_requirement_file
from cudafit.system.reading import read_bytes
from cudafit.system.toml import TomlError, read_toml

_LIMIT = 4 << 20


@frozen
class Nearby:
    """The files that were read, and what they ask for."""

    files: tuple[str, ...]
    wanted: tuple[Wanted, ...]
    other: tuple[str, ...] = ()


def read_nearby(folder: str = ".") -> Nearby | None:
    """`[project] dependencies` first; where it has none, requirements.txt; else every requirements*.txt."""
    project = _pyproject(folder)
    if project:
        return Nearby(("pyproject.toml",), tuple(project))
    try:
        names = sorted(name for name in os.listdir(folder) if name.startswith("requirements") and name.endswith(".txt"))
    except OSError:
        return None
    chosen = ["requirements.txt"] if "requirements.txt" in names else names
    read = [read_requirement_file(os.path.normpath(os.path.join(folder, name))) for name in chosen]
    found = tuple(item for one in read for item in one.wanted)
    if not found:
        return None
    return Nearby(tuple(chosen), found, tuple(line for one in read for line in one.other))


def _pyproject(folder: str) -> list[Wanted]:
    path = os.path.normpath(os.path.join(folder, "pyproject.toml"))
    try:
        table = read_toml(read_bytes(path, _LIMIT))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror or error}") from None
    except TomlError as error:
        raise InputError(f"`{path}` is not TOML: {error}") from None
    return [wanted(text, path) for text in _dependencies(table, path)]


def _dependencies(table: dict[str, Any], path: str) -> Sequence[str]:
    project = table.get("project", {})
    listed = project.get("dependencies", []) if isinstance(project, dict) else None
    if not isinstance(listed, list) or not all(isinstance(text, str) for text in listed):
        raise InputError(f"`{path}`: `project.dependencies` must be a list of texts")
    return listed
