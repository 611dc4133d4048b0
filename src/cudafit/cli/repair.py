"""`cudafit repair`.

What is imported inside the functions is imported there for speed.
"""
# ruff: noqa: PLC0415

import os
from typing import TYPE_CHECKING, Any

import click

from cudafit.cli.benching import found_a_problem, verified
from cudafit.cli.common import Seconds, common_options, say
from cudafit.cli.looking import (
    Given,
    Looked,
    environment_of,
    environment_required,
    given,
    interrupted_text,
    look,
    unfinished_change,
    world,
)
from cudafit.cli.matrix_options import matrix_options
from cudafit.cli.repairing import confirm, nothing, show
from cudafit.errors import CudafitError, InputError
from cudafit.system.commands import command_text, path_word
from cudafit.system.interrupts import stoppable

if TYPE_CHECKING:
    from cudafit.model.environment import Environment
    from cudafit.model.finding import Report

_PROBLEM = 1


@click.command("repair")
@click.argument("path", metavar="[ENV]", required=False)
@click.option("--kernel", metavar="NAME", help="Let the Jupyter kernel of this name start the environment's Python.")
@click.option("--conda", metavar="NAME", help="A conda environment, by its name or its folder.")
@click.option("--check-files", is_flag=True, help="Compare all files of a conda environment, not its frameworks alone.")
@click.option("--force", is_flag=True, help="Also conda's own environment, `base`.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--wait",
    type=Seconds(least=0),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for another cudafit that changes this environment.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.repair/1).")
@click.option(
    "--machine", "machines", metavar="FILE", multiple=True, help="For the machine of a snapshot; `-` is stdin."
)
@click.option("--driver", metavar="VERSION", help="For this driver, as 550.54.15; or none.")
@click.option("--gpu", "gpus", metavar="NAME", multiple=True, help="For this GPU: `RTX 4090`, sm_89; repeatable.")
@matrix_options
@common_options
@click.pass_context
def command(context: click.Context, /, **options: Any) -> int:
    """Fix what doctor found in a venv or a conda environment, with as few changes as can be.

    Chooses builds that work here, as near to the installed versions as there are, keeps the other packages, shows the
    plan and asks. Then all of it happens, or nothing: a step that fails is undone, and exits with 4. `cudafit rollback`
    undoes it later. Where there is a GPU, `bench --quick` then proves that it is used. What needs root or a reboot is
    never done: its commands are shown. Up to the plan only files are read; the change starts the environment's Python,
    and so whatever its .pth files and its sitecustomize run.
    """
    context.with_resource(stoppable())
    if options["kernel"]:
        from cudafit.cli.repair_kernel import repair_kernel

        return repair_kernel(options)
    from cudafit.repair.carry_out import StaleError
    from cudafit.repair.transaction import RolledBack

    if options["conda"]:
        from cudafit.cli.looking import conda_path

        if options["path"]:
            raise InputError("`--conda` and ENV each name the environment")
        options["path"], options["conda"] = conda_path(options["conda"]), None
    _end_unfinished(options)
    told = given({**options, "root": None})
    looked = look(told, options["matrices"], options["pinned"])
    environment = environment_required(told, looked, "repair")
    _refuse(environment, force=options["force"])
    try:
        return _repair(context, options, told, looked, environment)
    except RolledBack as error:
        if not isinstance(error.__cause__, StaleError):
            raise
    say("another cudafit changed the environment first; looking at it again")
    return _repair(context, options, told, looked, environment_of(told, looked) or environment)


def _end_unfinished(options: dict[str, Any]) -> None:
    """What was interrupted is undone before anything is looked at: the environment may not even be in its place."""
    from cudafit.repair.rollback import recover

    found = unfinished_change(options["path"])
    if found is None:
        return
    say(interrupted_text(found))
    if options["dry_run"]:
        raise CudafitError(
            f"`{found.env}` is in the middle of a change",
            hint=f"`{command_text('cudafit', 'rollback', path_word(found.env))}` brings back what was there",
        )
    say(recover(found.env, say=say, wait_s=options["wait"]))


def _repair(
    context: click.Context, options: dict[str, Any], told: Given, looked: Looked, environment: "Environment"
) -> int:
    from cudafit.doctor.diagnose import diagnose
    from cudafit.indexes import configured
    from cudafit.repair.carry_out import asked, carry_out, check_place, planned
    from cudafit.repair.engines.engine import Means

    means = Means(configured(), os.environ, say, options["wait"], every_file=options["check_files"])
    seen = world(told, looked, environment)
    before = diagnose(seen)
    engine, wish = asked(environment, before, means)
    if wish.empty:
        show(context, options, "nothing", nothing(environment, wish), before)
        return _PROBLEM if any(one.severity == "error" for one in wish.by_hand) else 0
    prepared = planned(engine, wish, seen, environment, means)
    plan = prepared.plan
    if options["dry_run"] or not options["as_json"]:
        show(context, options, "planned", plan, before)
    if options["dry_run"]:
        return 0
    check_place(plan, means)
    confirm(options, environment)

    def again() -> "tuple[Environment, Report]":
        found = environment_of(Given(machines=told.machines, path=plan.environment), looked)
        if found is None:
            raise CudafitError(f"`{plan.environment}` is no environment any more")
        return found, diagnose(world(told, looked, found))

    report = carry_out(engine, prepared, before, again, means)
    after = environment_of(Given(machines=told.machines, path=plan.environment), looked)
    bench = verified(told, after, looked.machine, looked.library.book.facts)
    show(context, options, "done", plan, report, bench)
    return _PROBLEM if report.status == "error" or found_a_problem(bench) else 0


def _refuse(environment: "Environment", *, force: bool) -> None:
    """What is never changed, before any work."""
    from cudafit.model.environment import CONDA, VENV
    from cudafit.repair.checks import runs_here

    path = environment.path
    if environment.kind == CONDA and not force:
        from cudafit.env.conda_places import is_base
        from cudafit.files import Files
        from cudafit.machine.conda import read_conda
        from cudafit.machine.context import this_machine

        if is_base(Files(), path, read_conda(this_machine()), os.environ):
            raise InputError(
                f"`{path}` is conda's own environment, and conda may not start any more when a repair goes wrong",
                hint="make one of your own: `cudafit create -n gpu torch`; or "
                f"`{command_text('cudafit', 'repair', path_word(path), '--force')}`",
            )
    if environment.kind not in (VENV, CONDA):
        raise InputError(
            f"`{path}` is a Python of the system, which its own package manager keeps",
            hint="make an environment: `cudafit create .venv torch`",
        )
    if runs_here(path):
        raise InputError(
            f"cudafit itself runs in `{path}`, and cannot change what it stands on",
            hint=f"start it from somewhere else: `{command_text('uvx', 'cudafit', 'repair', path_word(path))}`",
        )
