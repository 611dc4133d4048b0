"""Why a job does not use the GPU: doctor for the environment that it runs in, and lint for its code."""

import os
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cudafit.app.asked import WhichEnvironment, WhichFacts, WhichMachine, ask_driver
from cudafit.errors import CudafitError
from cudafit.model.finding import ERROR, WARNING, Finding, NotChecked
from cudafit.model.frozen import frozen
from cudafit.model.run import JobPython
from cudafit.watch.program import code_of, interpreter_of, is_python, source_of

if TYPE_CHECKING:
    from cudafit.doctor.world import World
    from cudafit.watch.observe import Seen

_NO_GPU = "gpu.none"
_NICE = 10


@frozen
class Suspect:
    """A Python of the job, with what its environment and its code are found by."""

    python: JobPython
    folder: str
    variables: Mapping[str, str]
    text: str | None = None  # code that is in no file


@frozen
class Causes:
    """What keeps the job from the GPU, the one that explains most first."""

    findings: tuple[Finding, ...] = ()
    skipped: tuple[NotChecked, ...] = ()
    environment: str | None = None
    repair: tuple[str, ...] = ()  # the one command that makes all changes of packages, where there are any


def suspect(seen: "list[Seen]", command: tuple[str, ...]) -> Suspect | None:
    """Of the Pythons that were seen, the first whose code is at hand, else the first. A job so short that none was seen
    is judged by its command."""
    found = [one for one in (_suspect(item.command.words, item) for item in seen) if one is not None]
    if not found and command and is_python(command[0]):
        found = [one for one in (_suspect(command, None),) if one is not None]
    for one in found:
        if one.python.script or one.text:
            return one
    return found[0] if found else None


def _suspect(words: tuple[str, ...], seen: "Seen | None") -> Suspect | None:
    variables = dict(os.environ)
    folder, program, pid = os.getcwd(), None, None
    if seen is not None:
        program, pid = seen.command.program, seen.pid
        folder = seen.command.folder or folder
        variables = dict(seen.command.variables) if seen.command.variables is not None else variables
    real = os.path.realpath
    interpreter = interpreter_of(words, program, folder, variables, os.path.isfile, real)
    if interpreter is None:
        return None
    code = code_of(words)
    script = source_of(code, folder, variables, os.path.isfile) if code else None
    below = script and real(script).startswith(real(os.getcwd()) + os.sep)
    shown = os.path.relpath(script) if script and below else script
    python = JobPython(interpreter, None, shown, pid, code.module if code else None)
    return Suspect(python, folder, variables, code.text if code else None)


@frozen
class JobWorld:
    """What doctor judges of a job, and what of it could not be looked at."""

    world: "World"
    skipped: tuple[NotChecked, ...] = ()


def world_of(job: Suspect | None) -> JobWorld:
    """Reads files only. Without a Python, the machine alone."""
    from cudafit.app.looking import look, seen_with  # noqa: PLC0415 - all of doctor, only where a cause is looked for
    from cudafit.doctor.world import World  # noqa: PLC0415

    skipped: list[NotChecked] = []
    which = WhichMachine()
    looked = look(which, WhichFacts(), ask_driver(which))
    environment, machine = None, looked.machine
    if job is not None:
        from cudafit.app.environments import environment_of  # noqa: PLC0415 - for a Python alone

        machine = seen_with(machine, job.variables)
        try:
            which_one = WhichEnvironment(path=job.python.interpreter)
            environment = environment_of(which_one, looked, job.variables, job.folder)
        except CudafitError as error:
            skipped.append(NotChecked("environment", str(error).splitlines()[0]))
    return JobWorld(World(machine, environment, looked.library), tuple(skipped))


def causes_of(job: Suspect | None) -> Causes:
    """Doctor for what the job runs in, and lint for its code."""
    from cudafit.doctor.diagnose import diagnose  # noqa: PLC0415 - as above

    around = world_of(job)
    code = []
    if job is not None and (job.python.script or job.text):
        from cudafit.app.code import in_code  # noqa: PLC0415 - for code alone

        paths = (job.python.script,) if job.python.script else ()
        code = in_code(paths, job.text, around.world.environment)
    report = diagnose(around.world, code=code)
    found = tuple(one for one in report.findings if _is_cause(one))
    skipped = [one for one in report.skipped if job is not None or one.check != "environment"]
    environment = around.world.environment
    return Causes(found, (*around.skipped, *skipped), environment.path if environment else None, report.repair)


def _is_cause(one: Finding) -> bool:
    """An error, unless another one explains it; a GPU that is not there; and code that keeps its work on the CPU."""
    if one.explained_by is not None:
        return False
    if one.id.startswith("code."):
        return one.severity in (ERROR, WARNING)
    return one.severity == ERROR or one.id == _NO_GPU


def after_the_job() -> None:
    """This thread, which on Linux has a priority of its own; the job comes first."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(19, os.nice(0) + _NICE))


class Diagnosis:
    """The causes, looked for in the background while the job runs, at a low priority."""

    def __init__(self, job: Suspect | None) -> None:
        self.job = job
        self._causes: Causes | None = None
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def result(self, timeout_s: float) -> Causes:
        self._thread.join(timeout_s)
        if self._failed is not None:
            if isinstance(self._failed, CudafitError):
                return Causes(skipped=(NotChecked("causes", str(self._failed).splitlines()[0]),))
            raise self._failed
        if self._causes is None:
            return Causes(skipped=(NotChecked("causes", f"they were not found within {timeout_s:g} s"),))
        return self._causes

    def _look(self) -> None:
        after_the_job()
        try:
            self._causes = causes_of(self.job)
        except Exception as failed:
            self._failed = failed
