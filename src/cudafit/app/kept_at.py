"""Where the earlier states of what is named lie: beside an environment, or beside the packages of a Python without."""

import os
from collections.abc import Iterator, Mapping

from cudafit.env.places import read_places
from cudafit.env.prefixes import at
from cudafit.env.reader import Reader
from cudafit.files import Files
from cudafit.model.environment import SYSTEM
from cudafit.repair.state import State, state_of


def folders_of(path: str, environ: Mapping[str, str]) -> Iterator[str]:
    """The folders of packages that a repair of this Python may have changed, in the order in which it looks into them;
    nothing for an environment, nor on Windows, where none is changed."""
    if os.name == "nt":
        return
    files = Files()
    found = at(files, os.path.abspath(path), "named")
    if found is not None and found.kind == SYSTEM:
        yield from (place for place in read_places(Reader(files), found, {}, environ) if state_of(place).in_parts)


def kept_at(path: str, environ: Mapping[str, str]) -> str:
    """The folder whose earlier states are meant: of several the one in the middle of a change, then the one of which
    something is kept."""
    folders = list(folders_of(path, environ))
    states = [state_of(folder) for folder in folders]
    begun = [one.env for one in states if os.path.lexists(one.journal)]
    kept = [one.env for one in states if _has_any(one)]
    return next(iter([*begun, *kept, *folders]), path)


def _has_any(state: State) -> bool:
    return os.path.isdir(state.generations)
