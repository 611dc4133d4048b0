"""Folders of an environment that are links to elsewhere: what a change would do there, nothing could undo.

An installer goes through such a link: it removes the files of the old version and writes those of the new one outside,
of which no snapshot is taken. (A link to a single file is replaced by uv and py-rattler, and what it leads to stays.)
So before anything is touched, each of these links is looked at.
"""

import os
from collections.abc import Callable, Iterator, Sequence

from cudafit.errors import InputError
from cudafit.model.frozen import frozen
from cudafit.repair.distributions import places
from cudafit.repair.walk import LINK, Walk
from cudafit.system.commands import command_text

_SHOWN = 5


@frozen
class Reach:
    """By path relative to the environment: the files that a change `touches`, and those of packages that it `keeps`.
    `adds`: it also brings files that are not known before."""

    touches: frozenset[str]
    keeps: frozenset[str]
    adds: bool


def check_links(environment: str, found: Walk, reach: Callable[[], Reach]) -> None:
    """Raises InputError, naming the links that the change would go through. What is in reach is asked only where there
    are such links at all."""
    outside = sorted(_outside(environment, found))
    if not outside:
        return
    reached = reach()
    links = [path for path in outside if _is_in_reach(environment, path, reached)]
    if not links:
        return
    told = [f"`{path}` is a link to `{os.path.realpath(f'{environment}/{path}')}`" for path in links[:_SHOWN]]
    raise InputError(
        f"`{environment}` cannot be changed safely: a folder in it leads elsewhere",
        cause=[*told, "what is changed through it could not be brought back"],
        hint=f"take the link away (what it leads to stays): {command_text('rm', f'{environment}/{links[0]}')}",
    )


def _outside(environment: str, found: Walk) -> Iterator[str]:
    """The links to folders that are not in the environment."""
    inside = os.path.realpath(environment) + os.sep
    for entry in found.entries:
        if entry.item.kind == LINK:
            real = os.path.realpath(os.path.join(environment, entry.path))
            if os.path.isdir(real) and not (real + os.sep).startswith(inside):
                yield entry.path


def _is_in_reach(environment: str, link: str, reach: Reach) -> bool:
    below = f"{link}/"
    if any(path.startswith(below) for path in reach.touches):
        return True
    # New files come anywhere, but not into the folder of a package that stays.
    return reach.adds and not (
        _is_below_packages(environment, link) and any(path.startswith(below) for path in reach.keeps)
    )


def _is_below_packages(environment: str, link: str) -> bool:
    folders: Sequence[str] = [os.path.relpath(place, environment) for place in places(environment)]
    return any(link.startswith(f"{folder}/") for folder in folders)
