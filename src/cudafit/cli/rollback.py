"""`cudafit rollback`."""

import click

from cudafit.app.asked import WhichEnvironment
from cudafit.cli.common import Terminal, common_options, emit
from cudafit.cli.machine_options import system_option
from cudafit.errors import InputError
from cudafit.system.interrupts import stoppable


@click.command("rollback")
@click.argument("path", metavar="[ENV]", required=False)
@click.option("--conda", metavar="NAME", help="A conda environment, by its name or its folder.")
@click.option("--kernel", metavar="NAME", help="The environment that the Jupyter kernel of this name runs in.")
@system_option
@click.option("--list", "listed", is_flag=True, help="List what can be brought back, with its disk use.")
@click.option("--to", "generation", metavar="ID", help="Bring back this one; by default the newest.")
@click.option("--clear", "cleared", is_flag=True, help="Remove all that is kept, and free the disk that it takes.")
@click.option("-y", "--yes", "sure", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.rollback/1).")
@common_options
@click.pass_context
def command(
    context: click.Context,
    path: str | None,
    conda: str | None,
    kernel: str | None,
    system: bool,
    listed: bool,
    cleared: bool,
    generation: str | None,
    sure: bool,
    as_json: bool,
) -> int:
    """Bring back what an environment was before a repair: the same files, bytes and modes.

    Needs no network: the files were kept beside the environment. Also ends a change that was interrupted. What is
    replaced is kept in turn, so that a rollback can be undone.
    """
    context.with_resource(stoppable())
    from cudafit.app.rollback import Request, clear, kept, rollback  # noqa: PLC0415

    if cleared and (listed or generation):
        raise InputError("`--clear` removes what is kept, and `--list` and `--to` are about it")
    request = Request(WhichEnvironment(path, conda, kernel, system), generation)
    talk = Terminal(context, sure=sure)
    result = kept(request) if listed else clear(request, talk) if cleared else rollback(request, talk)
    return emit(context, result, as_json=as_json)
