"""What a room's files tell, before it is judged."""

from collections.abc import Mapping
from typing import Literal

from cudafit.model.bench import Bench
from cudafit.model.frozen import frozen
from cudafit.model.machine import Machine
from cudafit.model.room import Unread


@frozen
class Noted:
    """A finding of doctor's, as far as a page of many machines shows it."""

    id: str
    severity: Literal["error", "warning", "info"]
    title: str
    explained_by: str | None = None


@frozen
class Diagnosis:
    """A report of doctor's."""

    status: Literal["ok", "warning", "error", "unknown"]
    cause: str | None
    findings: tuple[Noted, ...]
    gpus: int | None = None


@frozen
class Known:
    """What is known of one machine. Machines that are alike in what decides share one `machine`."""

    name: str
    machine: Machine | None = None
    diagnosis: Diagnosis | None = None
    benches: tuple[Bench, ...] = ()
    installed: Mapping[str, str] | None = None  # the packages of its environment


@frozen
class LockFile:
    """A lock. `judge` is the judgement on machines of a kind: see `fits`."""

    path: str
    versions: Mapping[str, str]
    python: str | None = None
    conda: bool = False


@frozen
class Records:
    """Everything that was read."""

    name: str
    machines: tuple[Known, ...]
    locks: tuple[LockFile, ...] = ()
    unread: tuple[Unread, ...] = ()
