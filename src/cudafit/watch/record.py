"""What many looks at a job amount to. No file and no clock: every look says when it was."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from cudafit.machine.nvml_watch import GpuLook, Look, Watched
from cudafit.machine.processes import CUDA_FILE, Process
from cudafit.machine.wsl import GPU_NODE
from cudafit.model.frozen import frozen
from cudafit.model.run import Moment

# A GPU is warming up, and a program compiling and loading, in the first second with a context.
_WARM_UP_S = 1.0
_LONGEST_GAP_S = 5.0  # of a machine that slept, or a job that was stopped
_MOST_MOMENTS = 400

Value = TypeVar("Value")


@dataclass
class Mean:
    """A mean over time."""

    total: float = 0.0
    seconds: float = 0.0

    def add(self, value: float | None, seconds: float) -> None:
        if value is not None:
            self.total += value * seconds
            self.seconds += seconds

    @property
    def value(self) -> float | None:
        return self.total / self.seconds if self.seconds > 0 else None


@dataclass
class GpuRecord:
    """One GPU, as far as it was seen."""

    watched: Watched
    listed: bool = False  # NVML told at least once who computes on it
    held_s: float = 0.0
    first_held_at: float | None = None
    peak_mib: int | None = None
    others_mib: int = 0
    others: dict[int, None] = field(default_factory=dict)
    at_first_mib: int | None = None  # what was in use before the job could have begun
    most_mib: int | None = None
    utilization: Mean = field(default_factory=Mean)
    steady: Mean = field(default_factory=Mean)  # utilization, after the warming up
    clock: Mean = field(default_factory=Mean)
    reasons: dict[str, float] = field(default_factory=dict)  # -> seconds
    anyone: Mean = field(default_factory=Mean)  # utilization, held by the job or not

    def add(self, look: GpuLook, at: float, seconds: float, pids: Collection[int]) -> int | None:
        """Returns the memory that the job holds there; None where it holds no context."""
        if look.memory_used_mib is not None:
            if self.at_first_mib is None:
                self.at_first_mib = look.memory_used_mib
            self.most_mib = max(self.most_mib or 0, look.memory_used_mib)
        self.anyone.add(look.utilization, seconds)
        if look.processes is None:
            return None
        self.listed = True
        own = {pid: mib for pid, mib in look.processes.items() if pid in pids}
        other = {pid: mib for pid, mib in look.processes.items() if pid not in pids}
        self.others.update(dict.fromkeys(other))
        self.others_mib = max(self.others_mib, sum(mib or 0 for mib in other.values()))
        if not own:
            return None
        held = sum(mib or 0 for mib in own.values())
        self._hold(look, at, seconds, held)
        return held

    def _hold(self, look: GpuLook, at: float, seconds: float, held: int) -> None:
        if self.first_held_at is None:
            self.first_held_at = at
        self.held_s += seconds
        self.peak_mib = max(self.peak_mib or 0, held)
        self.utilization.add(look.utilization, seconds)
        if at - self.first_held_at > _WARM_UP_S:
            self.steady.add(look.utilization, seconds)
        if look.clock is not None and look.clock_max:
            self.clock.add(look.clock / look.clock_max, seconds)
        for reason in look.throttle_reasons or ():
            self.reasons[reason] = self.reasons.get(reason, 0.0) + seconds


@frozen
class Cost:
    """What a job's processes cost while it held a context, after the warming up: in cores, on average."""

    seconds: float
    holder: int | None
    holder_cores: float
    holder_at_work: float  # share of the time in which it computed, or wanted to: on a machine that others use, too
    other_cores: float
    busiest_other: tuple[int, float] | None
    waits_for_disk: float  # share of the looks in which one of them waited for a disk or a network file system


