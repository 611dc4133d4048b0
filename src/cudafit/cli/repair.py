"""`cudafit repair`."""

from typing import Any

import click

from cudafit.app.asked import WhichEnvironment, WhichFacts, WhichMachine
from cudafit.app.configured import settled
from cudafit.cli.common import Seconds, Terminal, common_options, emit, write_line
from cudafit.cli.machine_options import ask, matrix_options, one_machine_options
from cudafit.system.interrupts import stoppable


@click.command("repair")
@click.argument("path", metavar="[ENV]", required=False)
@click.option("--kernel", metavar="NAME", help="Let the Jupyter kernel of this name start the environment's Python.")
@click.option("--conda", metavar="NAME", help="A conda environment, by its name or its folder.")
@click.option(
    "--system",
    is_flag=True,
    help="A Python that is in no environment: a container's, Colab's, or ENV's own interpreter.",
)
@click.option("--check-files", is_flag=True, help="Compare all files of a conda environment, not its frameworks alone.")
@click.option(
    "--force",
    "base",
    is_flag=True,
    help="Also conda's own environment, `base`, and a Python that its distribution keeps.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("-y", "--yes", "sure", is_flag=True, help="Do not ask.")
@click.option(
    "--wait",
    "wait_s",
    type=Seconds(least=0),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for another cudafit that changes this environment.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.repair/1).")
@one_machine_options
@matrix_options
@common_options
@click.pass_context
def command(
    context: click.Context,
    /,
    machine: WhichMachine,
    facts: WhichFacts,
    path: str | None,
    kernel: str | None,
    conda: str | None,
    system: bool,
    sure: bool,
    as_json: bool,
    dry_run: bool,
    **others: Any,
) -> int:
    """Fix what doctor found in a venv or a conda environment, with as few changes as can be.

    Chooses builds that work here, as near to the installed versions as there are, keeps the other packages, shows
    the plan and asks. The pyproject.toml and the lock of a project of uv's, Poetry's or PDM's change with its
    environment; what another manager keeps is left to it, with its commands. Of a Python without an environment
    (--system) the files of packages that change are exchanged one by one, and what a distribution keeps stays. Then
    all of it happens, or nothing: a step that fails is undone, and exits with 4. `cudafit rollback` undoes it later.
    Where there is a GPU, `bench --quick` then proves that it is used. What needs root or a reboot is never done: its
    commands are shown. Up to the plan only files are read; the change starts the environment's Python, and so
    whatever its .pth files and its sitecustomize run.
    """
    context.with_resource(stoppable())
    talk = Terminal(context, quiet=as_json, sure=sure)
    if kernel:
        from cudafit.app import repair_kernel as kernels  # noqa: PLC0415

        kernels.repair_kernel(kernels.Request(kernel, path, dry_run), talk, write_line)
        return 0
    settled(talk.say)
    question = ask(context, machine)
    from cudafit.app.repair import Request, repair  # noqa: PLC0415 - while NVML answers

    request = Request(machine, facts, WhichEnvironment(path, conda, system=system), dry_run=dry_run, **others)
    return emit(context, repair(request, question, talk), as_json=as_json)
