"""`cudafit run`."""

import contextlib
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from cudafit.app.asked import WhichEnvironment
from cudafit.cli.common import common_options, say_lines, use_color
from cudafit.cli.machine_options import environment_options

if TYPE_CHECKING:
    from cudafit.render.row import Row

_REQUIRE_S = "300"
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
@click.argument("words", metavar="-- CMD...", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--require-gpu",
    "require_s",
    is_flag=False,
    flag_value=_REQUIRE_S,
    type=Duration(),
    metavar="[=SECONDS]",
    help=f"End the job with exit code 1 if it has no CUDA context by then ({_REQUIRE_S} s where no time is given).",
)
@click.option("--explain", is_flag=True, help="Read what it writes to stderr, and say what made it fail.")
@click.option("--every", "every_s", type=Duration(), metavar="TIME", help="Report while it runs: each 30s, 5m or 1h.")
@click.option("--attach", "attached", type=click.IntRange(min=1), metavar="PID", help="Watch a job that runs already.")
@click.option("--env", "path", metavar="ENV", help="Run it in this environment: its folder or its interpreter.")
@environment_options
@click.option("--json-file", metavar="FILE", help="Write the report there, as JSON (schema cudafit.run/1).")
@click.option("--plot", metavar="FILE", help="Draw the use of GPU and CPU over time: a .svg or .html file.")
@common_options
@click.pass_context
def command(context: click.Context, /, environment: WhichEnvironment, **request: Any) -> int:
    """Run a job as it is, and say whether it used the GPU.

    Input, output, signals and the exit code are the job's own; the report goes to stderr, at the end and on SIGUSR1. A
    job that never creates a CUDA context gets the likely causes: doctor for the environment that it runs in, lint for
    its script. With --env, --conda or --kernel it runs as if that environment were active: `python` is its Python, and
    VIRTUAL_ENV or CONDA_PREFIX names it. With --explain a job that fails gets the cause that its own words name. With
    --attach, and with --require-gpu, the exit code is 1 when no GPU was used, 3 when that could not be told.
    """
    from cudafit.app.run import Request, run  # noqa: PLC0415

    def show(title: str, rows: "Sequence[Row]") -> None:
        from cudafit.render.human import print_rows  # noqa: PLC0415 - when the job has ended

        # That nobody can be told is no fault of the job, whose exit code is kept.
        with contextlib.suppress(OSError, ValueError):
            print_rows(title, rows, sys.stderr, color=use_color(context, sys.stderr))
            sys.stderr.flush()

    return run(Request(**request, environment=environment), show, say_lines)
