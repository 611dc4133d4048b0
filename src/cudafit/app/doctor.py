"""Why the GPU is not used: what was found on the machine, in the environment and in the project."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cudafit.app.asked import WhichEnvironment, WhichFacts, WhichMachine
from cudafit.app.environments import described_environment, environment_at, located_for, world
from cudafit.app.looking import Looked, look
from cudafit.app.result import Result
from cudafit.app.unfinished import warn_of_unfinished
from cudafit.doctor.diagnose import diagnose
from cudafit.doctor.registry import every_kind
from cudafit.doctor.world import World
from cudafit.errors import CudafitError, InputError
from cudafit.model.environment import SYSTEM, Environment
from cudafit.model.finding import SCHEMA, Report, is_called, is_wanted
from cudafit.model.frameworks import LEADING
from cudafit.model.frozen import frozen
from cudafit.model.kinds import IN_CODE
from cudafit.model.located import Located
from cudafit.system.secrets import redacted_tree

if TYPE_CHECKING:
    from cudafit.machine.question import Question
    from cudafit.model.project import Project
    from cudafit.render.row import Row

_PROBLEM, _UNKNOWN = 1, 3


@frozen
class Request:
    """With `dockerfiles` or `composes` these are looked at, and no Python environment. `sources` is training code.
    With `deep` the frameworks are run."""

    machine: WhichMachine
    facts: WhichFacts
    environment: WhichEnvironment
    deep: bool = False
    timeout_s: float = 120.0
    dockerfiles: tuple[str, ...] = ()
    composes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    html: str | None = None  # a page to write
    log: str | None = None  # evidence; `-` is stdin


def doctor(request: Request, question: "Question | None", say: Callable[[str], None]) -> Result:
    """`record` of the result is a `Report`."""
    _refuse_unknown(request)
    looked = look(request.machine, request.facts, question)
    report: Report = redacted_tree(_report(request, looked, say))
    if request.html:
        _write_page(request.html, report)
    code = {"error": _PROBLEM, "unknown": _UNKNOWN}.get(report.status, 0)
    return Result(SCHEMA, report, "doctor", lambda: _rows(report), code, facts=looked.library.book.told)


def _write_page(path: str, report: Report) -> None:
    from cudafit import __version__  # noqa: PLC0415 - where a page is written
    from cudafit.atomic import write_text  # noqa: PLC0415
    from cudafit.render.doctor_html import page  # noqa: PLC0415

    try:
        write_text(path, page(report, __version__))
    except OSError as error:
        raise CudafitError(f"cannot write `{path}`: {error.strerror or error}") from None


def _rows(report: Report) -> "Sequence[Row]":
    from cudafit.render.doctor_rows import report_rows  # noqa: PLC0415 - not for JSON

    return report_rows(report)


def can_be_told(word: str, *, in_code: bool = False) -> bool:
    """Whether a finding of doctor's is called so, or begins with it."""
    known = {kind.id for kind in every_kind()} | (IN_CODE.keys() if in_code else set())
    return any(is_called(name, (word,)) for name in known)


def _refuse_unknown(request: Request) -> None:
    for word in (*request.select, *request.ignore):
        if not can_be_told(word, in_code=bool(request.sources)):
            raise InputError(f"no finding is called `{word}`", hint="`cudafit doctor --list-checks` names them")


def _report(request: Request, looked: Looked, say: Callable[[str], None]) -> Report:
    if request.dockerfiles or request.composes:
        files = World(looked.machine, None, looked.library, _container_files(request))
        return diagnose(files, select=request.select, ignore=request.ignore)
    if looked.files.whole:
        warn_of_unfinished(request.environment.path, say)
    found, environ = located_for(request.environment, looked)
    environment = environment_at(found, looked, environ) if isinstance(found, Located) else None
    if environment and environment.kind == SYSTEM and looked.files.whole and not request.environment.path:
        warn_of_unfinished(environment.interpreter or environment.path, say)
    if request.deep:
        environment = _run(request, environment)
    code = []
    if request.sources:
        from cudafit.app.code import in_code  # noqa: PLC0415 - where code is read

        code = in_code(request.sources, environment=environment)
    report = diagnose(
        world(looked, environment),
        select=request.select,
        ignore=request.ignore,
        described=described_environment(environment) if environment else None,
        which=found.which,
        code=code,
    )
    return report if request.log is None else _with_log(request, request.log, report, inside=environment is not None)


def _with_log(request: Request, log: str, report: Report, *, inside: bool) -> Report:
    """What the log says is evidence, and is no more than that."""
    from cudafit.app.texts import beside_report, book, read_log  # noqa: PLC0415 - with `--log` alone
    from cudafit.doctor.logged import with_log  # noqa: PLC0415

    def wanted(name: str) -> bool:
        return is_wanted(name, request.select, request.ignore)

    known = book()
    said = beside_report(read_log(known, log), known, report, inside=inside, was_asked=wanted)
    return with_log(report, said, "stdin" if log == "-" else log, wanted)


def _run(request: Request, environment: Environment | None) -> Environment:
    """Asks the frameworks that are there; raises InputError where none can be asked."""
    from cudafit.app.said import explained  # noqa: PLC0415 - with `--deep` alone
    from cudafit.env.deep import ask_frameworks  # noqa: PLC0415

    if environment is None or environment.interpreter is None:
        raise InputError("`--deep` runs the environment's interpreter, and there is none")
    if request.machine.machines or request.machine.root:
        raise InputError("`--deep` runs programs here, so `--machine` and `--root` have no meaning")
    variables = {**os.environ, **(environment.kernel.variables if environment.kernel else {})}
    names = [one.name for one in LEADING if environment.has(one)]
    ran = ask_frameworks(environment.interpreter, names, variables, request.timeout_s)
    return replace(environment, ran=explained(ran))


def _container_files(request: Request) -> "Project":
    """What is given is read alone: a container brings its own Python."""
    from cudafit.model.container_files import ContainerFiles  # noqa: PLC0415 - for containers alone
    from cudafit.model.project import Project  # noqa: PLC0415
    from cudafit.project.compose import read_compose  # noqa: PLC0415
    from cudafit.project.dockerfile import read_dockerfile  # noqa: PLC0415
    from cudafit.project.dockerfile_lists import with_lists  # noqa: PLC0415

    if request.environment != WhichEnvironment() or request.deep or request.sources or request.log:
        raise InputError(
            "`--dockerfile` and `--compose` look at no Python environment",
            hint="leave `--env`, `--conda`, `--kernel`, `--deep`, `--code` and `--log` out",
        )
    dockerfiles = tuple(
        with_lists(read_dockerfile(path, named=True), os.path.dirname(path))
        for path in map(os.path.normpath, request.dockerfiles)
    )
    services = read_compose([os.path.normpath(path) for path in request.composes], os.environ)
    return Project(containers=ContainerFiles((*request.dockerfiles, *request.composes), dockerfiles, services))
