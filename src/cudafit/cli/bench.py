"""`cudafit bench`.

What is imported inside the functions is imported there for speed.
"""
# ruff: noqa: PLC0415

import os
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from cudafit.cli.benching import benched, found_a_problem
from cudafit.cli.common import Seconds, common_options, say, use_color, write
from cudafit.cli.looking import environment_required, given, look, warn_of_unfinished, world
from cudafit.cli.matrix_options import matrix_options
from cudafit.errors import CudafitError, InputError
from cudafit.system.secrets import redacted_tree

if TYPE_CHECKING:
    from cudafit.model.bench import Bench
    from cudafit.model.environment import Environment
    from cudafit.model.finding import Report
    from cudafit.model.machine import Machine

_PROBLEM, _UNKNOWN = 1, 3
_DEVICE = re.compile(r"cpu|cuda:\d{1,3}")


@click.command("bench")
@click.argument("path", metavar="[ENV]", required=False)
@click.option("--conda", metavar="NAME", help="A conda environment by its name.")
@click.option("--kernel", metavar="NAME", help="What the Jupyter kernel of this name runs, with its variables.")
@click.option("--device", default="cuda:0", show_default=True, metavar="cuda:N|cpu", help="What is to compute.")
@click.option(
    "--framework",
    "frameworks",
    type=click.Choice(["torch", "tensorflow", "jax", "cupy", "onnxruntime"]),
    multiple=True,
    help="Only this one of those that are installed; repeatable.",
)
@click.option("--quick", is_flag=True, help="Under 10 seconds: is it right, matmul, copies, a training step.")
@click.option("--full", is_flag=True, help="Some minutes: longer, and with larger matrices.")
@click.option(
    "--timeout",
    type=Seconds(least=1),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="Cut off a framework that says nothing for so long.",
)
@click.option("--save", "save_to", metavar="FILE", help="Write the result to FILE as JSON, for `--baseline`.")
@click.option("--baseline", metavar="FILE", help="Compare with an earlier result: exit 1 where it became worse.")
@click.option("--plot", metavar="FILE", help="Draw measured against expected: FILE.svg, .html or .png.")
@click.option("--history", is_flag=True, help="Show the earlier runs of this environment here, and run nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.bench/1).")
@matrix_options
@common_options
@click.pass_context
def command(context: click.Context, /, **options: Any) -> int:
    """Prove that the GPU does the work, and that it does it right and as fast as it should.

    Runs the frameworks of the active environment, or of ENV, with its own interpreter: their results are compared with
    float64, their speed with what this GPU can do, and NVML tells whether they used it. `--device cpu` does the same on
    the CPU, which verifies nothing of a GPU. Exits with 1 when it is wrong, slow, worse than the baseline or left the
    GPU unused, with 3 when it could not be verified.
    """
    _refuse(options)
    before = _baseline(options["baseline"]) if options["baseline"] else None
    told = given({**options, "machines": (), "gpus": ()})
    warn_of_unfinished(told.path)
    looked = look(told, options["matrices"], options["pinned"])
    environment = environment_required(told, looked, "bench")
    past = _history_file(looked.machine, environment)
    if options["history"]:
        return _history(context, past)
    bench = benched(
        environment,
        looked.machine,
        looked.library.book.facts,
        device=options["device"],
        mode="quick" if options["quick"] else "full" if options["full"] else "default",
        timeout_s=options["timeout"],
        only=options["frameworks"],
    )
    bench = replace(bench, matrix=looked.library.book.version)
    if bench.not_used or any(one.error for one in bench.frameworks):
        from cudafit.doctor.diagnose import diagnose

        bench = _with_diagnosis(bench, diagnose(world(told, looked, environment)))
    if before is not None:
        from cudafit.bench.compare import regressions

        bench = replace(bench, regressions=regressions(bench, before))
    bench = redacted_tree(bench)
    _keep(bench, past, options)
    _print(context, bench, as_json=options["as_json"])
    return exit_code(bench)


