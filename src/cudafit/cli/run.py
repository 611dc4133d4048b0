"""`cudafit run`."""
# ruff: noqa: PLC0415

import contextlib
import importlib
import os
import re
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from cudafit.cli.common import common_options, say_lines, use_color
from cudafit.errors import CudafitError, InputError

if TYPE_CHECKING:
    from cudafit.cli.job_causes import Diagnosis
    from cudafit.model.run import RunReport
    from cudafit.watch.hints import Hints
    from cudafit.watch.job import Ending, Job
    from cudafit.watch.observe import Observer

_PROBLEM, _UNKNOWN = 1, 3
_REQUIRE_S = "300"
_PLOTS = (".svg", ".html")

# What the report needs is loaded while the job runs, so that its end need not wait for it.
_LOAD_AFTER_S = 0.5
_FOR_THE_REPORT = ("cudafit.cli.job_causes", "cudafit.watch.report", "cudafit.render.human", "cudafit.render.run_rows")

# A job that has no context by then is looked into while it runs, so that it need not be waited for at the end.
_SUSPECT_AFTER_S = 3.0
_LONGEST_DIAGNOSIS_S = 60.0
_LONGEST_S = 31_536_000.0  # a year
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


class Duration(click.ParamType[float]):
    """`90`, `30s`, `5m`, `1.5h`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", value.strip().lower())
        seconds = float(match[1]) * _SECONDS.get(match[2], 0.0) if match else 0.0
        if not 0 < seconds <= _LONGEST_S:
            self.fail(f"`{value}` is no time: 90, 30s, 5m or 1h; put `--` before the command", param, ctx)
        return seconds


@click.command("run", context_settings={"allow_interspersed_args": False})
@click.argument("command", metavar="-- CMD...", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--require-gpu",
    "require_s",
    is_flag=False,
    flag_value=_REQUIRE_S,
    type=Duration(),
    metavar="[=SECONDS]",
    help=f"End the job with exit code 1 if it has no CUDA context by then ({_REQUIRE_S} s where no time is given).",
)
@click.option("--every", "every_s", type=Duration(), metavar="TIME", help="Report while it runs: each 30s, 5m or 1h.")
@click.option("--attach", "attached", type=click.IntRange(min=1), metavar="PID", help="Watch a job that runs already.")
@click.option("--json-file", metavar="FILE", help="Write the report there, as JSON (schema cudafit.run/1).")
@click.option("--plot", metavar="FILE", help="Draw the use of GPU and CPU over time: a .svg or .html file.")
@common_options
@click.pass_context
def command(context: click.Context, /, **options: Any) -> int:
    """Run a job as it is, and say whether it used the GPU.

    Input, output, signals and the exit code are the job's own; the report goes to stderr, at the end and on SIGUSR1. A
    job that never creates a CUDA context gets the likely causes: doctor for the environment that it runs in, lint for
    its script. With --attach, and with --require-gpu, the exit code is 1 when no GPU was used, 3 when that could not
    be told.
    """
    words: tuple[str, ...] = options["command"]
    _check(words, options)
    from cudafit.watch.job import Job, UnwatchedError

    if options["attached"]:
        job = _attached(options["attached"])
        words = _words(job)
    else:
        try:
            job = Job.start(words, os.environ)
        except OSError as error:
            raise _not_started(words[0], error) from None
        except UnwatchedError as lost:
            _tell(lost.bug)
            return _exit_code(lost.ending, None, options)
    watch = _Watch(context, job, words, options)
    ending = watch.until_its_end()
    used = watch.last_words(ending)
    if ending.by_terminal and ending.signal == "SIGINT":
        from cudafit.watch.job import end_as

        end_as(2)
    return _exit_code(ending, used, options)


def _check(words: tuple[str, ...], options: dict[str, Any]) -> None:
    if not sys.platform.startswith("linux"):
        raise InputError("`cudafit run` watches processes through /proc, which only Linux has")
    if bool(words) == bool(options["attached"]):
        if words:
            raise InputError("`--attach` watches a job that runs already, so there is no command to give")
        raise InputError("no command is named", hint="`cudafit run -- python train.py`")
    if options["attached"] and options["require_s"]:
        raise InputError("`--require-gpu` ends a job, and one that is attached is only watched")
    for name in ("json_file", "plot"):
        if (path := options[name]) and not os.path.isdir(os.path.dirname(os.path.abspath(path))):
            raise InputError(f"`{path}`: there is no such folder")
    if options["plot"] and os.path.splitext(options["plot"])[1].lower() not in _PLOTS:
        raise InputError(f"`--plot {options['plot']}`: the name ends in .svg or .html")


def _not_started(name: str, error: OSError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(f"`{name}`: there is no such command")
    if isinstance(error, PermissionError):
        return InputError(f"`{name}` may not be run: {error.strerror}")
    hint = "a script needs a first line such as `#!/bin/sh`" if error.errno == 8 else None
    return InputError(f"`{name}` could not be started: {error.strerror or error}", hint=hint)


def _attached(pid: int) -> "Job":
    from cudafit.machine.processes import read_process
    from cudafit.watch.job import Job

    process = read_process(pid)
    if process is None or process.ended:
        raise InputError(f"there is no process {pid}")
    return Job.attach(pid, os.environ)


def _words(job: "Job") -> tuple[str, ...]:
    from cudafit.machine.processes import read_command

    found = read_command(job.pid)
    return found.words if found else (f"process {job.pid}",)


class _Watch:
    """One job, from its start to its report."""

    def __init__(self, context: click.Context, job: "Job", words: tuple[str, ...], options: dict[str, Any]) -> None:
        self._context = context
        self._job = job
        self._observer: Observer = job.observer
        self._words = words
        self._options = options
        self._diagnosis: Diagnosis | None = None
        self._ended_at = 0.0
        self._loaded = False
        self._broken = False

    def until_its_end(self) -> "Ending":
        from cudafit.watch.job import Wishes

        every_s, require_s = self._options["every_s"], self._options["require_s"]
        ending = self._job.watch(Wishes(self._so_far, every_s, require_s, self._used, self._on_look, self._broke))
        self._ended_at = time.monotonic()
        return ending

    def last_words(self, ending: "Ending") -> bool | None:
        """Report, and say whether the GPU was used. Whatever goes wrong here is told, and is no fault of the job, whose
        exit code is kept."""
        used = None
        try:
            if self._broken:
                return None  # half a watch proves nothing
            self._observer.last_look(self._ended_at)
            used = self._used()
            report = self.report(ending)
            used = report.used_gpu
            self.show(report)
        except (Exception, KeyboardInterrupt) as error:
            _tell(error)
        finally:
            with contextlib.suppress(Exception):
                self._observer.stop()
        return used

    def report(self, ending: "Ending | None") -> "RunReport":
        """Of the whole job; or of what was seen up to now."""
        from cudafit.cli.job_causes import Causes, Diagnosis, suspect
        from cudafit.system.secrets import redacted_words
        from cudafit.watch.report import Told, report_of

        observer, over = self._observer, ending is not None
        left = tuple(self._job.going_on()) if over else ()
        around = observer.circumstances(goes_on=bool(left) or not over)
        job = suspect(observer.pythons(), self._words)
        causes = Causes()
        used = self._used(around)
        if over and used and job and job.python.script:
            around = replace(around, script=job.python.script, hints=_hints(job.python.script))
        # What goes on, and what was over before it could be seen, has no cause to be found.
        if over and (
            used is False or (used is None and not left and not around.clients and observer.record.process_looks > 1)
        ):
            if self._diagnosis is None or self._diagnosis.job != job:
                self._diagnosis = Diagnosis(job)
            causes = self._diagnosis.result(_LONGEST_DIAGNOSIS_S)
        python = None
        if job is not None:
            python = replace(job.python, environment=causes.environment)
        told = Told(
            redacted_words(self._words),
            self._job.pid,
            (self._ended_at if over else time.monotonic()) - observer.began,
            max(1, observer.tree.count),
            observer.names,
            ending.code if ending else None,
            ending.signal if ending else None,
            ending.cpu_seconds if ending else None,
            ending.ended_by if ending else None,
            left,
            python,
            causes.findings,
            causes.skipped,
            causes.repair,
        )
        return report_of(observer.record, around, told)

    def show(self, report: "RunReport", *, so_far: bool = False) -> None:
        from cudafit.render.human import print_rows
        from cudafit.render.run_rows import run_rows
        from cudafit.system.secrets import redacted_tree

        report = redacted_tree(report)
        rows = run_rows(report, so_far=so_far)
        # That nobody can be told is no fault of the job, whose exit code is kept.
        with contextlib.suppress(OSError, ValueError):
            print_rows("cudafit run", rows, sys.stderr, color=use_color(self._context, sys.stderr))
            sys.stderr.flush()
        for name, write in (("json_file", _write_json), ("plot", _draw)):
            if path := self._options[name]:
                try:
                    write(report, path)
                except OSError as error:
                    _tell(CudafitError(f"cannot write `{path}`: {error.strerror or error}"))

    def _broke(self, error: Exception) -> None:
        self._broken = True
        _tell(error)

    def _so_far(self) -> None:
        try:
            self.show(self.report(None), so_far=True)
        except Exception as error:
            _tell(error)

    def _used(self, around: Any = None) -> bool | None:
        from cudafit.watch.verdict import use_of

        observer = self._observer
        return use_of(observer.record, around or observer.circumstances()).used

    def _on_look(self, elapsed: float) -> None:
        if not self._loaded and elapsed >= _LOAD_AFTER_S:
            self._loaded = True
            for name in _FOR_THE_REPORT:
                importlib.import_module(name)
        if self._diagnosis is None and elapsed >= _SUSPECT_AFTER_S and self._used() is False:
            from cudafit.cli.job_causes import Diagnosis, suspect

            self._diagnosis = Diagnosis(suspect(self._observer.pythons(), self._words))


def _hints(path: str) -> "Hints":
    """Of a script; a notebook's cells say nothing here."""
    from cudafit.lint.check import UnreadableError
    from cudafit.sources import read_source
    from cudafit.watch.hints import Hints, hints_in

    try:
        return hints_in(read_source(path))
    except (OSError, UnreadableError):
        return Hints()


