"""Whether a job used the GPU, and what slowed it down there, from the record of it. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from cudafit.model import kinds
from cudafit.model.finding import INFO, WARNING, Evidence, Finding, Fix
from cudafit.model.frozen import frozen
from cudafit.model.run import FILES_AND_MEMORY, NVML, GpuUse, Proof
from cudafit.watch.hints import Hints
from cudafit.watch.record import Cost, GpuRecord, Record

# A context takes a hundred MiB and more of a GPU's memory; a driver's own rounding takes less than this.
_GROWN_MIB = 64

# Below this a GPU is starved, if something else is busy meanwhile; in percent, as NVML tells it.
_STARVED_BELOW = 50.0
_STEADY_S = 3.0  # of looks that are needed to say so
_FULL = 0.85  # of a core, or of all cores
_SHARED = 0.3  # what a process gets of a core that it wants all of, where others want it too
_WAITING = 0.3

_TO_THE_LOADER = (
    "give the loader workers (`DataLoader(num_workers=4, pin_memory=True, persistent_workers=True)`), make batches "
    "larger, and keep what is computed for each batch off the main process"
)
_TO_THE_PROCESS = (
    "what that process does for each batch is too much: load and prepare data in workers, make batches larger, and "
    "where it starts many small kernels, `torch.compile` or CUDA graphs"
)

_SLOWED_SHARE = 0.1  # of the time
_SLOWED_BY = frozenset(
    ("hw_slowdown", "sw_thermal_slowdown", "hw_thermal_slowdown", "hw_power_brake_slowdown", "sw_power_cap")
)
_FAULTS = _SLOWED_BY - {"sw_power_cap"}  # using all the power that is allowed is what a busy card does
_HELD_BY_OTHERS = 0.5


@frozen
class Circumstances:
    """What the record itself does not tell."""

    nvml_error: str | None  # why NVML could not be asked, or no longer
    nvml_absent: bool
    ids_are_ours: bool  # NVML and this program call a process by the same number
    goes_on: bool = False  # a part of the job still runs
    device_files: bool = True  # there is a file of a GPU that a program could open
    clients: tuple[str, ...] = ()  # programs of the job that only ask others, out of our sight, to run something
    cpus: int | None = None  # how many the job may use
    script: str | None = None  # the job's code, and what it says
    hints: Hints = Hints()


@frozen
class Use:
    """`used` is None where it could not be told; `evidence` says what was seen, or why not."""

    used: bool | None
    proof: Proof | None
    evidence: tuple[str, ...]


def use_of(record: Record, around: Circumstances) -> Use:
    """The proof that counts most first: NVML's own list of who holds a context."""
    holding = [one for one in record.gpus.values() if one.first_held_at is not None]
    if holding:
        listed = [f"NVML lists the job on GPU {one.watched.index}" for one in holding]
        return Use(True, NVML, tuple(listed))
    listing = around.ids_are_ours and any(one.listed for one in record.gpus.values())
    use = _never(record, around) if listing and around.nvml_error is None else _by_files(record, around)
    if use.used is False and around.clients:
        told = (
            f"`{around.clients[0]}` runs programs elsewhere, out of sight from here: put `cudafit run --` before them"
        )
        return Use(None, None, (told, *use.evidence))
    return use


def _never(record: Record, around: Circumstances) -> Use:
    others = sorted({pid for one in record.gpus.values() for pid in one.others})
    if others:
        names = f"process {others[0]}" if len(others) == 1 else f"processes {', '.join(map(str, others[:5]))}"
        told = f"NVML lists {names}, and none of the job"
    else:
        told = "NVML lists no process that computes"
    if around.goes_on:
        return Use(None, None, (f"{told} so far; a part of the job goes on",))
    return Use(False, NVML, (told, *_loaded(record)))


def _by_files(record: Record, around: Circumstances) -> Use:
    """In containers, on WSL, and where NVML does not answer."""
    why = _why_not_nvml(record, around)
    if around.nvml_absent and not around.device_files:
        return Use(False, FILES_AND_MEMORY, (why, "nor a device file of a GPU"))
    if not record.files_read:
        return Use(None, None, (why,) if not record.looks else (why, "its open files could not be looked at"))
    if not record.cuda_started:
        if around.goes_on:
            return Use(None, None, (why, "a part of the job goes on"))
        return Use(False, FILES_AND_MEMORY, (why, "the job opened no device file that CUDA needs", *_loaded(record)))
    opened = f"the job opened {', '.join(record.opened)}"
    grown = [one for one in record.gpus.values() if _grown(one) >= _GROWN_MIB]
    if grown:
        told = [f"the memory in use on GPU {one.watched.index} grew by {_grown(one)} MiB" for one in grown]
        return Use(True, FILES_AND_MEMORY, (why, opened, *told))
    known = [one for one in record.gpus.values() if one.most_mib is not None]
    if known:
        return Use(
            False, FILES_AND_MEMORY, (why, opened, "the memory in use on no GPU grew by as much as a context takes")
        )
    return Use(None, None, (why, opened, "whether it made a context there could not be told"))


