"""The words of a command line that say where an environment is."""

import os
import re
from collections.abc import Callable, Sequence

from cudafit.errors import InputError
from cudafit.model.words import is_windows_path, word_kind
from cudafit.model.words import parted as by_form
from cudafit.system.commands import command_text

# What people call environments. There are packages of most of these names, which nobody means.
_ENVIRONMENT = re.compile(
    r"(?:my|the|new|test|dev|ai|ml|dl|gpu|cuda|cpu|py)?[-_.]?(?:v?envs?|virtualenv|environment)[-_.]?\d*"
    r"|(?:my|the|new)[-_.]?\w+|(?:gpu|cpu|cuda|test|tmp|temp|demo|foo|bar|base|main|work|project|py|python)[-_.]?\d*",
    re.ASCII | re.IGNORECASE,
)


def parted(words: tuple[str, ...], *, windows: bool = os.name == "nt") -> tuple[str | None, tuple[str, ...]]:
    """The path, where one is named, and the requirements."""
    path, requirements = by_form(words)
    if path is None:
        return None, requirements
    if not windows and is_windows_path(path):
        raise InputError(f"`{path}` is a path of Windows", hint=_other_path(path))
    return os.path.expanduser(path), requirements


def refuse_unclear(words: Sequence[str], files: Sequence[str], knows: Callable[[str], bool]) -> None:
    """Raises InputError where no place is named, and a word that may be meant for one is no package that is known.

    The first one, where more is said, stands where the place does; so does one that is called as a folder here is.
    """
    for number, word in enumerate(words):
        if word_kind(word) != "bare" or knows(word):
            continue
        is_first = number == 0 and bool(words[1:] or files or os.path.isdir(word))
        if is_first or _ENVIRONMENT.fullmatch(word):
            others = [*words[:number], *words[number + 1 :]]
            read = [each for file in files for each in ("-r", file)]
            there = command_text("cudafit", "create", f"./{word}", *(others + read or ["torch"]))
            as_package = command_text("cudafit", "create", ".venv", *words, *read)
            raise InputError(
                f"`{word}` may be the folder to make, or a package of that name: the matrix has none",
                hints=[
                    f"`{there}` makes the environment in that folder",
                    f"`{as_package}` takes it for a package",
                ],
            )


def _other_path(path: str) -> str:
    place = path.replace("\\", "/")
    if re.match("[A-Za-z]:/", place):
        return f"in WSL it is `/mnt/{place[0].lower()}{place[2:]}`"
    return "name a folder of this machine" if place.startswith("//") or ":" in place else f"here it is `{place}`"