def _with_diagnosis(bench: "Bench", report: "Report") -> "Bench":
    """What doctor says of an environment whose framework does not start or leaves the GPU alone."""
    from cudafit.model.bench import Cause

    found = next((one for one in report.findings if one.id == report.cause), None)
    if found is None:
        return bench
    return replace(bench, causes=(*bench.causes, Cause(f"{found.title} ({found.id})", "cudafit doctor")))


def exit_code(bench: "Bench") -> int:
    if found_a_problem(bench):
        return _PROBLEM
    return 0 if bench.verdict == "pass" else _UNKNOWN


def _refuse(options: dict[str, Any]) -> None:
    if not _DEVICE.fullmatch(options["device"]):
        raise InputError(f"`--device {options['device']}`: a device is `cpu`, or `cuda:0` and so on")
    if options["quick"] and options["full"]:
        raise InputError("`--quick` and `--full` are two lengths of a run")
    if options["plot"]:
        kind = os.path.splitext(options["plot"])[1].lower()
        if kind not in (".svg", ".html", ".png"):
            raise InputError(f"`--plot {options['plot']}`: the name ends in .svg, .html or .png")
        if kind == ".png":
            _can_draw_png()


def _can_draw_png() -> None:
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise InputError(
            "a PNG is drawn by matplotlib, which is not installed beside cudafit",
            hint="`pip install 'cudafit[plot]'`, or name a file that ends in .svg or .html",
        )


def _baseline(path: str) -> "Bench":
    from cudafit.bench.history import load

    return load(path)


def _history_file(machine: "Machine", environment: "Environment") -> str:
    import socket

    from cudafit.bench.history import history_file

    named = " ".join(gpu.uuid for gpu in machine.gpus if gpu.uuid) or socket.gethostname()
    return history_file(os.environ, named, os.path.realpath(environment.path))


def _history(context: click.Context, path: str) -> int:
    from cudafit.bench.history import read
    from cudafit.render.bench_rows import history_rows
    from cudafit.render.human import print_rows

    runs = read(path)
    if not runs:
        raise InputError(
            "there is no earlier run of this environment on this machine", hint="`cudafit bench` makes one"
        )
    print_rows("bench --history", history_rows(runs), sys.stdout, color=use_color(context, sys.stdout))
    return 0


def _keep(bench: "Bench", past: str, options: dict[str, Any]) -> None:
    from cudafit.atomic import write_text
    from cudafit.bench.history import add
    from cudafit.model.bench import SCHEMA
    from cudafit.model.record import to_plain
    from cudafit.render.json_text import json_text

    if bench.results:
        try:
            add(past, bench)
        except OSError as error:
            say(f"warning: the run is not kept for --history: {past}: {error.strerror or error}")
    path = options["save_to"]
    try:
        if path:
            write_text(path, json_text({"schema": SCHEMA, **to_plain(bench)}))
            say(f"saved to {path}")
        if path := options["plot"]:
            _plot(bench, path)
            say(f"drawn to {path}")
    except OSError as error:
        raise CudafitError(f"cannot write `{path}`: {error.strerror or error}") from None


def _plot(bench: "Bench", path: str) -> None:
    from cudafit.atomic import write_text
    from cudafit.render.bench_plot import html, svg

    kind = os.path.splitext(path)[1].lower()
    if kind == ".png":
        from cudafit.render.bench_png import draw

        draw(bench, path)
    else:
        write_text(path, svg(bench) if kind == ".svg" else html(bench))


def _print(context: click.Context, bench: "Bench", *, as_json: bool) -> None:
    if as_json:
        from cudafit.model.bench import SCHEMA
        from cudafit.model.record import to_plain
        from cudafit.render.json_text import json_text

        write(json_text({"schema": SCHEMA, **to_plain(bench)}))
        return
    from cudafit.render.bench_rows import bench_rows
    from cudafit.render.human import print_rows

    print_rows("bench", bench_rows(bench), sys.stdout, color=use_color(context, sys.stdout))
