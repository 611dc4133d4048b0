"""What a benchmark found: each result with its verdict, and the proof that a GPU did the work."""

from dataclasses import field
from typing import Final, Literal

from cudafit.model.frozen import frozen

SCHEMA = "cudafit.bench/1"

# Verdicts, and the states of a single result.
PASS: Final = "pass"  # noqa: S105 - no password
SLOW: Final = "slow"
WRONG: Final = "wrong"
NOT_VERIFIED: Final = "not-verified"

MEASURED: Final = "measured"  # nothing is known that it could be judged by
SKIPPED: Final = "skipped"
FAILED: Final = "failed"  # the operation raised

RAN: Final = "ran"
NO_GPU: Final = "no GPU"
CUT_OFF: Final = "cut off"
ENDED: Final = "ended"

Verdict = Literal["pass", "slow", "wrong", "not-verified"]
Status = Literal["pass", "slow", "wrong", "measured", "skipped", "failed"]
State = Literal["ran", "failed", "skipped", "no GPU", "cut off", "ended"]
Test = Literal["right", "speed"]  # whether its numbers are judged, or its time


@frozen
class Told:
    """One outcome, as the payload told it."""

    test: str
    dtype: str
    kind: Test
    value: float | None = None
    unit: str | None = None
    max_error: float | None = None
    checked: bool = False  # whether an error was told at all; one that is no number is told as None
    spread: float | None = None
    samples: int | None = None
    size: int | None = None
    seconds: float | None = None
    where: str | None = None
    skipped: str | None = None
    failed: str | None = None


@frozen
class Run:
    """What became of one framework's payload."""

    framework: str
    state: State
    version: str | None = None
    error: str | None = None
    devices: int | None = None  # GPUs that the framework sees
    where: str | None = None  # where its tensors are, by its own words
    import_seconds: float | None = None
    seconds: float | None = None
    told: tuple[Told, ...] = ()


@frozen
class Result:
    """One test of one framework. `expected` is the GPU's peak, and `share` what of it is enough."""

    test: str
    dtype: str
    value: float | None
    unit: str | None
    expected: float | None
    ratio: float | None
    max_error: float | None
    status: Status
    framework: str = ""
    kind: Test = "right"
    share: float | None = None
    bound: float | None = None  # the largest error that is right
    spread: float | None = None  # between the quartiles, in parts of the median
    samples: int | None = None
    size: int | None = None
    seconds: float | None = None
    note: str | None = None


@frozen
class Proof:
    """What was seen from outside of the process that computed. `used_gpu` is None where that could not be seen."""

    used_gpu: bool | None
    proof: str | None  # nvml, device files and memory
    evidence: tuple[str, ...] = ()


@frozen
class Device:
    """What was to do the work, and whether it did."""

    name: str | None
    used_gpu: bool | None
    proof: str | None
    kind: Literal["cuda", "cpu"] = "cuda"
    number: str = ""  # cuda:0
    uuid: str | None = None
    evidence: tuple[str, ...] = ()
    model: str | None = None  # the row of peak figures that it was judged by


@frozen
class Load:
    """What NVML read while the GPU worked: the highest clocks, link and power, and every reason to slow down."""

    readings: int = 0
    clock_mhz: int | None = None
    clock_max_mhz: int | None = None
    power_w: float | None = None
    power_limit_w: float | None = None
    power_limit_default_w: float | None = None
    temperature_c: int | None = None
    throttle_reasons: tuple[str, ...] = ()
    pcie_generation: int | None = None
    pcie_generation_max: int | None = None
    pcie_width: int | None = None
    pcie_width_max: int | None = None
    others: tuple[str, ...] = ()  # other processes that compute on it


@frozen
class Cause:
    """Why something is slow, wrong or not verified, and where that was read."""

    text: str
    via: str


@frozen
class Framework:
    """A framework that was asked."""

    name: str
    version: str | None
    state: str
    error: str | None = None
    devices: int | None = None
    where: str | None = None
    import_seconds: float | None = None
    seconds: float | None = None


@frozen
class Regression:
    """A result that is worse than it was, by more than both vary."""

    framework: str
    test: str
    dtype: str
    before: float
    now: float
    unit: str
    noise: float  # the change that would still have been chance, in parts of what it was


@frozen
class Bench:
    """A run of the benchmark."""

    verdict: Verdict
    device: Device
    results: tuple[Result, ...]
    causes: tuple[Cause, ...] = ()
    frameworks: tuple[Framework, ...] = ()
    load: Load = field(default_factory=Load)
    regressions: tuple[Regression, ...] = ()
    not_used: bool = False  # there is a GPU, and it is known that it was not used
    mode: str = "default"
    environment: str | None = None
    date: str | None = None
    seconds: float | None = None
    driver: str | None = None
    cudafit: str | None = None
    matrix: str | None = None