def _write_json(report: "RunReport", path: str) -> None:
    from cudafit.atomic import write_text
    from cudafit.model.record import to_plain
    from cudafit.model.run import SCHEMA
    from cudafit.render.json_text import json_text

    write_text(path, json_text({"schema": SCHEMA, **to_plain(report)}))


def _draw(report: "RunReport", path: str) -> None:
    from cudafit.atomic import write_text
    from cudafit.render.run_plot import html, svg

    write_text(path, svg(report) if path.lower().endswith(".svg") else html(report))


def _tell(error: BaseException) -> None:
    """What went wrong while the job was watched or reported on; never the exit code, and never an error of its own."""
    with contextlib.suppress(Exception):
        if isinstance(error, KeyboardInterrupt):
            error = CudafitError("the report was interrupted")
        elif not isinstance(error, CudafitError):
            from cudafit.cli.bug_report import report

            error = report(error, sys.argv[1:], show=False)
        say_lines(str(error))


def _exit_code(ending: "Ending", used: bool | None, options: dict[str, Any]) -> int:
    """The job's own, unless the job was to use a GPU, or was not ours to start."""
    if ending.ended_by:
        return _PROBLEM
    if ending.code or not (options["attached"] or options["require_s"]):
        return ending.code or 0
    return {True: 0, False: _PROBLEM, None: _UNKNOWN}[used]