def _why_not_nvml(record: Record, around: Circumstances) -> str:
    if around.nvml_absent:
        return "there is no NVML (libnvidia-ml.so.1) here"
    if around.nvml_error:
        return f"NVML cannot be asked: {around.nvml_error}"
    if not record.looks:
        return "the job ended before NVML was asked"
    if not record.gpus:
        return "NVML tells of no GPU"
    if not around.ids_are_ours:
        return "NVML calls processes by other numbers here, as in containers"
    return "NVML does not tell here who computes"


def _loaded(record: Record) -> tuple[str, ...]:
    return (f"it loaded {', '.join(record.loaded)}",) if record.loaded else ()


def _grown(gpu: GpuRecord) -> int:
    return 0 if gpu.most_mib is None or gpu.at_first_mib is None else gpu.most_mib - gpu.at_first_mib


def gpus_of(record: Record, use: Use, seconds: float) -> tuple[GpuUse, ...]:
    """Every GPU, also those that the job left alone: one that nobody uses is worth to know."""
    # Then the job's share of a GPU is known only by the memory of the whole GPU.
    by_files = use.used is True and use.proof == FILES_AND_MEMORY
    return tuple(_gpu_use(one, seconds, by_files=by_files) for _, one in sorted(record.gpus.items()))


def _gpu_use(one: GpuRecord, seconds: float, *, by_files: bool) -> GpuUse:
    mine = by_files and _grown(one) >= _GROWN_MIB
    utilization = one.anyone if mine else one.utilization
    reasons = [name for name, slow in one.reasons.items() if name in _SLOWED_BY and slow > _SLOWED_SHARE * one.held_s]
    return GpuUse(
        index=one.watched.index,
        name=one.watched.name,
        uuid=one.watched.uuid,
        memory_mib=one.watched.memory_mib,
        share=round(min(1.0, one.held_s / seconds), 3) if seconds > 0 else 0.0,
        mean_utilization=_rounded(utilization.value),
        peak_memory_mib=_grown(one) if mine else one.peak_mib,
        others_memory_mib=None if by_files or not one.listed else one.others_mib,
        others=() if by_files else tuple(one.others)[:20],
        throttle_reasons=tuple(reasons),
        clock_share=None if one.clock.value is None else round(one.clock.value, 3),
    )


def totals(gpus: Sequence[GpuUse], use: Use) -> tuple[int | None, float | None]:
    """The most memory of all GPUs together, and the mean utilization of those that were used."""
    if use.used is None:
        return None, None
    if use.used is False:
        return 0, None
    used = [one for one in gpus if one.peak_memory_mib is not None]
    busy = [one.mean_utilization for one in used if one.mean_utilization is not None]
    return sum(one.peak_memory_mib or 0 for one in used), round(sum(busy) / len(busy), 1) if busy else None


def slowed(record: Record, use: Use, around: Circumstances, names: Mapping[int, str]) -> Iterator[Finding]:
    """What kept a job that used the GPU from using it well. `names` are those of processes."""
    if use.used:
        if (cost := record.cost()) and cost.seconds >= _STEADY_S:
            yield from _input_bound(record, cost, around, names)
        for one in record.gpus.values():
            yield from _throttled(one)
    for one in record.gpus.values():
        yield from _held(one, names, wanted=one.first_held_at is not None)


def _input_bound(record: Record, cost: Cost, around: Circumstances, names: Mapping[int, str]) -> Iterator[Finding]:
    """The GPU has little to do while a core, the workers, all cores or a disk have much."""
    used = [one for one in record.gpus.values() if one.first_held_at is not None]
    busy = [one.steady.value for one in used if one.steady.value is not None]
    if not busy or max(busy) >= _STARVED_BELOW:
        return
    by_data = list(_at_their_limit(cost, around, names))
    by_holder = cost.holder_cores >= _FULL or (cost.holder_at_work >= _FULL and cost.holder_cores >= _SHARED)
    if not by_data and not by_holder:
        return
    if _is_full(used) and around.hints.offloads:
        yield _offloaded(used, max(busy), cost, around)
        return
    where = ", ".join(f"GPU {one.watched.index}" for one in used)
    were = "was" if len(used) == 1 else "were"
    evidence = [Evidence(f"{where} {were} busy {max(busy):.0f} % of {cost.seconds:.0f} s", "nvml")]
    if by_holder:
        told = f"{_named(cost.holder, names)} kept {cost.holder_cores:.1f} cores busy"
        if cost.holder_cores < _FULL:
            at_work = f"{cost.holder_at_work * 100:.0f} % of the time"
            told = f"{_named(cost.holder, names)} was at work {at_work}, and got {cost.holder_cores:.1f} of a core"
        evidence.append(Evidence(told, "/proc"))
    evidence += [Evidence(one, "/proc") for one in by_data]
    loaders = [Evidence("a DataLoader without workers", f"{around.script}:{line}") for line in around.hints.loaders[:3]]
    data = bool(by_data or loaders)
    fix = _TO_THE_LOADER if data else _TO_THE_PROCESS
    if around.cpus and around.cpus < 4 * len(used):
        few = "CPU is" if around.cpus == 1 else "CPUs are"
        fix += f"; {around.cpus} {few} few for {len(used)} GPU{'s' * (len(used) > 1)}: ask for more"
    title = f"{where} waits for {'data' if data else 'the processor'}"
    yield kinds.perf.input_bound.found(title, (*evidence, *loaders), Fix(fix))


