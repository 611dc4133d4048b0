"""Judges what payloads told: right or wrong by the error bounds, fast or slow by the peak figures, used by the proof.

Pure. What cannot be judged is `measured`, and never passes.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Final

from cudafit.bench.causes import causes_of
from cudafit.bench.peaks import Peaks
from cudafit.model.bench import (
    CUT_OFF,
    ENDED,
    FAILED,
    MEASURED,
    NO_GPU,
    NOT_VERIFIED,
    PASS,
    RAN,
    SKIPPED,
    SLOW,
    WRONG,
    Bench,
    Cause,
    Device,
    Framework,
    Load,
    Result,
    Run,
    Status,
    Told,
    Verdict,
)
from cudafit.model.matrix import BenchError, BenchSpeed, Facts

CPU: Final = "cpu"


def judge(device: Device, runs: Sequence[Run], peaks: Peaks, facts: Facts, load: Load) -> Bench:
    """The verdict over all frameworks that ran, with the likely causes."""
    results = tuple(judged(told, run.framework, device, peaks, facts) for run in runs for told in run.told)
    verdict, why = _verdict(device, runs, results)
    causes = (*why, *causes_of(device, results, peaks, load))
    frameworks = tuple(
        Framework(
            run.framework,
            run.version,
            run.state,
            run.error,
            run.devices,
            run.where,
            run.import_seconds,
            run.seconds,
        )
        for run in runs
    )
    blind = device.kind != CPU and any(run.state == NO_GPU for run in runs)
    unused = blind or (device.kind != CPU and device.used_gpu is False)
    return Bench(verdict, device, results, causes, frameworks, load, not_used=unused)


def _verdict(device: Device, runs: Sequence[Run], results: Sequence[Result]) -> tuple[Verdict, tuple[Cause, ...]]:
    broken = tuple(_broken(runs))
    if any(one.status in (WRONG, FAILED) for one in results):
        return WRONG, broken
    ran = [run for run in runs if run.state == RAN]
    why: list[Cause] = list(broken)
    if not runs:
        why.append(Cause("the environment has none of torch, tensorflow, jax, cupy and onnxruntime", "its metadata"))
    unproven = [run.framework for run in ran if not _computed(run.framework, results)]
    if unproven:
        why.append(Cause(f"no product of {', '.join(unproven)} was found right", "the results"))
    if device.kind == CPU:
        return NOT_VERIFIED, (*why, Cause("the CPU computed: it says nothing of a GPU", "--device cpu"))
    if ran and device.used_gpu is not True:
        text = "the GPU was not used" if device.used_gpu is False else "that the GPU was used could not be seen"
        why.append(Cause("; ".join((text, *device.evidence)), device.proof or "NVML"))
    if why or not ran:
        return NOT_VERIFIED, tuple(why)
    if any(one.status == SLOW for one in results):
        return SLOW, ()
    if not any(one.status == PASS and one.ratio is not None for one in results):
        return NOT_VERIFIED, (Cause("the GPU computed right; how fast it should be is not known", "bench.yaml"),)
    return PASS, ()


def _computed(framework: str, results: Sequence[Result]) -> bool:
    return any(
        one.framework == framework and one.test == "matmul" and one.kind == "right" and one.status == PASS
        for one in results
    )


def _broken(runs: Sequence[Run]) -> Iterator[Cause]:
    """Frameworks that gave no whole answer."""
    for run in runs:
        name = f"{run.framework} {run.version}" if run.version else run.framework
        if run.state == NO_GPU:
            yield Cause(f"{name} sees no GPU that it was to use" + (f": {run.error}" if run.error else ""), name)
        elif run.state in (FAILED, CUT_OFF, ENDED):
            yield Cause(f"{name}: {run.error}", "its process")
        elif run.state == SKIPPED:
            yield Cause(f"{name} was not run: {run.error}", "its payload")


def judged(told: Told, framework: str, device: Device, peaks: Peaks, facts: Facts) -> Result:
    """One outcome with its bound, its expectation and its status."""
    error = next((one for one in facts.bench_errors if (one.test, one.dtype) == (told.test, told.dtype)), None)
    speed = next((one for one in facts.bench_speeds if (one.test, one.dtype) == (told.test, told.dtype)), None)
    expected = _expected(speed, peaks) if speed and told.kind == "speed" and device.kind != CPU else None
    ratio = told.value / expected if expected and told.value is not None else None
    status, note = _status(told, device, error, speed, ratio)
    return Result(
        told.test,
        told.dtype,
        told.value,
        told.unit,
        expected,
        None if ratio is None else round(ratio, 4),
        told.max_error,
        status,
        framework=framework,
        kind=told.kind,
        share=float(speed.share) if speed and expected else None,
        bound=float(error.bound) if error and told.checked else None,
        spread=told.spread,
        samples=told.samples,
        size=told.size,
        seconds=told.seconds,
        note=note,
    )


def _status(
    told: Told, device: Device, error: BenchError | None, speed: BenchSpeed | None, ratio: float | None
) -> tuple[Status, str | None]:
    if told.failed:
        return FAILED, told.failed
    if told.skipped:
        return SKIPPED, told.skipped
    if told.where is not None and not _same(told.where, device):
        return WRONG, f"its result is on {told.where}, and {device.number} was to compute it"
    if told.checked and told.max_error is None:
        return WRONG, "a result is not a number"
    if told.checked and error is None:
        return MEASURED, "no bound of the error is known"
    if told.checked and error is not None and told.max_error is not None and not told.max_error <= float(error.bound):
        return WRONG, f"the error is above {error.bound}: {error.reason}"
    if told.kind != "speed":
        return (PASS, None) if told.checked else (MEASURED, "no error was told")
    if told.value is None or not math.isfinite(told.value) or told.value <= 0:
        return WRONG, "no time could be taken"
    if ratio is None or speed is None:
        return MEASURED, None
    if ratio < float(speed.share):
        return SLOW, f"below {speed.share} of the peak: {speed.reason}"
    return PASS, None


def _same(where: str, device: Device) -> bool:
    if device.kind == CPU:
        return where.startswith(CPU)
    return where == device.number


def _expected(speed: BenchSpeed, peaks: Peaks) -> float | None:
    """The peak for this dtype; None where the GPU has no such units."""
    peak = peaks.figure(speed.of)
    if peak is None:
        return None
    major, minor = (int(part) for part in (peaks.capability or "0.0").split("."))
    if speed.test == "matmul":
        if speed.dtype in ("bfloat16", "tf32") and (major < 8 or not peaks.bf16):
            return None
        if speed.dtype == "float8" and (major, minor) < (8, 9):
            return None
    return round(peak * float(speed.times), 1)