class Record:
    """Grows with each look."""

    def __init__(self, began: float) -> None:
        self.began = began
        self.last_at = began
        self.looks = 0  # at the GPUs
        self.process_looks = 0
        self.gpus: dict[int, GpuRecord] = {}
        self.holders: dict[int, float] = {}  # processes that held a context -> for how long
        self.opened: dict[str, None] = {}  # device files that the job had open
        self.files_read = False
        self.loaded: dict[str, None] = {}  # libraries that tell what it computes with
        self.spent: dict[int, float] = {}  # process -> seconds of a core
        self._timeline = Timeline(began)
        self._cores: float | None = None
        self._processes_at: float | None = None
        self._steady_s = 0.0
        self._steady: dict[int, float] = {}
        self._waiting_s = 0.0
        self._at_work: dict[int, float] = {}

    def watch(self, gpus: Iterable[Watched]) -> None:
        for one in gpus:
            self.gpus.setdefault(one.index, GpuRecord(one))

    def add_processes(self, alive: Mapping[int, Process], at: float) -> None:
        """A look at the processes; their costs are counted from the look before."""
        self.process_looks += 1
        before = self._processes_at
        seconds = at - before if before is not None else 0.0
        costs = {pid: one.cpu_s - self.spent.get(pid, 0.0) for pid, one in alive.items()}
        if seconds > 0:
            self._cores = sum(costs.values()) / seconds
            if self._is_steady(at):
                self._steady_s += seconds
                for pid, cost in costs.items():
                    self._steady[pid] = self._steady.get(pid, 0.0) + cost
                for pid in (one.pid for one in alive.values() if one.state == "R"):
                    self._at_work[pid] = self._at_work.get(pid, 0.0) + seconds
                if any(one.state == "D" for one in alive.values()):
                    self._waiting_s += seconds
        self.spent.update({pid: one.cpu_s for pid, one in alive.items()})
        self._processes_at = at

    def add_look(self, look: Look, pids: Collection[int]) -> None:
        """A look at the GPUs. `pids` are the job's processes, also those that have ended."""
        seconds = min(_LONGEST_GAP_S, max(0.0, look.at - self.last_at))
        self.last_at = max(self.last_at, look.at)
        self.looks += 1
        utilization, memory = [], []
        for one in look.gpus:
            gpu = self.gpus.get(one.index)
            if gpu is None:
                continue
            held = gpu.add(one, look.at, seconds, pids)
            utilization.append(one.utilization)
            memory.append(held)
            for pid in one.processes or ():
                if pid in pids:
                    self.holders[pid] = self.holders.get(pid, 0.0) + seconds
        self._timeline.add(look.at, self._cores, utilization, memory)

    def add_moment(self, at: float) -> None:
        """Where nothing is to be seen of a GPU, the processors are a part of the course too."""
        self._timeline.add(at, self._cores, (), ())

    def add_devices(self, opened: Iterable[tuple[str, ...] | None]) -> None:
        for files in opened:
            if files is not None:
                self.files_read = True
                self.opened.update(dict.fromkeys(files))

    @property
    def first_held_at(self) -> float | None:
        return min((one.first_held_at for one in self.gpus.values() if one.first_held_at is not None), default=None)

    @property
    def cuda_started(self) -> bool:
        """Whether the job opened what CUDA opens when it starts; a context is more than that."""
        return CUDA_FILE in self.opened or GPU_NODE in self.opened

    @property
    def cpu_seconds(self) -> float:
        return sum(self.spent.values())

    @property
    def busiest(self) -> int | None:
        return max(self.spent, key=lambda pid: self.spent[pid], default=None)

    def cost(self) -> Cost | None:
        """None where the job held no context, or not for longer than it takes to warm up."""
        if not self._steady_s:
            return None
        holder = max(self.holders, key=lambda pid: self.holders[pid], default=None)
        cores = {pid: spent / self._steady_s for pid, spent in self._steady.items()}
        others = {pid: value for pid, value in cores.items() if pid not in self.holders}
        busiest = max(others, key=lambda pid: others[pid], default=None)
        return Cost(
            self._steady_s,
            holder,
            max((cores.get(pid, 0.0) for pid in self.holders), default=0.0),
            max((self._at_work.get(pid, 0.0) / self._steady_s for pid in self.holders), default=0.0),
            sum(others.values()),
            None if busiest is None else (busiest, others[busiest]),
            self._waiting_s / self._steady_s,
        )

    def timeline(self) -> tuple[Moment, ...]:
        return self._timeline.moments()

    def _is_steady(self, at: float) -> bool:
        first = self.first_held_at
        return first is not None and at - first > _WARM_UP_S


class Timeline:
    """The whole course in at most so many moments: when they become too many, each two become one."""

    def __init__(self, began: float) -> None:
        self._began = began
        self._done: list[Moment] = []
        self._last = began
        self._each = 1  # looks that make one moment
        self._open: list[Moment] = []

    def add(
        self, at: float, cores: float | None, utilization: Iterable[float | None], memory: Iterable[int | None]
    ) -> None:
        seconds = max(0.0, at - self._last)
        self._last = max(self._last, at)
        self._open.append(Moment(at - self._began - seconds, seconds, cores, tuple(utilization), tuple(memory)))
        if len(self._open) == self._each:
            self._done.append(_joined(self._open))
            self._open = []
        if len(self._done) >= _MOST_MOMENTS:
            self._done = [_joined(self._done[place : place + 2]) for place in range(0, len(self._done), 2)]
            self._each *= 2

    def moments(self) -> tuple[Moment, ...]:
        open_ = [_joined(self._open)] if self._open else []
        return tuple(_rounded(one) for one in (*self._done, *open_))


def _joined(moments: list[Moment]) -> Moment:
    if len(moments) == 1:
        return moments[0]
    wide = max(len(one.utilization) for one in moments)
    return Moment(
        moments[0].at,
        sum(one.seconds for one in moments),
        _mean((one.cores, one.seconds) for one in moments),
        tuple(_mean((_at(one.utilization, place), one.seconds) for one in moments) for place in range(wide)),
        tuple(_most(_at(one.memory_mib, place) for one in moments) for place in range(wide)),
    )


def _at(values: tuple[Value | None, ...], place: int) -> Value | None:
    return values[place] if place < len(values) else None


def _mean(values: Iterable[tuple[float | None, float]]) -> float | None:
    mean = Mean()
    for value, seconds in values:
        mean.add(value, max(seconds, 1e-9))
    return mean.value


def _most(values: Iterable[int | None]) -> int | None:
    return max((one for one in values if one is not None), default=None)


def _rounded(one: Moment) -> Moment:
    return Moment(
        round(one.at, 2),
        round(one.seconds, 2),
        None if one.cores is None else round(one.cores, 2),
        tuple(None if value is None else round(value, 1) for value in one.utilization),
        one.memory_mib,
    )
