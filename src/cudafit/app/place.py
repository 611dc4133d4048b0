"""The words of a command line that say where an environment is."""

import os
import re

from cudafit.errors import InputError
from cudafit.model.words import is_windows_path
from cudafit.model.words import parted as by_form


def parted(words: tuple[str, ...], *, windows: bool = os.name == "nt") -> tuple[str | None, tuple[str, ...]]:
    """The path, where one is named, and the requirements."""
    path, requirements = by_form(words)
    if path is None:
        return None, requirements
    if not windows and is_windows_path(path):
        raise InputError(f"`{path}` is a path of Windows", hint=_other_path(path))
    return os.path.expanduser(path), requirements


def _other_path(path: str) -> str:
    place = path.replace("\\", "/")
    if re.match("[A-Za-z]:/", place):
        return f"in WSL it is `/mnt/{place[0].lower()}{place[2:]}`"
    return "name a folder of this machine" if place.startswith("//") or ":" in place else f"here it is `{place}`"
