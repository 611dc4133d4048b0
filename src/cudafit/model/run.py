"""What was seen of a job: whether it used the GPU, how much, and what kept it from it."""

from typing import Final, Literal

from cudafit.model.finding import Finding, NotChecked
from cudafit.model.frozen import frozen
from cudafit.model.messages import Explanation

SCHEMA = "cudafit.run/1"

NVML: Final = "nvml"
FILES_AND_MEMORY: Final = "device files and memory"
Proof = Literal["nvml", "device files and memory"]


@frozen
class GpuUse:
    """One GPU during a job. `share` of the time it held a CUDA context there; the memory is what the job held."""

    index: int
    name: str | None
    uuid: str | None
    memory_mib: int | None
    share: float
    mean_utilization: float | None  # in percent, while the job held a context
    peak_memory_mib: int | None
    others_memory_mib: int | None = None  # the most that other processes held
    others: tuple[int, ...] = ()  # those that computed on it besides the job
    throttle_reasons: tuple[str, ...] = ()  # for a good part of the time
    clock_share: float | None = None  # of its highest clock, on average


@frozen
class JobPython:
    """The Python that a job ran, and its code; `script` is None where that is no file."""

    interpreter: str | None
    environment: str | None
    script: str | None
    pid: int | None = None
    module: str | None = None


@frozen
class Moment:
    """A stretch of the job's time: the means of it, and the most memory. By GPU in the order of `gpus`."""

    at: float
    seconds: float
    cores: float | None
    utilization: tuple[float | None, ...] = ()
    memory_mib: tuple[int | None, ...] = ()


@frozen
class RunReport:
    """What `cudafit run` saw. `used_gpu` is None where it could not be told, and `evidence` says why."""

    used_gpu: bool | None
    seconds: float
    samples: int
    peak_memory_mib: int | None
    mean_utilization: float | None
    causes: tuple[str, ...]
    exit_code: int | None
    proof: Proof | None = None
    evidence: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    pid: int | None = None
    signal: str | None = None  # the one that ended the job
    first_context_s: float | None = None  # when the first context was seen, from the start on
    gpus: tuple[GpuUse, ...] = ()
    cpu_seconds: float | None = None
    processes: int = 0  # how many the job had, as far as they were seen
    still_running: tuple[str, ...] = ()  # what goes on after the command has ended
    ended_by: str | None = None  # cudafit ended the job, and why
    python: JobPython | None = None
    findings: tuple[Finding, ...] = ()  # the causes, each with its evidence and fix
    skipped: tuple[NotChecked, ...] = ()
    repair: tuple[str, ...] = ()  # the one command that makes all changes of packages, where there are any
    timeline: tuple[Moment, ...] = ()
    explained: Explanation | None = None  # what a job that failed said, where that was read
    unread: int = 0  # bytes of it that came too fast
