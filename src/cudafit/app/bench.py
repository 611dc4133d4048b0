"""Whether the GPU does the work, and does it right and as fast as it should."""

import os
import re
import socket
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from cudafit.app.asked import WhichEnvironment, WhichFacts, WhichMachine
from cudafit.app.benching import benched, found_a_problem
from cudafit.app.environments import environment_required, world
from cudafit.app.looking import Looked, look
from cudafit.app.result import Result
from cudafit.app.unfinished import warn_of_unfinished
from cudafit.atomic import write_text
from cudafit.bench.compare import regressions
from cudafit.bench.history import add, history_file, load, read
from cudafit.doctor.diagnose import diagnose
from cudafit.errors import CudafitError, InputError
from cudafit.model.bench import SCHEMA, Bench, Cause
from cudafit.model.environment import Environment
from cudafit.model.frozen import frozen
from cudafit.render.bench_plot import html, svg
from cudafit.render.bench_rows import bench_rows, history_rows
from cudafit.render.json_text import record_text
from cudafit.system.secrets import redacted_tree

if TYPE_CHECKING:
    from cudafit.machine.question import Question
    from cudafit.model.finding import Report
    from cudafit.model.machine import Machine

_PROBLEM, _UNKNOWN = 1, 3
_DEVICE = re.compile(r"cpu|cuda:\d{1,3}")
Say = Callable[[str], None]


@frozen
class Request:
    """`frameworks` are those to run of what is installed; `save_to` and `plot` are files to write."""

    facts: WhichFacts
    environment: WhichEnvironment
    device: str = "cuda:0"
    frameworks: tuple[str, ...] = ()
    quick: bool = False
    full: bool = False
    timeout_s: float = 120.0
    save_to: str | None = None
    baseline: str | None = None
    plot: str | None = None


def bench(request: Request, question: "Question | None", say: Say) -> Result:
    """Runs the frameworks, judges and keeps what came of it."""
    _refuse(request)
    before = load(request.baseline) if request.baseline else None
    looked, environment = _looked(request, question, say)
    facts = looked.library.book.facts
    ran = benched(
        environment,
        looked.machine,
        facts,
        device=request.device,
        mode="quick" if request.quick else "full" if request.full else "default",
        timeout_s=request.timeout_s,
        say=say,
        only=request.frameworks,
    )
    ran = replace(ran, matrix=looked.library.book.version)
    if ran.not_used or any(one.error for one in ran.frameworks):
        ran = _with_diagnosis(ran, diagnose(world(looked, environment)))
    if before is not None:
        ran = replace(ran, regressions=regressions(ran, before))
    ran = redacted_tree(ran)
    _keep(ran, _history_file(looked.machine, environment), request, say)
    return Result(SCHEMA, ran, "bench", lambda: bench_rows(ran), exit_code(ran), facts=looked.library.book.told)


def earlier_runs(request: Request, question: "Question | None", say: Say) -> Result:
    """Of this environment on this machine; nothing is run."""
    _refuse(request)
    looked, environment = _looked(request, question, say)
    runs = read(_history_file(looked.machine, environment))
    if not runs:
        raise InputError(
            "there is no earlier run of this environment on this machine", hint="`cudafit bench` makes one"
        )
    return Result(SCHEMA, runs, "bench --history", lambda: history_rows(runs))


def exit_code(ran: Bench) -> int:
    if found_a_problem(ran):
        return _PROBLEM
    return 0 if ran.verdict == "pass" else _UNKNOWN


def _looked(request: Request, question: "Question | None", say: Say) -> tuple[Looked, Environment]:
    warn_of_unfinished(request.environment.path, say)
    looked = look(WhichMachine(), request.facts, question)
    return looked, environment_required(request.environment, looked, "bench")


def _with_diagnosis(bench: Bench, report: "Report") -> Bench:
    """What doctor says of an environment whose framework does not start or leaves the GPU alone."""

    found = next((one for one in report.findings if one.id == report.cause), None)
    if found is None:
        return bench
    return replace(bench, causes=(*bench.causes, Cause(f"{found.title} ({found.id})", "cudafit doctor")))


def _refuse(request: Request) -> None:
    if not _DEVICE.fullmatch(request.device):
        raise InputError(f"`--device {request.device}`: a device is `cpu`, or `cuda:0` and so on")
    if request.quick and request.full:
        raise InputError("`--quick` and `--full` are two lengths of a run")
    if request.plot:
        kind = os.path.splitext(request.plot)[1].lower()
        if kind not in (".svg", ".html", ".png"):
            raise InputError(f"`--plot {request.plot}`: the name ends in .svg, .html or .png")
        if kind == ".png":
            _can_draw_png()


def _can_draw_png() -> None:
    if find_spec("matplotlib") is None:
        raise InputError(
            "a PNG is drawn by matplotlib, which is not installed beside cudafit",
            hint="`pip install 'cudafit[plot]'`, or name a file that ends in .svg or .html",
        )


def _history_file(machine: "Machine", environment: Environment) -> str:
    named = " ".join(gpu.uuid for gpu in machine.gpus if gpu.uuid) or socket.gethostname()
    return history_file(os.environ, named, os.path.realpath(environment.path))


def _keep(bench: Bench, past: str, request: Request, say: Say) -> None:
    if bench.results:
        try:
            add(past, bench)
        except OSError as error:
            say(f"warning: the run is not kept for --history: {past}: {error.strerror or error}")
    try:
        if path := request.save_to:
            write_text(path, record_text(SCHEMA, bench))
            say(f"saved to {path}")
        if path := request.plot:
            _plot(bench, path)
            say(f"drawn to {path}")
    except OSError as error:
        raise CudafitError(f"cannot write `{path}`: {error.strerror or error}") from None


def _plot(bench: Bench, path: str) -> None:
    kind = os.path.splitext(path)[1].lower()
    if kind == ".png":
        from cudafit.render.bench_png import draw  # noqa: PLC0415 - matplotlib, for a PNG alone

        draw(bench, path)
    else:
        write_text(path, svg(bench) if kind == ".svg" else html(bench))
