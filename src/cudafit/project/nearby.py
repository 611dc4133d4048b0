"""What the project in a folder asks for, when nothing was said on the command line."""

import os
import re
from collections.abc import Sequence

from cudafit.errors import InputError
from cudafit.model.declaration import Bound, Declaration, FileKind
from cudafit.model.frozen import frozen
from cudafit.model.requirement import Wanted
from cudafit.project.kinds import KINDS, read_declaration
from cudafit.project.python_version import of_folder

_MOST = 50  # files of one kind
_MAIN_REQUIREMENTS = ("requirements.txt", "requirements.in")


@frozen
class Nearby:
    """The files that were read, and those that were left, each with the reason."""

    declarations: tuple[Declaration, ...]
    left: tuple[str, ...] = ()
    python: tuple[Bound, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(one.path for one in self.declarations)

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        return tuple(want for one in self.declarations for want in one.wanted)

    @property
    def other(self) -> tuple[str, ...]:
        return tuple(line for one in self.declarations for line in (*one.lines, *(local.line for local in one.local)))


def read_nearby(folder: str = ".", *, kinds: tuple[FileKind, ...] = KINDS, named: Sequence[str] = ()) -> Nearby | None:
    """The first kind of file that asks for anything; None where nothing declares anything, not even that it needs
    nothing. `named` are extras and groups: a file that has one of them is meant. Raises InputError."""
    found = _found(folder, kinds)
    read: list[Declaration] = []
    empty: list[Declaration] = []
    left: list[str] = []
    trouble: InputError | None = None
    for kind, names in found:
        if read:
            left += [f"{name}: {_why(kind, read[0])}" for name in names]
            continue
        chosen = _chosen(names)
        left += [f"{name}: {chosen[0]} is the main one" for name in names if name not in chosen]
        for name in chosen:
            try:
                one = read_declaration(os.path.normpath(os.path.join(folder, name)), kinds=kinds)
            except InputError as error:
                if name == "pyproject.toml" or name in _MAIN_REQUIREMENTS:
                    raise
                trouble = trouble or error
                left.append(f"{name}: {error.what}")
                continue
            if one and (one.wanted or one.lines or one.local or _has(one, named)):
                read.append(one)
            elif one and (one.python or one.unread or kind.name == "pyproject"):
                empty.append(one)
    bounds = [*(bound for one in (*read, *empty) for bound in one.python), *of_folder(folder)]
    left += [told for one in empty for told in one.unread or (f"{one.path}: it asks for nothing",)]
    if not read and trouble:
        raise trouble
    return Nearby(tuple(read), tuple(left), tuple(bounds)) if read or left else None


def _found(folder: str, kinds: tuple[FileKind, ...]) -> list[tuple[FileKind, list[str]]]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    listed = []
    for kind in kinds:
        own = [name for name in names if kind.here and re.fullmatch(kind.pattern, name.lower())][:_MOST]
        if own:
            listed.append((kind, own))
    return listed


def _chosen(names: list[str]) -> list[str]:
    """Of several requirement files the main one, where there is one; of Dockerfiles the one that is called so."""
    for main in (*_MAIN_REQUIREMENTS, "Dockerfile", "environment.yml"):
        if main in names:
            return [main]
    return names


def _has(one: Declaration, named: Sequence[str]) -> bool:
    return any(name in one.extras or name in one.groups for name in named)


def _why(kind: FileKind, read: Declaration) -> str:
    return f"{read.path} says more than its lock" if kind.is_lock else f"{read.path} says what is needed"
