"""The builds of one package that could be picked, best first, and why the others cannot."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from cudafit.model.fit import Compat
from cudafit.model.frozen import frozen
from cudafit.model.matrix import Build
from cudafit.resolve.rules import Obstacle, Service, combined


@frozen
class Candidate:
    """A build that fits by itself, and its place in the order."""

    build: Build
    services: tuple[Service, ...]  # one for each kind of machine
    level: tuple[Any, ...]  # its version's place: what comes first wins
    tie: tuple[Any, ...]  # among equal levels

    @property
    def compat(self) -> Compat | None:
        return combined(self.services)


@frozen
class Lost:
    """A build that cannot be picked, and on which kind of machine (None: on any)."""

    build: Build
    obstacle: Obstacle
    kind: int | None = None


class Field:
    """The candidates of one package, best first, and its lost builds, which are found when somebody asks why."""

    def __init__(self, name: str, candidates: tuple[Candidate, ...], find_lost: Callable[[], tuple[Lost, ...]]) -> None:
        self.name = name
        self.candidates = candidates
        self._find_lost = find_lost

    @cached_property
    def lost(self) -> tuple[Lost, ...]:
        return self._find_lost()

    def only(self, candidate: Candidate) -> "Field":
        """The same package with no choice left."""
        return Field(self.name, (candidate,), lambda: self.lost)
