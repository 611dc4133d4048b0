"""A process and all that it has started, look by look."""

import os
from collections.abc import Set as AbstractSet

from cudafit.machine.processes import Process, every_pid, read_process
from cudafit.process import STARTED

_REMEMBERED = 4  # looks


class Tree:
    """The processes of a job. Once of the tree, always: also when the process that started it has ended.

    `adopts`: orphans of the job become children of this process (`adopt_orphans`), and so are seen even where whoever
    started them came and went between two looks. Of a process that leads a group the whole group belongs to the tree.
    """

    def __init__(self, root: int, *, adopts: bool = False) -> None:
        self.root = root
        self._self = os.getpid()
        self._adopts = adopts
        self.alive: dict[int, Process] = {}
        self.count = 0  # of the processes that were seen, all in all
        self._looks = 0
        self._last_seen: dict[int, int] = {}
        self._strangers: set[int] = set()
        self._group: int | None = None

    def look(self) -> AbstractSet[int]:
        """Looks again; the numbers of those that are new."""
        pids = every_pid()
        self._strangers &= pids
        for pid, before in list(self.alive.items()):
            now = read_process(pid) if pid in pids else None
            if now is None or now.started != before.started or pid in STARTED:
                del self.alive[pid]
            else:
                self.alive[pid] = now
        new = self._join([one for pid in pids - self.alive.keys() - self._strangers if (one := read_process(pid))])
        self.count += len(new)
        self._looks += 1
        self._last_seen.update(dict.fromkeys(self.alive, self._looks))
        self._last_seen = {pid: at for pid, at in self._last_seen.items() if self._looks - at <= _REMEMBERED}
        return new

    @property
    def recent(self) -> AbstractSet[int]:
        """Those that live, or did a moment ago: what is told of the GPU is a moment old. Not for longer, since a number
        may become that of somebody else's process."""
        return self._last_seen.keys()

    def _join(self, found: list[Process]) -> set[int]:
        """Takes in those that belong here, and theirs; the others are not looked at again."""
        new: set[int] = set()
        while belonging := [one for one in found if self._belongs(one)]:
            for one in belonging:
                self.alive[one.pid] = one
                if one.pid == self.root and one.group == one.pid:
                    self._group = one.group
            new.update(one.pid for one in belonging)
            found = [one for one in found if one.pid not in new]
        self._strangers.update(one.pid for one in found)
        return new

    def _belongs(self, one: Process) -> bool:
        if one.pid in STARTED:
            return False
        if one.pid == self.root or one.parent in self.alive:
            return True
        return (self._adopts and one.parent == self._self) or (self._group is not None and one.group == self._group)
