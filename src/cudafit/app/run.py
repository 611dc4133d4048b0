"""A job as it is, watched, and what is told of it."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from cudafit.app.asked import WhichEnvironment
from cudafit.errors import CudafitError, InputError
from cudafit.machine.processes import read_command, read_process
from cudafit.model.frozen import frozen
from cudafit.watch.job import Job, UnwatchedError, Wishes, end_as
from cudafit.watch.verdict import use_of

if TYPE_CHECKING:
    from cudafit.app.run_reading import Reading
    from cudafit.app.run_report import Reporter
    from cudafit.model.run import RunReport
    from cudafit.render.row import Row
    from cudafit.watch.job import Ending
    from cudafit.watch.observe import Observer

Show = Callable[[str, "Sequence[Row]"], None]
Tell = Callable[[str], None]

_PROBLEM, _UNKNOWN = 1, 3
_PLOTS = (".svg", ".html")

_LOAD_AFTER_S = 0.5  # what the report needs

# A job that has no context by then is looked into while it runs, so that it need not be waited for at the end.
_SUSPECT_AFTER_S = 3.0


@frozen
class Request:
    """`words` are the command, or `attached` is the process that runs already. A job that has no CUDA context after
    `require_s` is ended; while it runs there is a report each `every_s`. Where an environment is named, the command
    runs as if that were active. With `explain` its stderr is read on the way."""

    words: tuple[str, ...] = ()
    attached: int | None = None
    require_s: float | None = None
    every_s: float | None = None
    json_file: str | None = None
    plot: str | None = None
    environment: WhichEnvironment = WhichEnvironment()
    explain: bool = False


def run(request: Request, show: Show, tell: Tell) -> int:
    """The exit code. `show` is given the rows of each report, `tell` what goes wrong beside the job."""
    _check(request)
    words = request.words
    reading = None
    if request.attached:
        job = _attached(request.attached)
        words = _words(job)
    else:
        words, environ = _inside(request)
        reading = _reading(tell) if request.explain else None
        try:
            job = Job.start(words, environ, reading.relay.outputs if reading else None)
        except OSError as error:
            if reading:
                reading.relay.not_started()
            raise _not_started(words[0], error) from None
        except UnwatchedError as lost:
            if reading:
                reading.relay.started()
                reading.relay.end()
            _told(tell, lost.bug)
            return _exit_code(lost.ending, None, request)
        if reading:
            reading.relay.started()
    watch = _Watch(job, words, request, show, tell, reading)
    ending = watch.until_its_end()
    used = watch.last_words(ending)
    if ending.by_terminal and ending.signal == "SIGINT":
        end_as(2)
    return _exit_code(ending, used, request)


def _inside(request: Request) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """The command and its variables; raises InputError."""
    if request.environment == WhichEnvironment():
        return request.words, os.environ
    from cudafit.app.activated import activated, command_in  # noqa: PLC0415 - where an environment is named

    environ = activated(request.environment, os.environ)
    return command_in(request.words, environ), environ


def _reading(tell: Tell) -> "Reading | None":
    """What cannot be read is no reason not to run the job."""
    from cudafit.app.run_reading import Reading  # noqa: PLC0415 - with `--explain` alone

    try:
        return Reading()
    except OSError as error:
        _told(tell, CudafitError(f"what the job says cannot be read: {error.strerror or error}"))
        return None


def _refuse_elsewhere() -> None:
    if sys.platform != "linux":
        raise InputError("`cudafit run` watches processes through /proc, which only Linux has")


def _check(request: Request) -> None:
    _refuse_elsewhere()
    words = request.words
    if bool(words) == bool(request.attached):
        if words:
            raise InputError("`--attach` watches a job that runs already, so there is no command to give")
        raise InputError("no command is named", hint="`cudafit run -- python train.py`")
    if request.attached and request.environment != WhichEnvironment():
        raise InputError("`--attach` watches a job that runs in its own environment already")
    if request.attached and request.explain:
        raise InputError("`--attach` watches a job that writes elsewhere already, so `--explain` reads nothing")
    if request.attached and request.require_s:
        raise InputError("`--require-gpu` ends a job, and one that is attached is only watched")
    for path in (request.json_file, request.plot):
        if path and not os.path.isdir(os.path.dirname(os.path.abspath(path))):
            raise InputError(f"`{path}`: there is no such folder")
    if request.plot and os.path.splitext(request.plot)[1].lower() not in _PLOTS:
        raise InputError(f"`--plot {request.plot}`: the name ends in .svg or .html")


def _not_started(name: str, error: OSError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(f"`{name}`: there is no such command")
    if isinstance(error, PermissionError):
        return InputError(f"`{name}` may not be run: {error.strerror}")
    hint = "a script needs a first line such as `#!/bin/sh`" if error.errno == 8 else None
    return InputError(f"`{name}` could not be started: {error.strerror or error}", hint=hint)


def _attached(pid: int) -> Job:
    process = read_process(pid)
    if process is None or process.ended:
        raise InputError(f"there is no process {pid}")
    return Job.attach(pid, os.environ)


def _words(job: Job) -> tuple[str, ...]:
    found = read_command(job.pid)
    return found.words if found else (f"process {job.pid}",)


class _Watch:
    """One job, from its start to its report."""

    def __init__(
        self,
        job: Job,
        words: tuple[str, ...],
        request: Request,
        show: Show,
        tell: Tell,
        reading: "Reading | None" = None,
    ) -> None:
        self._job = job
        self._reading = reading
        self._observer: Observer = job.observer
        self._words = words
        self._request = request
        self._show = show
        self._tell = tell
        self._loaded: Reporter | None = None
        self._ended_at = 0.0
        self._broken = False

    @property
    def _reporter(self) -> "Reporter":
        """Loaded while the job runs, so that its end need not wait for it."""
        if self._loaded is None:
            from cudafit.app.run_report import Reporter  # noqa: PLC0415 - not before the job was started

            self._loaded = Reporter(self._job, self._words)
        return self._loaded

    def until_its_end(self) -> "Ending":
        every_s, require_s = self._request.every_s, self._request.require_s
        ending = self._job.watch(Wishes(self._so_far, every_s, require_s, self._used, self._on_look, self._broke))
        self._ended_at = time.monotonic()
        return ending

    def last_words(self, ending: "Ending") -> bool | None:
        """Report, and say whether the GPU was used. Whatever goes wrong here is told, and is no fault of the job, whose
        exit code is kept."""
        used = None
        try:
            if self._reading:
                self._reading.relay.end()  # all that the job has said stands above what is told of it
            if self._broken:
                return None  # half a watch proves nothing
            self._observer.last_look(self._ended_at)
            used = self._used()
            report = self._reporter.report(ending, self._ended_at, self._reading if ending.code else None)
            used = report.used_gpu
            self._tell_of(report)
        except (Exception, KeyboardInterrupt) as error:
            _told(self._tell, error)
        finally:
            with contextlib.suppress(Exception):
                self._observer.stop()
        return used

    def _tell_of(self, report: "RunReport", *, so_far: bool = False) -> None:
        report, rows = self._reporter.shown(report, so_far=so_far)
        self._show("cudafit run", rows)
        for path, write in (
            (self._request.json_file, self._reporter.write_json),
            (self._request.plot, self._reporter.draw),
        ):
            if path:
                try:
                    write(report, path)
                except OSError as error:
                    _told(self._tell, CudafitError(f"cannot write `{path}`: {error.strerror or error}"))

    def _broke(self, error: Exception) -> None:
        self._broken = True
        _told(self._tell, error)

    def _so_far(self) -> None:
        try:
            self._tell_of(self._reporter.report(None, time.monotonic()), so_far=True)
        except Exception as error:
            _told(self._tell, error)

    def _used(self) -> bool | None:
        return use_of(self._observer.record, self._observer.circumstances()).used

    def _on_look(self, elapsed: float) -> None:
        if elapsed >= _LOAD_AFTER_S and not (self._loaded and self._loaded.diagnosis):
            reporter = self._reporter
            if elapsed >= _SUSPECT_AFTER_S and self._used() is False:
                reporter.look_into()


def _told(tell: Tell, error: BaseException) -> None:
    """What went wrong while the job was watched or reported on; never the exit code, and never an error of its own."""
    with contextlib.suppress(Exception):
        if isinstance(error, KeyboardInterrupt):
            error = CudafitError("the report was interrupted")
        elif not isinstance(error, CudafitError):
            from cudafit.app.bug_report import report  # noqa: PLC0415 - needed only when something is wrong

            error = report(error, sys.argv[1:])
        tell(str(error))


def _exit_code(ending: "Ending", used: bool | None, request: Request) -> int:
    """The job's own, unless the job was to use a GPU, or was not ours to start."""
    if ending.ended_by:
        return _PROBLEM
    if ending.code or not (request.attached or request.require_s):
        return ending.code or 0
    return {True: 0, False: _PROBLEM, None: _UNKNOWN}[used]
