"""`cudafit bench`."""

from typing import Any

import click

from cudafit.app.asked import WhichEnvironment, WhichFacts, WhichMachine
from cudafit.cli.common import Seconds, common_options, emit, say
from cudafit.cli.machine_options import ask, environment_options, matrix_options
from cudafit.model.frameworks import FRAMEWORKS
from cudafit.system.interrupts import stoppable


@click.command("bench")
@click.argument("path", metavar="[ENV]", required=False)
@environment_options
@click.option("--device", default="cuda:0", show_default=True, metavar="cuda:N|cpu", help="What is to compute.")
@click.option(
    "--framework",
    "frameworks",
    type=click.Choice([one.name for one in FRAMEWORKS]),
    multiple=True,
    help="Only this one of those that are installed; repeatable.",
)
@click.option("--quick", is_flag=True, help="Under 10 seconds: is it right, matmul, copies, a training step.")
@click.option("--full", is_flag=True, help="Some minutes: longer, and with larger matrices.")
@click.option(
    "--timeout",
    "timeout_s",
    type=Seconds(least=1),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help="Stop a framework that says nothing for this long.",
)
@click.option("--save", "save_to", metavar="FILE", help="Write the result to FILE as JSON, for `--baseline`.")
@click.option("--baseline", metavar="FILE", help="Compare with an earlier result: exit 1 where it became worse.")
@click.option("--plot", metavar="FILE", help="Draw measured against expected: FILE.svg, .html or .png.")
@click.option("--history", is_flag=True, help="Show the earlier runs of this environment here, and run nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.bench/1).")
@matrix_options
@common_options
@click.pass_context
def command(
    context: click.Context,
    /,
    facts: WhichFacts,
    environment: WhichEnvironment,
    as_json: bool,
    history: bool,
    **others: Any,
) -> int:
    """Prove that the GPU does the work, and that it does it right and as fast as it should.

    Runs the frameworks of the active environment, or of ENV, with its own interpreter: their results are compared with
    float64, their speed with what this GPU can do, and NVML tells whether they used it. `--device cpu` does the same on
    the CPU, which verifies nothing of a GPU. Exits with 1 when it is wrong, slow, worse than the baseline or left the
    GPU unused, with 3 when it could not be verified.
    """
    context.with_resource(stoppable())
    question = ask(context, WhichMachine())
    from cudafit.app.bench import Request, bench, earlier_runs  # noqa: PLC0415 - while NVML answers

    verb = earlier_runs if history else bench
    result = verb(Request(facts, environment, **others), question, say)
    return emit(context, result, as_json=as_json and not history)
