"""Looks at a job and at the GPUs, again and again, at a cost that stays below one hundredth of a core."""

import os
import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from cudafit.machine.container import read_container
from cudafit.machine.context import this_machine
from cudafit.machine.limits import read_limits
from cudafit.machine.nvml_watch import NvmlWatch
from cudafit.machine.processes import CUDA_FILE, Command, mapped_libraries, opened_devices, read_command, read_process
from cudafit.machine.wsl import GPU_NODE, read_wsl
from cudafit.model.frameworks import FRAMEWORKS
from cudafit.model.frozen import frozen
from cudafit.system.posix import posix
from cudafit.watch.program import asks_elsewhere, is_python
from cudafit.watch.record import Record
from cudafit.watch.tree import Tree
from cudafit.watch.verdict import Circumstances

# As `nvml_child` does: less at first, when short jobs end; and least when they start, since what a shell calls may be
# over soon.
_FIRST_S, _QUICK_S, _QUICK_FOR_S, _SLOW_S = 0.05, 0.25, 10.0, 0.5
_FIRST_ANSWER_S = 1.0
_SHARE = 0.004  # of a core that the looks may cost, besides an allowance for the first ones
_ALLOWANCE_S = 0.05
_MOST_COMMANDS = 200
_LIBRARIES_AT_S = (2.0, 8.0, 30.0, 120.0)

# What tells that a program computes with CUDA, or could: its own, or of a framework.
_TELLING = (
    ("libcuda.so", "CUDA's driver library"),
    *(library for one in FRAMEWORKS for library in one.libraries),
)


@frozen
class Seen:
    """A process of the job as it was when it was met."""

    pid: int
    command: Command


class Observer:
    """Watches one job. `look` whenever `pause` seconds have passed."""

    def __init__(
        self, root: int, environ: Mapping[str, str], *, command: Sequence[str] = (), adopts: bool = False
    ) -> None:
        self._command = tuple(command)
        self.began = time.monotonic()
        self.tree = Tree(root, adopts=adopts)
        self.record = Record(self.began)
        self.nvml = NvmlWatch(environ)
        self.commands: dict[int, Seen] = {}
        self.names: dict[int, str] = {}
        self.pause = _FIRST_S
        self._spent = 0.0
        context = this_machine()
        # In a container NVML may tell the host's numbers, on WSL it lists nobody.
        self._ids_are_ours = read_container(context) is None and read_wsl(context, posix.uname().release) is None
        limits = read_limits(context)
        self._cpus = int(limits.cpus) if limits.cpus else None
        self._libraries_at = list(_LIBRARIES_AT_S)

    def look(self) -> None:
        cost = time.thread_time()
        at = time.monotonic()
        new = self.tree.look()
        self._meet(new)
        looks = self.nvml.looks()
        self.record.watch(self.nvml.gpus)
        self.record.add_processes(self.tree.alive, at)
        for look in looks:
            self.record.add_look(look, self.tree.recent)
        if self.nvml.error is not None:
            self.record.add_moment(at)
        self._name_others()
        if self._needs_files():
            self.record.add_devices([opened_devices(pid) for pid in self.tree.alive])
        if self._libraries_at and at - self.began >= self._libraries_at[0]:
            self._libraries_at.pop(0)
            self.look_at_libraries()
        elapsed = at - self.began
        least = min(_QUICK_S, _FIRST_S + elapsed / 10) if elapsed < _QUICK_FOR_S else _SLOW_S
        self._spent += time.thread_time() - cost
        self.pause = max(least, (self._spent - _ALLOWANCE_S) / _SHARE - elapsed)

    def last_look(self, until: float) -> None:
        """What NVML has told up to the end; the processes are gone, and cost nothing any more.

        A job may have ended before NVML could say so much as whether it is there; that is waited for. What it tells of
        the time after the end is not of the job.
        """
        looks = self.nvml.looks()
        deadline = time.monotonic() + _FIRST_ANSWER_S
        while not self.nvml.ready and time.monotonic() < deadline:
            time.sleep(0.01)
            looks += self.nvml.looks()
        self.record.watch(self.nvml.gpus)
        for look in looks:
            if look.at <= until:
                self.record.add_look(look, self.tree.recent)

    def look_at_libraries(self) -> None:
        """Of the process that has computed most: large lists, so not in each look."""
        pid = self.record.busiest
        if pid in self.tree.alive:
            names = mapped_libraries(pid)
            told = [spoken for start, spoken in _TELLING if any(name.startswith(start) for name in names)]
            if "torch with CUDA" in told:
                told.remove("torch")
            self.record.loaded.update(dict.fromkeys(told))

    def circumstances(self, *, goes_on: bool = False) -> Circumstances:
        nodes = any(os.path.exists(path) for path in (CUDA_FILE, GPU_NODE, "/dev/nvidiactl"))
        commands = [self._command, *(one.command.words for one in self.commands.values())]
        clients = tuple(dict.fromkeys(name for words in commands if (name := asks_elsewhere(words))))
        return Circumstances(self.nvml.error, self.nvml.absent, self._ids_are_ours, goes_on, nodes, clients, self._cpus)

    def stop(self) -> None:
        self.nvml.stop()

    def _needs_files(self) -> bool:
        """Where NVML lists the job's processes by their numbers, it is the better witness."""
        if self.nvml.error is not None or not self._ids_are_ours:
            return True
        return self.nvml.ready and not any(one.listed for one in self.record.gpus.values())

    def _meet(self, new: AbstractSet[int]) -> None:
        """Reads the command of those that are new, and again of those that have become another program since."""
        for pid, one in self.tree.alive.items():
            before = self.names.get(pid)
            if (pid in new or before != one.name) and len(self.commands) < _MOST_COMMANDS:
                self.names[pid] = one.name
                if command := read_command(pid):
                    self.commands[pid] = Seen(pid, command)

    def _name_others(self) -> None:
        """Who else computes there: its name, as long as it can be read."""
        for record in self.record.gpus.values():
            for pid in record.others:
                if pid not in self.names:
                    other = read_process(pid)
                    self.names[pid] = other.name if other else "not to be seen from here"

    def pythons(self) -> list[Seen]:
        """The job's Pythons, the likeliest to train first: one that held a context, else the one that computed most."""
        found = [one for one in self.commands.values() if is_python(one.command.words[0])]
        record = self.record
        return sorted(
            found, key=lambda one: (-record.holders.get(one.pid, 0.0), -record.spent.get(one.pid, 0.0), one.pid)
        )
