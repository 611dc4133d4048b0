"""`cudafit repair` for conda environments.

What is imported inside the functions is imported there for speed.
"""
# ruff: noqa: PLC0415

import os
from typing import TYPE_CHECKING, Any

import click

from cudafit.cli.looking import Given, Looked, environment_of, world
from cudafit.errors import CudafitError
from cudafit.system.commands import command_text, path_word

if TYPE_CHECKING:
    from cudafit.doctor.world import World
    from cudafit.model.environment import Environment
    from cudafit.model.finding import Report

_PROBLEM = 1


def repair_conda(
    context: click.Context, options: dict[str, Any], told: Given, looked: Looked, seen: "World", before: "Report"
) -> int | None:
    """None where only packages of pip are to change, which is done as in a venv."""
    from cudafit.cli.benching import found_a_problem, verified
    from cudafit.cli.common import say
    from cudafit.cli.repairing import confirm, nothing, room, show
    from cudafit.doctor.diagnose import diagnose
    from cudafit.indexes import configured
    from cudafit.model.plan import Wish
    from cudafit.repair.conda_plan import conda_wish
    from cudafit.repair.conda_repair import carry_out_conda, meta_of, prepare_conda, with_hashes

    environment = seen.environment
    if environment is None:
        raise CudafitError("the environment is not there any more")
    meta = meta_of(environment)
    wish = with_hashes(conda_wish(before), environment, meta, every=options["check_files"])
    if wish.empty:
        if any(one.fix and one.fix.change for one in before.findings):
            _check_only_pip(environment)
            return None
        show(context, options, "nothing", nothing(environment, Wish(by_hand=wish.by_hand)), before)
        return _PROBLEM if any(one.severity == "error" for one in wish.by_hand) else 0
    prepared = prepare_conda(wish, seen, environment, meta, configured(), os.environ)
    for line in prepared.told:
        say(line)
    plan = prepared.plan
    if not plan.steps:
        raise CudafitError(
            "the packages that the channel has are those that are installed, so nothing would change",
            cause=[f"{name}: {why}" for name, why in wish.why.items()],
        )
    if options["dry_run"] or not options["as_json"]:
        show(context, options, "planned", plan, before)
    if options["dry_run"]:
        return 0
    room(plan)
    confirm(options, environment)

    def again() -> "tuple[Environment, Report]":
        found = environment_of(Given(machines=told.machines, path=plan.environment), looked)
        if found is None:
            raise CudafitError(f"`{plan.environment}` is no environment any more")
        return found, diagnose(world(told, looked, found))

    report = carry_out_conda(
        prepared,
        before,
        again,
        environment=environment,
        meta=meta,
        environ=os.environ,
        wait_s=options["wait"],
        say=say,
    )
    after = environment_of(Given(machines=told.machines, path=plan.environment), looked)
    bench = verified(told, after, looked.machine, looked.library.book.facts)
    show(context, options, "done", plan, report, bench)
    return _PROBLEM if report.status == "error" or found_a_problem(bench) else 0


def _check_only_pip(environment: "Environment") -> None:
    """pip's packages alone are to change. Raises CudafitError where conda has some under the same names."""
    from cudafit.env.conda_side import python_name

    of_conda = {python_name(one.name) for one in environment.conda}
    if of_conda & {"torch", "tensorflow", "jax", "jaxlib"}:
        raise CudafitError(
            f"`{environment.path}` has frameworks of conda, and the fix is one of pip's packages",
            hint=f"`{command_text('cudafit', 'doctor', '--env', path_word(environment.path))}` shows it",
        )
