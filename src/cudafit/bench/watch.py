"""Looks at a GPU from outside while a process computes on it: NVML again and again, and the files it has open."""

import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from cudafit.bench.proof import Sighting
from cudafit.machine.nvml import Reading
from cudafit.machine.processes import CUDA_FILE, opened_devices
from cudafit.model.bench import Load
from cudafit.model.machine import Gpu

_PAUSE_S = 0.5
_LOOKS = 3
_LONGEST_WAIT_S = 20.0

# Being idle between two kernels, and following the clocks that somebody set, is no slowing down.
_NO_REASONS = ("gpu_idle", "applications_clocks_setting")

Ask = Callable[[], Reading]
T = TypeVar("T", int, float)


class Watch:
    """One process on one GPU. The file `hold` is there until it was seen, or looked for often enough."""

    def __init__(self, ask: Ask, index: int, hold: str | None) -> None:
        self._ask = ask
        self._index = index
        self._hold = hold
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self.pid = 0
        self.held_mib = 0
        self.sightings: list[Sighting] = []
        self.gpus: list[Gpu] = []

    def begin(self, pid: int, held_mib: int) -> None:
        self.pid, self.held_mib = pid, held_mib
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join(_LONGEST_WAIT_S)
        self._let_go()

    def _look_on(self) -> None:
        while not self._over.is_set():
            opened = device_files(self.pid)
            gpu = gpu_of(self._ask(), self._index)
            if gpu is not None and not self._over.is_set():
                self.gpus.append(gpu)
                self.sightings.append(sighting(gpu, opened))
            if self._seen():
                self._let_go()
            self._over.wait(_PAUSE_S)

    def _seen(self) -> bool:
        """One look in which it is listed is enough; that it is not listed, or cannot be, takes several."""
        last = self.sightings[-1].processes if self.sightings else None
        return self.pid in (last or ()) or len(self.sightings) >= _LOOKS or not self.gpus

    def _let_go(self) -> None:
        if self._hold:
            with contextlib.suppress(OSError):
                os.unlink(self._hold)


def gpu_of(reading: Reading, index: int) -> Gpu | None:
    return next((gpu for gpu in reading.gpus if gpu.index == index), None)


def sighting(gpu: Gpu, opened: tuple[str, ...] | None = None) -> Sighting:
    listed = None if gpu.processes is None else tuple(one.pid for one in gpu.processes if one.kind == "compute")
    return Sighting(listed, gpu.memory_used_mib, opened)


def device_files(pid: int) -> tuple[str, ...] | None:
    """The files of GPUs that a process has open; None where that may not be read."""
    opened = opened_devices(pid)
    return None if opened is None else tuple(one for one in opened if one != CUDA_FILE)


def load_of(gpus: list[Gpu], pids: Sequence[int], named: Callable[[int], str]) -> Load:
    """The most that was read: a single look may fall into a pause."""

    clocks = [gpu.clocks for gpu in gpus if gpu.clocks]
    links = [gpu.pcie for gpu in gpus if gpu.pcie]
    reasons = dict.fromkeys(reason for gpu in gpus for reason in gpu.throttle_reasons or ())
    others = dict.fromkeys(
        one.pid for gpu in gpus for one in gpu.processes or () if one.kind == "compute" and one.pid not in pids
    )
    return Load(
        len(gpus),
        _most([one.sm for one in clocks]),
        _most([one.sm_max for one in clocks]),
        _most([gpu.power_w for gpu in gpus]),
        _most([gpu.power_limit_w for gpu in gpus]),
        _most([gpu.power_limit_default_w for gpu in gpus]),
        _most([gpu.temperature_c for gpu in gpus]),
        tuple(reason for reason in reasons if reason not in _NO_REASONS),
        _most([one.generation for one in links]),
        _most([one.generation_max for one in links]),
        _most([one.width for one in links]),
        _most([one.width_max for one in links]),
        tuple(named(one) for one in others),
    )


def _most(values: Sequence[T | None]) -> T | None:
    known = [value for value in values if value is not None]
    return max(known) if known else None