def _at_their_limit(cost: Cost, around: Circumstances, names: Mapping[int, str]) -> Iterator[str]:
    """What has all it can do besides the process that holds the context."""
    if cost.busiest_other and cost.busiest_other[1] >= _FULL:
        pid, cores = cost.busiest_other
        yield f"{_named(pid, names)}, which it started, kept {cores:.1f} cores busy"
    total = cost.holder_cores + cost.other_cores
    if around.cpus and around.cpus > 1 and total >= _FULL * around.cpus:
        yield f"the job may use {around.cpus} CPUs and kept {total:.1f} of them busy"
    elif around.cpus == 1 and total >= _FULL:
        yield "the job may use one CPU and kept it busy"
    if cost.waits_for_disk >= _WAITING:
        yield f"it waited for a disk or a network file system {cost.waits_for_disk * 100:.0f} % of the time"


def _is_full(used: Sequence[GpuRecord]) -> bool:
    return all(one.watched.memory_mib and (one.most_mib or 0) >= _FULL * one.watched.memory_mib for one in used)


def _offloaded(used: Sequence[GpuRecord], busy: float, cost: Cost, around: Circumstances) -> Finding:
    where = ", ".join(f"GPU {one.watched.index}" for one in used)
    evidence = [
        Evidence(f"GPU {one.watched.index}: {one.most_mib} of {one.watched.memory_mib} MiB are used", "nvml")
        for one in used
    ]
    evidence.append(Evidence(f"{where} busy {busy:.0f} % of {cost.seconds:.0f} s", "nvml"))
    evidence += [
        Evidence("layers that do not fit go to the CPU or to disk", f"{around.script}:{line}")
        for line in around.hints.offloads[:3]
    ]
    fix = Fix(
        "make the model smaller (a 16-bit or quantised type), free the memory that others hold, or take more GPUs; "
        "`print(model.hf_device_map)` shows what lies on the CPU"
    )
    title = "the model does not fit, so a part of it works on the CPU"
    return kinds.perf.offloaded.found(title, tuple(evidence), fix)


def _throttled(one: GpuRecord) -> Iterator[Finding]:
    if not one.held_s:
        return
    for_good = [name for name in _FAULTS if one.reasons.get(name, 0.0) > _SLOWED_SHARE * one.held_s]
    if not for_good:
        return
    index = one.watched.index
    evidence = [
        Evidence(f"GPU {index}: {name} for {100 * one.reasons[name] / one.held_s:.0f} % of the time", "nvml")
        for name in sorted(for_good)
    ]
    if one.clock.value is not None:
        evidence.append(Evidence(f"GPU {index}: its clock was at {one.clock.value * 100:.0f} % of the highest", "nvml"))
    fix = Fix("look after cooling and power: fans, filters, airflow, the power connectors; the rest is in the page")
    yield kinds.perf.throttled.found(f"GPU {index} lowered its clock", tuple(evidence), fix)


def _held(one: GpuRecord, names: Mapping[int, str], *, wanted: bool) -> Iterator[Finding]:
    if not one.watched.memory_mib or one.others_mib < _HELD_BY_OTHERS * one.watched.memory_mib:
        return
    index = one.watched.index
    told = ", ".join(_named(pid, names) for pid in list(one.others)[:5])
    evidence = (Evidence(f"GPU {index}: {one.others_mib} of {one.watched.memory_mib} MiB by {told}", "nvml"),)
    yield kinds.gpu.memory_held.found(
        f"others hold memory of GPU {index}",
        evidence,
        Fix("end them if they are yours, or take another GPU with CUDA_VISIBLE_DEVICES"),
        severity=WARNING if wanted else INFO,
        layer="hardware",
    )


def _named(pid: int | None, names: Mapping[int, str]) -> str:
    if pid is None:
        return "the job"
    return f"process {pid} ({names[pid]})" if pid in names else f"process {pid}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
