"""Whether a cell used the GPU, from what was seen before and during it. Pure.

A kernel keeps its CUDA context from cell to cell, so that it holds one says nothing of a cell. What counts is what
became different: a context that was not there, memory that grew, a GPU that was busy.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from cudafit.machine.nvml_watch import GpuLook, Look
from cudafit.model.frozen import frozen
from cudafit.model.run import FILES_AND_MEMORY, NVML
from cudafit.watch.record import Mean, Record

# What NVML calls utilization is the mean of up to so long before it was asked.
MEAN_OF_S = 1.0
# A screen that is drawn makes a GPU busy, too; in percent.
_LITTLE = 5
# A context takes a hundred MiB and more; without NVML's list this is what tells it from a driver's own rounding.
_GROWN_MIB = 64


@dataclass
class GpuSeen:
    """One GPU, before a cell and during it."""

    index: int
    name: str | None
    listed: bool = False  # NVML told at least once who computes on it
    known_before: bool = False  # it was looked at before the cell began
    looks: int = 0  # since then
    held_before: bool = False  # the kernel had a context on it
    before_mib: int | None = None
    held: bool = False
    peak_mib: int | None = None
    busy_before: int | None = None
    busy: Mean = field(default_factory=Mean)
    most_busy: int | None = None  # since the cell began, and of no time before that
    all_before_mib: int | None = None  # what everybody together held
    all_most_mib: int | None = None
    others: dict[int, None] = field(default_factory=dict)

    def before(self, look: GpuLook, pids: Collection[int]) -> None:
        self.known_before = True
        self._baseline(look, pids)
        self.busy_before = look.utilization

    def during(self, look: GpuLook, since: float, seconds: float, pids: Collection[int]) -> None:
        """`since`: how long the cell had run; `seconds`: what the look stands for."""
        if not self.known_before and not self.looks:
            self._baseline(look, pids)
        self.looks += 1
        own = self._own(look, pids)
        if own is not None:
            self.held = True
            self.peak_mib = max(self.peak_mib or 0, own)
        self.others.update(dict.fromkeys(pid for pid in look.processes or () if pid not in pids))
        if look.memory_used_mib is not None:
            self.all_most_mib = max(self.all_most_mib or 0, look.memory_used_mib)
        # What came right before the cell may still be in the mean.
        if look.utilization is not None and (self.busy_before == 0 or since >= MEAN_OF_S):
            self.busy.add(look.utilization, max(seconds, 1e-3))
            self.most_busy = max(self.most_busy or 0, look.utilization)

    def _baseline(self, look: GpuLook, pids: Collection[int]) -> None:
        self.before_mib = self._own(look, pids)
        self.held_before = self.before_mib is not None
        self.all_before_mib = look.memory_used_mib

    def _own(self, look: GpuLook, pids: Collection[int]) -> int | None:
        if look.processes is None:
            return None
        self.listed = True
        own = [mib for pid, mib in look.processes.items() if pid in pids]
        return sum(mib or 0 for mib in own) if own else None

    @property
    def grown_mib(self) -> int:
        return 0 if self.peak_mib is None or self.before_mib is None else self.peak_mib - self.before_mib

    @property
    def all_grown_mib(self) -> int:
        return (
            0 if self.all_most_mib is None or self.all_before_mib is None else self.all_most_mib - self.all_before_mib
        )


class CellRecord(Record):
    """The record of a kernel, which has run for a while when the cell begins."""

    def __init__(self, began: float) -> None:
        super().__init__(began)
        self.cell_began: float | None = None
        self.seen: dict[int, GpuSeen] = {}

    def add_look(self, look: Look, pids: Collection[int]) -> None:
        seconds = max(0.0, look.at - self.last_at)
        super().add_look(look, pids)
        for one in look.gpus:
            if one.index not in self.gpus:
                continue
            gpu = self.seen.setdefault(one.index, GpuSeen(one.index, self.gpus[one.index].watched.name))
            if self.cell_began is None or look.at < self.cell_began:
                gpu.before(one, pids)
            else:
                gpu.during(one, look.at - self.cell_began, seconds, pids)


@frozen
class Cell:
    """What is known of a cell that has run. `cuda_...`: whether the kernel had CUDA's device file open."""

    seconds: float
    gpus: tuple[GpuSeen, ...]
    nvml_error: str | None = None
    nvml_absent: bool = False
    ids_are_ours: bool = True
    cuda_before: bool | None = None
    cuda_after: bool | None = None
    cores: float | None = None  # that the kernel kept busy, on average


