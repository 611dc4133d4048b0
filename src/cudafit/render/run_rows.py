"""What was seen of a job, as rows for people."""

from collections.abc import Iterator

from cudafit.model.run import GpuUse, RunReport
from cudafit.render.counts import counted
from cudafit.render.doctor_rows import finding_rows, repair_rows
from cudafit.render.explain_rows import explanation_rows
from cudafit.render.row import Row
from cudafit.render.sizes import size_text
from cudafit.system.commands import command_text, joined

_MIB = 1 << 20
_LONGEST = 100


def run_rows(report: RunReport, *, so_far: bool = False) -> list[Row]:
    """The verdict first, since there may be a screen of causes below it. `so_far`: the job still runs."""
    rows = [verdict_row(report, so_far=so_far)]
    rows += [_gpu_row(one, report) for one in report.gpus]
    rows.append(Row("job", _job_text(report), "", "plain"))
    if report.python and report.used_gpu is not True and not so_far:
        rows.append(Row("python", _python_text(report), "/proc"))
    if so_far:
        return rows
    if report.ended_by:
        rows.append(Row("ended", f"by cudafit: {report.ended_by}", "", "bad"))
    rows += _still_running(report)
    rows += _explained_rows(report)
    root = report.explained.root if report.explained else None
    for place, one in enumerate(report.findings):
        if one.id != root:
            first = place == 0 and report.used_gpu is not True and root is None
            rows += finding_rows("cause" if first else "found", one)
    if report.repair:
        rows += repair_rows(report.repair)
    if report.used_gpu is False and not report.findings and not report.still_running and root is None:
        rows.append(Row("cause", _no_cause(report), "", "warn"))
    if report.used_gpu is not True:
        rows += [Row("not checked", f"{one.check}: {one.reason}", "", "quiet") for one in report.skipped]
    return rows


def _explained_rows(report: RunReport) -> Iterator[Row]:
    """What made it fail, by its own words."""
    if report.explained is not None:
        yield from explanation_rows(report.explained, "what the job wrote to stderr")
    if report.unread:
        yield Row("not read", f"{size_text(report.unread)} of stderr, which came too fast", "", "warn")


def verdict_row(report: RunReport, *, so_far: bool = False) -> Row:
    looks = counted(report.samples, "look")
    if report.used_gpu is None:
        return Row(
            "verdict", f"whether the job used a GPU could not be told: {'; '.join(report.evidence)}", looks, "warn"
        )
    if report.used_gpu:
        used = [one for one in report.gpus if one.peak_memory_mib is not None]
        names = ", ".join(f"GPU {one.index}" for one in used) or "a GPU"
        return Row("verdict", f"your job {'uses' if so_far else 'used'} {names}", report.proof or "", "good")
    told = "has not created a CUDA context yet" if so_far else "never created a CUDA context"
    return Row("verdict", f"your job {told}: {'; '.join(report.evidence)}", report.proof or looks, "bad")


def _gpu_row(one: GpuUse, report: RunReport) -> Row:
    name = one.name or "a GPU without a name"
    parts = []
    if one.peak_memory_mib is None:
        parts.append("not used by the job")
    elif report.proof == "nvml":
        parts.append(f"used for {one.share * 100:.0f} % of the time")
    else:
        parts.append("used")
    if one.mean_utilization is not None:
        parts.append(f"busy {one.mean_utilization:.0f} % on average")
    if one.peak_memory_mib is not None:
        parts.append(f"peak {size_text(one.peak_memory_mib * _MIB)}")
    if one.others_memory_mib:
        parts.append(f"others hold {size_text(one.others_memory_mib * _MIB)}")
    if one.throttle_reasons:
        parts.append(f"slowed down by {', '.join(one.throttle_reasons)}")
    tone = "plain" if one.peak_memory_mib is None else "good"
    return Row(f"GPU {one.index}", f"{name}: {', '.join(parts)}", "nvml", tone)


def _job_text(report: RunReport) -> str:
    command = joined(report.command)
    shown = command if len(command) <= _LONGEST else command[: _LONGEST - 1] + "…"
    parts = [seconds_text(report.seconds)]
    if report.cpu_seconds is not None and report.seconds:
        parts.append(f"{report.cpu_seconds / report.seconds:.1f} cores busy")
    if report.processes > 1:
        parts.append(f"{report.processes} processes")
    if report.signal:
        parts.append(f"ended by {report.signal}")
    elif report.exit_code:
        parts.append(f"exit code {report.exit_code}")
    return f"{shown} · {', '.join(parts)}"


def _python_text(report: RunReport) -> str:
    python = report.python
    assert python is not None  # noqa: S101 - asked by the caller
    code = python.script or (f"-m {python.module}" if python.module else "")
    return " ".join(one for one in (python.interpreter, code) if one)


def _still_running(report: RunReport) -> Iterator[Row]:
    if report.still_running:
        told = ", ".join(report.still_running[:5])
        first = report.still_running[0].split()[0]
        attach = command_text("cudafit", "run", "--attach", first)
        yield Row("goes on", f"process {told}: `{attach}` watches it", "/proc", "warn")


def _no_cause(report: RunReport) -> str:
    if report.python is None:
        return "none was found on this machine, and no Python was seen in the job"
    if report.python.script is None:
        return "none was found in the installation, and the job's code was not at hand"
    return "none was found, neither in the installation nor in the code: does it compute with a framework at all?"


def seconds_text(seconds: float) -> str:
    """`4.2 s`, `3 min 12 s`, `5 h 10 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"
