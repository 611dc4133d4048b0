"""`cudafit inspect`."""

import click

from cudafit.app.asked import WhichMachine
from cudafit.cli.common import Seconds, Terminal, common_options, emit
from cudafit.cli.machine_options import ask


@click.command("inspect")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.machine/1).")
@click.option("--save", "save_to", metavar="FILE", help="Write the snapshot to FILE, for `--machine`.")
@click.option("--machine", "machines", metavar="FILE", multiple=True, help="Show a saved snapshot; `-` is stdin.")
@click.option("--root", metavar="DIR", help="Look at the file system below DIR: files only, no program is run.")
@click.option("--deep", is_flag=True, help="Also run `nvcc --version` of each toolkit in a folder of the system.")
@click.option(
    "--timeout",
    "timeout_s",
    type=Seconds(above=0),
    default=8.0,
    show_default=True,
    metavar="SECONDS",
    help="Give up on a driver call that does not answer for this long.",
)
@common_options
@click.pass_context
def command(
    context: click.Context,
    as_json: bool,
    save_to: str | None,
    machines: tuple[str, ...],
    root: str | None,
    deep: bool,
    timeout_s: float,
) -> int:
    """Show this machine: GPUs, driver, CUDA limit, toolkits, container or WSL, Pythons.

    Every value comes with where it was read. What could not be read is named under `problem`, never left out.
    Exits with 3 when a driver is there but could not name its GPUs.
    """
    question = ask(context, WhichMachine(machines, root=root), timeout_s)
    from cudafit.app.inspect import Request, inspect  # noqa: PLC0415 - while NVML answers

    request = Request(machines, root, deep, timeout_s, save_to)
    return emit(context, inspect(request, question, Terminal(context)), as_json=as_json)