@frozen
class GpuTold:
    """What is to be said of one GPU: `used` as in `CellUse`."""

    index: int
    name: str | None
    used: bool | None
    text: str


@frozen
class CellUse:
    """`used` is None where it could not be told; `why` says what was seen, or why not, besides what each GPU told."""

    used: bool | None
    proof: str | None
    why: tuple[str, ...]
    gpus: tuple[GpuTold, ...] = ()


def judge(cell: Cell) -> CellUse:
    held = any(one.held or one.held_before for one in cell.gpus)
    listing = held or (cell.ids_are_ours and any(one.listed for one in cell.gpus))
    return _by_list(cell) if listing else _by_files(cell)


def _by_list(cell: Cell) -> CellUse:
    """NVML lists the processes that hold a context, by the numbers that they have here."""
    if not any(one.looks for one in cell.gpus):
        reason = f"NVML cannot be asked any more: {cell.nvml_error}" if cell.nvml_error else "NVML did not answer"
        return CellUse(None, None, (f"{reason} in {seconds_text(cell.seconds)}",))
    gpus = tuple(_listed(one, cell.seconds) for one in cell.gpus)
    told = _sum(one.used for one in gpus)
    if told is False and cell.nvml_error:
        return CellUse(None, None, (f"NVML did not answer to the end: {cell.nvml_error}",), gpus)
    if told is False and not any(one.held for one in cell.gpus):
        return CellUse(False, NVML, ("NVML lists no context of this kernel", *_absent_cuda(cell)), gpus)
    why = ("the context that the kernel holds was there before, and the GPU was idle",) if told is False else ()
    return CellUse(told, NVML if told is not None else None, why, gpus)


def _absent_cuda(cell: Cell) -> Iterator[str]:
    if cell.cuda_after and not cell.cuda_before:
        yield "the cell started CUDA and made no context"


def _listed(one: GpuSeen, seconds: float) -> GpuTold:
    def told(used: bool | None, text: str) -> GpuTold:
        return GpuTold(one.index, one.name, used, text)

    if not one.held:
        if not one.looks or not one.listed:
            return told(None, "NVML does not tell who computes there")
        return told(False, "not used by this kernel")
    if not one.held_before:
        return told(True, f"this cell made a context there{_most(one)}{_busy(one)}")
    if one.grown_mib > 0:
        text = f"this cell's memory there grew from {one.before_mib} to {one.peak_mib} MiB{_busy(one)}"
        return told(True, text)
    used, text = _by_work(one, seconds)
    since = "since before this cell" if one.known_before else "that may be this cell's, NVML answered too late to tell"
    return told(used, f"the kernel holds a context{_of(one)} there {since}; {text}")


def _by_work(one: GpuSeen, seconds: float) -> tuple[bool | None, str]:
    """Whether a context that was there before has been worked with: only the GPU as a whole tells it."""
    if not one.known_before:
        return None, "what it was before is not known"
    if one.most_busy is None:
        if seconds < MEAN_OF_S:
            return None, f"{seconds_text(seconds)} are too short to tell this cell's work from what came before"
        return None, "NVML does not tell how busy the GPU is"
    if one.most_busy == 0:
        if seconds < MEAN_OF_S:
            return None, f"the GPU did not seem busy, but {seconds_text(seconds)} are too short to tell"
        return False, "the GPU was idle during this cell"
    if one.others:
        return None, f"the GPU was busy up to {one.most_busy} %, and {_named(one.others)} computes there, too"
    if one.busy_before and one.most_busy <= max(_LITTLE, one.busy_before) and one.busy_before <= _LITTLE:
        return None, f"the GPU was busy up to {one.most_busy} %, as before this cell: a screen may be that"
    return True, f"the GPU was busy {one.busy.value or 0:.0f} % of this cell on average"


