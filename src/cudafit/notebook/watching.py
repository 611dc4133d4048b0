"""Looks at this kernel while a cell runs."""

import os
import signal
import sys
import threading
import time

from cudafit.errors import InputError
from cudafit.machine.processes import opened_devices
from cudafit.notebook.cell import MEAN_OF_S, Cell, CellRecord
from cudafit.system.posix import signals
from cudafit.watch.observe import Observer

_FIRST_ANSWER_S = 2.0
_LAST_ANSWER_S = 1.0
_LONGEST_LOOK_S = 5.0  # at the processes, of which there may be many thousands
_SHORT_S = 0.02


class CellWatch:
    """Made right before a cell runs; `end` gives what was seen."""

    def __init__(self) -> None:
        _refuse_elsewhere()
        self._observer = _observer()
        self._record = CellRecord(self._observer.began)
        self._observer.record = self._record
        self._over = threading.Event()
        self._failed: Exception | None = None
        try:
            self._wait_for_nvml()
            self._cuda_before = self._cuda_started()
        except BaseException:
            self._observer.stop()
            raise
        self._thread = threading.Thread(target=self._look, daemon=True, name="cudafit")
        self._cpu = _cpu_seconds()
        self._began = self._record.cell_began = time.monotonic()
        self._thread.start()

    def end(self) -> Cell:
        """Waits for what NVML tells of the cell's last moment: unlike a job's process the kernel is still there."""
        ended, cpu = time.monotonic(), _cpu_seconds()
        try:
            self._over.set()
            self._thread.join(_LONGEST_LOOK_S)
            if self._failed:
                raise self._failed
            until = self._until(ended)
            deadline = until + _LAST_ANSWER_S
            while self._observer.nvml.error is None and self._record.last_at < until and time.monotonic() < deadline:
                time.sleep(_SHORT_S)
                self._hear()
            around = self._observer.circumstances()
            seconds = ended - self._began
            return Cell(
                seconds,
                tuple(gpu for _, gpu in sorted(self._record.seen.items())),
                around.nvml_error,
                around.nvml_absent,
                around.ids_are_ours,
                self._cuda_before,
                self._cuda_started(),
                (cpu - self._cpu) / seconds if seconds > 0 else None,
            )
        finally:
            self.stop()

    def _until(self, ended: float) -> float:
        """Where there is a context already, a short cell's work is in the mean that NVML tells a moment later."""
        held = any(one.held or one.held_before for one in self._record.seen.values())
        return max(ended, self._began + MEAN_OF_S) if held else ended

    def stop(self) -> None:
        self._over.set()
        self._observer.stop()

    def _wait_for_nvml(self) -> None:
        """So that a short cell, too, is judged against what was there before it."""
        self._observer.look()
        deadline = time.monotonic() + _FIRST_ANSWER_S
        while not self._observer.nvml.ready and time.monotonic() < deadline:
            time.sleep(_SHORT_S)
            self._hear()

    def _hear(self) -> None:
        for look in self._observer.nvml.looks():
            self._record.watch(self._observer.nvml.gpus)
            self._record.add_look(look, self._observer.tree.recent)

    def _cuda_started(self) -> bool | None:
        self._record.add_devices([opened_devices(pid) for pid in self._observer.tree.alive])
        return self._record.cuda_started if self._record.files_read else None

    def _look(self) -> None:
        try:
            while not self._over.wait(self._observer.pause):
                self._observer.look()
        except Exception as failed:
            self._failed = failed


def _refuse_elsewhere() -> None:
    if sys.platform != "linux":
        raise InputError("`%%cudafit` watches the kernel through /proc, which only Linux has")


def _observer() -> Observer:
    """What interrupts a cell is sent to the whole group of the kernel; the process that asks NVML must outlive that."""
    before = signals.pthread_sigmask(signals.SIG_BLOCK, {signal.SIGINT})
    try:
        return Observer(os.getpid(), os.environ)
    finally:
        signals.pthread_sigmask(signals.SIG_SETMASK, before)


def _cpu_seconds() -> float:
    """Of this process and of those that it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
