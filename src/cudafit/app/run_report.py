"""What is told of a job: whether it used the GPU, and if not, why."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import cudafit.render.human  # noqa: F401 - loaded now, so that the end of the job need not wait for it
from cudafit.app.job_causes import Causes, Diagnosis, suspect
from cudafit.model.run import SCHEMA, RunReport
from cudafit.render.row import Row
from cudafit.render.run_rows import run_rows
from cudafit.system.secrets import redacted_tree, redacted_words
from cudafit.watch.hints import Hints, hints_in
from cudafit.watch.report import Told, report_of
from cudafit.watch.verdict import use_of

if TYPE_CHECKING:
    from cudafit.app.run_reading import Reading
    from cudafit.watch.job import Ending, Job

_LONGEST_DIAGNOSIS_S = 60.0


class Reporter:
    """Of one job, as far as it was seen."""

    def __init__(self, job: "Job", words: tuple[str, ...]) -> None:
        self._job = job
        self._words = words
        self.diagnosis: Diagnosis | None = None

    def look_into(self) -> None:
        """Look for the causes now, in the background."""
        self.diagnosis = Diagnosis(suspect(self._job.observer.pythons(), self._words))

    def report(self, ending: "Ending | None", at: float, reading: "Reading | None" = None) -> RunReport:
        """Of the whole job, which ended `at` this time, or of what was seen up to now; `reading` of one that failed."""
        observer, over = self._job.observer, ending is not None
        left = tuple(self._job.going_on()) if over else ()
        around = observer.circumstances(goes_on=bool(left) or not over)
        job = suspect(observer.pythons(), self._words)
        causes = Causes()
        used = use_of(observer.record, around).used
        if over and used and job and job.python.script:
            around = replace(around, script=job.python.script, hints=_hints(job.python.script))
        # What goes on, and what was over before it could be seen, has no cause to be found.
        if over and (
            used is False or (used is None and not left and not around.clients and observer.record.process_looks > 1)
        ):
            if self.diagnosis is None or self.diagnosis.job != job:
                self.diagnosis = Diagnosis(job)
            causes = self.diagnosis.result(_LONGEST_DIAGNOSIS_S)
        explained = reading.explanation(job) if reading else None
        told = Told(
            redacted_words(self._words),
            self._job.pid,
            at - observer.began,
            max(1, observer.tree.count),
            observer.names,
            ending.code if ending else None,
            ending.signal if ending else None,
            ending.cpu_seconds if ending else None,
            ending.ended_by if ending else None,
            left,
            replace(job.python, environment=causes.environment) if job else None,
            causes.findings,
            causes.skipped,
            causes.repair,
            explained,
            reading.relay.lost if reading else 0,
        )
        return report_of(observer.record, around, told)

    @staticmethod
    def shown(report: RunReport, *, so_far: bool) -> tuple[RunReport, Sequence[Row]]:
        """Without secrets, and as rows."""
        report = redacted_tree(report)
        return report, run_rows(report, so_far=so_far)

    @staticmethod
    def write_json(report: RunReport, path: str) -> None:
        from cudafit.atomic import write_text  # noqa: PLC0415 - where a file is wanted
        from cudafit.render.json_text import record_text  # noqa: PLC0415

        write_text(path, record_text(SCHEMA, report))

    @staticmethod
    def draw(report: RunReport, path: str) -> None:
        from cudafit.atomic import write_text  # noqa: PLC0415 - where a picture is wanted
        from cudafit.render.run_plot import html, svg  # noqa: PLC0415

        write_text(path, svg(report) if path.lower().endswith(".svg") else html(report))


def _hints(path: str) -> Hints:
    """Of a script; a notebook's cells say nothing here."""
    from cudafit.lint.check import UnreadableError  # noqa: PLC0415 - where there is a script
    from cudafit.sources import read_source  # noqa: PLC0415

    try:
        return hints_in(read_source(path))
    except (OSError, UnreadableError):
        return Hints()