def _by_files(cell: Cell) -> CellUse:
    """In containers, on WSL, and where NVML does not answer."""
    why = _why_not_nvml(cell)
    gpus = tuple(_by_memory(one, cell) for one in cell.gpus)
    if cell.cuda_after is None:
        return CellUse(None, None, (why, "which files the kernel has open could not be read"), gpus)
    if not cell.cuda_after:
        told = (why, "this kernel has opened no device file that CUDA needs")
        return CellUse(False, FILES_AND_MEMORY, told, gpus)
    opened = "the kernel had started CUDA before" if cell.cuda_before else "this cell started CUDA"
    if not any(one.looks for one in cell.gpus):
        return CellUse(None, None, (why, opened, "how much memory is in use there is not known"), gpus)
    used = _sum(one.used for one in gpus)
    return CellUse(used, None if used is None else FILES_AND_MEMORY, (why, opened), gpus)


def _by_memory(one: GpuSeen, cell: Cell) -> GpuTold:
    def told(used: bool | None, text: str) -> GpuTold:
        return GpuTold(one.index, one.name, used, text)

    if not cell.cuda_after:
        return told(False, "not used by this kernel")
    if one.all_grown_mib >= _GROWN_MIB:
        return told(True, f"the memory in use there grew by {one.all_grown_mib} MiB{_busy(one)}")
    if one.all_most_mib is None or not one.known_before:
        return told(None, "how much memory was in use before is not known")
    if not cell.cuda_before:
        return told(False, "the memory in use there did not grow by as much as a context takes")
    if one.most_busy is None:
        return told(None, "the memory in use there did not grow; how busy it was with this cell is not known")
    if one.most_busy:
        return told(None, f"it was busy up to {one.most_busy} %, and whose work that was NVML does not tell here")
    if cell.seconds < MEAN_OF_S:
        return told(None, f"it did not seem busy, but {seconds_text(cell.seconds)} are too short to tell")
    return told(False, "it was idle during this cell, and the memory in use there did not grow")


def _why_not_nvml(cell: Cell) -> str:
    if cell.nvml_absent:
        return "there is no NVML (libnvidia-ml.so.1) here"
    if cell.nvml_error:
        return f"NVML cannot be asked: {cell.nvml_error}"
    if not any(one.looks for one in cell.gpus):
        return f"NVML did not answer in {seconds_text(cell.seconds)}"
    if not cell.ids_are_ours:
        return "NVML calls processes by other numbers here, as in containers"
    return "NVML does not tell here who computes"


def _sum(told: Iterator[bool | None]) -> bool | None:
    """One GPU that was used is enough; that none was has to be known of each."""
    found = list(told)
    if True in found:
        return True
    return None if None in found or not found else False


def _of(one: GpuSeen) -> str:
    return f" of {one.peak_mib} MiB" if one.peak_mib else ""


def _most(one: GpuSeen) -> str:
    return f", {one.peak_mib} MiB at most" if one.peak_mib else ""


def _busy(one: GpuSeen) -> str:
    if one.busy.value is None:
        return ""
    whose = f", with the work of {_named(one.others)}" if one.others else ""
    return f"; the GPU was busy {one.busy.value:.0f} % on average{whose}"


def _named(others: Collection[int]) -> str:
    numbers = sorted(others)
    if len(numbers) == 1:
        return f"process {numbers[0]}"
    return f"each of the processes {', '.join(map(str, numbers[:5]))}{', …' if len(numbers) > 5 else ''}"


def seconds_text(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 0.1 else "less than 0.1 s"
