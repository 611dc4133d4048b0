"""NVML asked again and again by `nvml_child`, in its own process: who computes on each GPU, and how busy it is."""

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from cudafit.machine.nvml import LIBRARY_NOT_FOUND, interpret, parsed, throttle_reasons
from cudafit.machine.question import SYSTEMS, Answer, child, ending
from cudafit.model.frozen import frozen
from cudafit.process import Talk, own_environ

_MIB = 1 << 20
_SILENCE_S = 15.0
_STOPPED_S = 5.0


@frozen
class GpuLook:
    """What was seen of one GPU at one moment; None stands for what the driver does not tell."""

    index: int
    processes: Mapping[int, int | None] | None  # process -> MiB that it holds
    utilization: int | None
    memory_used_mib: int | None
    throttle_reasons: tuple[str, ...] | None
    clock: int | None
    clock_max: int | None


@frozen
class Look:
    """All GPUs at one moment of the machine's monotonic clock."""

    at: float
    gpus: tuple[GpuLook, ...]


@frozen
class Watched:
    """A GPU that is watched."""

    index: int
    name: str | None
    uuid: str | None
    memory_mib: int | None


class NvmlWatch:
    """Started once, then asked for the looks that have come; it never waits for the driver."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.gpus: tuple[Watched, ...] = ()
        self.error: str | None = None  # why there are no looks, or no further ones
        self.absent = False  # there is no such library here
        self._begun = False
        self._lines: list[str] = []
        self._heard = self._asked = time.monotonic()
        self._silent = False
        self._talk: Talk | None = None
        if sys.platform not in SYSTEMS:
            self.error, self.absent = "there is no NVML on this system", True
            return
        try:
            self._talk = Talk(child("--watch"), own_environ(environ))
        except OSError as error:
            self.error = f"could not start {sys.executable}: {error.strerror or error}"

    @property
    def pid(self) -> int | None:
        return self._talk.pid if self._talk else None

    @property
    def ready(self) -> bool:
        """Whether it has said what there is, or that it cannot."""
        return self._begun or self.error is not None

    def looks(self) -> list[Look]:
        """Those that have come since the last time."""
        if self._talk is None:
            return []
        found = []
        self._note_pause()
        for line in self._talk.arrived():
            self._heard = time.monotonic()
            if self._silent:
                self.error, self._silent = None, False
            fact = parsed(line)
            if fact is None or "look" not in fact:
                self._lines.append(line)
                continue
            if not self._begun:
                self._begin()
            found.append(_look(fact))
        if self._talk.ended:
            self._end()
        elif time.monotonic() - self._heard > _SILENCE_S and self.error is None:
            self.error, self._silent = self._reading(f"gave no answer for {_SILENCE_S:g} s").problems[-1], True
        return found

    def _note_pause(self) -> None:
        """Ctrl-Z stops the one that asks and the one that answers alike; that is no silence."""
        now = time.monotonic()
        if now - self._asked > _STOPPED_S:
            self._heard = now
        self._asked = now

    def stop(self) -> None:
        if self._talk:
            self._talk.stop()
            self._talk = None

    def _begin(self) -> None:
        self._begun = True
        reading = self._reading(None)
        self.gpus = tuple(Watched(one.index, one.name, one.uuid, one.memory_mib) for one in reading.gpus)

    def _end(self) -> None:
        """By itself it ends only where NVML cannot be asked."""
        assert self._talk is not None  # noqa: S101 - narrows the type
        code = self._talk.returncode
        reading = self._reading(ending(code) if code else None)
        self.absent = reading.code == LIBRARY_NOT_FOUND
        self.error = reading.error or (reading.problems[-1] if reading.problems else "NVML's process ended")
        self.stop()

    def _reading(self, broken: str | None) -> Any:
        return interpret(Answer(tuple(self._lines), broken))


def _look(fact: Mapping[str, Any]) -> Look:
    return Look(fact["look"], tuple(map(_gpu, fact["gpus"])))


def _gpu(fact: Mapping[str, Any]) -> GpuLook:
    used = fact["memory_used"]
    return GpuLook(
        fact["index"],
        _processes(fact["processes"]),
        fact["utilization"],
        None if used is None else used // _MIB,
        throttle_reasons(fact["throttle"]),
        fact["clock"],
        fact["clock_max"],
    )


def _processes(listed: Sequence[Sequence[Any]] | None) -> Mapping[int, int | None] | None:
    if listed is None:
        return None
    found: dict[int, int | None] = {}
    for pid, used in listed:
        mib = None if used is None else used // _MIB
        before = found.get(pid)
        # On a card in slices a process is listed once for each.
        found[pid] = mib if before is None else before + (mib or 0)
    return found
