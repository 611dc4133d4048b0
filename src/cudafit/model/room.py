"""What a page about machines shows: of a room full of them, or of one.

The fields are the contract that other programs rely on. Machines are told by the names of their files.
"""

from typing import Final, Literal, get_args

from cudafit.model.frozen import frozen

SCHEMA = "cudafit.report/1"

ERROR: Final = "error"
WARNING: Final = "warning"
UNKNOWN: Final = "unknown"
READ: Final = "read"  # GPU and driver were read, and nothing was diagnosed
NO_GPU: Final = "no-gpu"
OK: Final = "ok"

# The worst first.
State = Literal["error", "warning", "unknown", "read", "no-gpu", "ok"]
STATES: tuple[State, ...] = get_args(State)


@frozen
class Seen:
    """A machine. `builds` are the newest that run on it, one for each of the room's `frameworks`; `locks` says for each
    of the room's whether it fits, None where that is not known."""

    name: str
    state: State
    why: str | None
    driver: str | None
    cuda: str | None
    gpus: str | None  # `2 x NVIDIA GeForce RTX 4090`
    platform: str | None
    cell: int = 0  # its place in the room's `map`
    cause: str | None = None  # the root cause by doctor's report
    builds: tuple[str | None, ...] = ()
    locks: tuple[bool | None, ...] = ()


@frozen
class Counted:
    """How many machines are in a state."""

    state: State
    machines: int


@frozen
class Cell:
    """The machines with these GPUs and a driver of this branch."""

    gpus: str
    branch: str
    states: tuple[Counted, ...]
    machines: int


@frozen
class Refused:
    """Why a lock does not fit, and the machines of which that is true."""

    why: str
    machines: tuple[str, ...]


@frozen
class LockFit:
    """A lock against all machines. `cpu`: it would run there, without the GPU. `note`: what keeps it from being
    judged."""

    path: str
    packages: int
    fits: int = 0
    cpu: int = 0
    unknown: int = 0
    refused: tuple[Refused, ...] = ()
    note: str | None = None


@frozen
class Gain:
    """What a newer driver brings to so many machines; `before` is None where nothing ran."""

    before: str | None
    after: str
    machines: int


@frozen
class LockGain:
    """On how many machines a lock fits, now and then."""

    path: str
    before: int
    after: int


@frozen
class WhatIf:
    """The newest driver of a branch on every machine that can have it: `changed` would get it, `already` have it or a
    newer one, `cannot` have a GPU that the branch does not drive; `left` have none, are not known, or not on Linux."""

    branch: str
    changed: int
    already: int
    cannot: int
    left: int
    gains: tuple[Gain, ...] = ()
    locks: tuple[LockGain, ...] = ()


@frozen
class Found:
    """A finding, with the machines on which doctor made it, and how often it was the root cause."""

    id: str
    severity: Literal["error", "warning", "info"]
    title: str
    causes: int
    machines: tuple[str, ...]


@frozen
class Outlier:
    """A machine whose result stands out."""

    machine: str
    value: float
    why: str


@frozen
class Speed:
    """One test on one model of GPU, over all machines that were measured. `share` of `expected` is enough."""

    device: str
    framework: str
    test: str
    dtype: str
    unit: str
    machines: int
    median: float
    lowest: float
    highest: float
    expected: float | None = None
    share: float | None = None
    outliers: tuple[Outlier, ...] = ()


@frozen
class Difference:
    """A package that is not as the lock has it; `here` is None where it is missing."""

    package: str
    lock: str
    here: str | None


@frozen
class Drift:
    """An environment against the lock that it is nearest to; None where it is near to none."""

    machine: str
    lock: str | None
    differences: tuple[Difference, ...] = ()
    more: int = 0  # packages that the lock does not have


@frozen
class Unread:
    """A file that was passed over, and why."""

    path: str
    why: str


@frozen
class MatrixVersion:
    """The facts that this follows from."""

    version: str


@frozen
class Room:
    """The page."""

    name: str
    date: str
    machines: tuple[Seen, ...]
    states: tuple[Counted, ...]
    frameworks: tuple[str, ...]
    map: tuple[Cell, ...]
    locks: tuple[LockFit, ...]
    drivers: tuple[WhatIf, ...]
    findings: tuple[Found, ...]
    speeds: tuple[Speed, ...]
    environments: tuple[Drift, ...]
    unread: tuple[Unread, ...]
    matrix: MatrixVersion
    cudafit: str
