"""The report of a job, from its record. Pure."""

from collections.abc import Mapping

from cudafit.model.finding import Finding, NotChecked
from cudafit.model.frozen import frozen
from cudafit.model.messages import Explanation
from cudafit.model.run import JobPython, RunReport
from cudafit.watch.record import Record
from cudafit.watch.verdict import Circumstances, gpus_of, slowed, totals, use_of


@frozen
class Told:
    """What is known of a job besides the looks at it."""

    command: tuple[str, ...]
    pid: int
    seconds: float
    processes: int
    names: Mapping[int, str]
    exit_code: int | None = None
    signal: str | None = None
    cpu_seconds: float | None = None
    ended_by: str | None = None
    still_running: tuple[str, ...] = ()
    python: JobPython | None = None
    causes: tuple[Finding, ...] = ()
    skipped: tuple[NotChecked, ...] = ()
    repair: tuple[str, ...] = ()
    explained: Explanation | None = None
    unread: int = 0


def report_of(record: Record, around: Circumstances, told: Told) -> RunReport:
    use = use_of(record, around)
    gpus = gpus_of(record, use, told.seconds)
    peak, busy = totals(gpus, use)
    findings = (*(told.causes if use.used is not True else ()), *slowed(record, use, around, told.names))
    first = record.first_held_at
    return RunReport(
        used_gpu=use.used,
        seconds=round(told.seconds, 2),
        samples=record.looks or record.process_looks,
        peak_memory_mib=peak,
        mean_utilization=busy,
        causes=tuple(dict.fromkeys(one.id for one in findings)),
        exit_code=told.exit_code,
        proof=use.proof,
        evidence=use.evidence,
        command=told.command,
        pid=told.pid,
        signal=told.signal,
        first_context_s=None if first is None else round(max(0.0, first - record.began), 2),
        gpus=gpus,
        cpu_seconds=round(record.cpu_seconds if told.cpu_seconds is None else told.cpu_seconds, 2),
        processes=told.processes,
        still_running=told.still_running,
        ended_by=told.ended_by,
        python=told.python,
        findings=findings,
        skipped=told.skipped,
        repair=told.repair,
        explained=told.explained,
        unread=told.unread,
        timeline=record.timeline(),
    )
