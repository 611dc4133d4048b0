"""What an engine is: the part of a change that differs between a venv and a conda prefix.

`repair.carry_out` asks, plans, checks and carries out with any of them, inside the same transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Generic, Protocol, TypeVar

from cudafit.doctor.world import World
from cudafit.errors import CudafitError
from cudafit.indexes import Indexes
from cudafit.lock.order import Order
from cudafit.model.environment import Environment
from cudafit.model.finding import Report, Wish
from cudafit.model.frozen import frozen
from cudafit.model.machine import Interpreter
from cudafit.model.plan import Made, Plan
from cudafit.repair.links import Reach
from cudafit.repair.transaction import WAIT_S, Underway
from cudafit.resolve.host import Host

Source = TypeVar("Source")


@frozen
class Means:
    """What a change is made with, and whom it tells. `pythons` are those of this machine, where it is needed; `limits`,
    by CUDA major, what a lock's libraries may not become on its GPUs."""

    indexes: Indexes
    environ: Mapping[str, str]
    say: Callable[[str], None]
    wait_s: float = WAIT_S
    every_file: bool = False  # compare all files of conda's packages, and not only those of frameworks
    command: str = ""  # as it was typed, without secrets, for histories
    pythons: tuple[Interpreter, ...] = ()
    limits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@frozen
class Prepared(Generic[Source]):
    """A plan, and what its engine carries it out from. `recorded` are paths that are there as long as it fits."""

    plan: Plan
    source: Source
    recorded: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()  # files around the environment that change with it
    project: str = ""  # where these lie, if not around the environment
    place: str = ""  # the folder of packages that changes, where there is no environment to be exchanged as a whole


def unchecked() -> None:
    """Looks at nothing."""


class StaleError(CudafitError):
    """The plan was made for an environment that is not the same any more."""


class Changer(Protocol[Source]):
    """Changes one environment. Each function raises CudafitError."""

    kind: str
    path: str
    shop: str  # where its packages come from
    keeps_files: bool  # whether the declaration and the lock of a manager change with the environment

    def wish(self, report: Report, environment: Environment, means: Means) -> Wish:
        """What is asked of this engine's packages."""

    def plan(self, wish: Wish, world: World, environment: Environment, means: Means) -> Prepared[Source]:
        """The steps, and all that they need. Nothing of the environment is started."""

    def reach(self, prepared: Prepared[Source]) -> Reach:
        """The files that the plan touches."""

    def apply(self, prepared: Prepared[Source], change: Underway, means: Means) -> Sequence[str]:
        """Carry the plan out. Returns what is to be said when all of it has been seen to be right."""

    def verify(self, prepared: Prepared[Source], after: Environment) -> Sequence[str]:
        """What is not as planned."""


class Engine(Changer[Source], Protocol[Source]):
    """Also makes one that is not there yet."""

    def suited(self, host: Host, python: str | None, means: Means) -> Host:
        """The machine as a new environment of this kind finds it; `python` is the one asked for."""

    def solved(self, order: Order, means: Means, *, sizes: bool) -> Made[Source]:
        """What a new environment is made from, by a fit. Without `sizes` they may be left out."""

    def given(self, lock: str, host: Host, python: str | None, means: Means, *, unhashed: bool) -> Made[Source]:
        """The same by a lock that somebody wrote. With `unhashed` also what it tells no hash for."""

    def create(self, made: Made[Source], means: Means, check: Callable[[], None] = unchecked) -> Made[Source]:
        """Make it wholly, or not at all. `check` looks at the result, and raises where it must not stay. Returns what
        was installed."""
