"""What is to change, and what a manager is told for it."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from cudafit.model.finding import Edit, Owner
from cudafit.model.frozen import frozen
from cudafit.model.requirement import Need

Command = tuple[str, ...]
DEPENDENCIES = "dependencies"


@frozen
class Work:
    """`conda`: the names and specifications are conda's. `cuda` is that of the build, where it has one."""

    needs: tuple[Need, ...] = ()
    constraints: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    conda: bool = False
    cuda: str | None = None

    @property
    def indexes(self) -> Mapping[tuple[str, str], Sequence[Need]]:
        """The needs of each index but the default one, by its name and its address."""
        found: dict[tuple[str, str], list[Need]] = defaultdict(list)
        for one in self.needs:
            if one.index_name and one.index:
                found[one.index_name, one.index].append(one)
        return found

    @property
    def versioned(self) -> tuple[Need, ...]:
        return tuple(one for one in self.needs if _has_version(one.requirement))

    @property
    def again(self) -> tuple[str, ...]:
        """The packages of which any other version, or the same one anew, will do."""
        return tuple(one.name for one in self.needs if not _has_version(one.requirement))


@frozen
class Told:
    """Edits come before the commands; without commands those of the environment alone are right."""

    commands: tuple[Command, ...] = ()
    edits: tuple[Edit, ...] = ()


def by_place(owner: Owner, needs: Sequence[Need]) -> Iterator[tuple[str, list[Need]]]:
    """Where each is declared now, so that it stays there; what is not declared comes among the dependencies."""
    found: dict[str, list[Need]] = {}
    for one in needs:
        places = [asks.place for asks in owner.asks if asks.name == one.name] or [DEPENDENCIES]
        for place in dict.fromkeys(places):
            found.setdefault(place, []).append(one)
    yield from found.items()


def places_of(owner: Owner, names: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Where packages are declared; those that are not declared are in no place."""
    found: dict[str, list[str]] = {}
    for name in names:
        for place in dict.fromkeys(asks.place for asks in owner.asks if asks.name == name):
            found.setdefault(place, []).append(name)
    yield from found.items()


def option_of(place: str, group: str, extra: str) -> tuple[str, ...]:
    """`--group dev` for `group dev`."""
    kind, _, name = place.partition(" ")
    if not name:
        return ()
    return (group, name) if kind == "group" else (extra, name)


def _has_version(requirement: str) -> bool:
    return re.search(r"[<>=!~]", requirement) is not None
