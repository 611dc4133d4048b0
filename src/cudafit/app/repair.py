"""What doctor found, put right: all of it, or nothing."""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cudafit.app.asked import WhichEnvironment, WhichFacts, WhichMachine
from cudafit.app.environments import environment_of, environment_required, world
from cudafit.app.here import system_here
from cudafit.app.itself import go_on_elsewhere
from cudafit.app.looking import Looked, look
from cudafit.app.result import Result, Talk
from cudafit.app.unfinished import conda_path, interrupted_text, unfinished_change
from cudafit.doctor.diagnose import diagnose
from cudafit.env.conda_places import is_base
from cudafit.errors import CudafitError, InputError
from cudafit.files import Files
from cudafit.indexes import configured
from cudafit.machine.conda import read_conda
from cudafit.machine.context import this_machine
from cudafit.model.environment import CONDA, SYSTEM, Environment
from cudafit.model.finding import Report, Wish
from cudafit.model.frozen import frozen
from cudafit.model.plan import SCHEMA, After, Plan, Repaired
from cudafit.render.bench_rows import verdict_text
from cudafit.render.repair_rows import done_rows, nothing_rows, plan_rows
from cudafit.repair.carry_out import asked, carry_out, check_place, planned
from cudafit.repair.checks import runs_here
from cudafit.repair.engines.engine import Means, StaleError
from cudafit.repair.rollback import kept_bytes, recover
from cudafit.repair.transaction import RolledBack
from cudafit.system.commands import command_text, path_word

if TYPE_CHECKING:
    from cudafit.machine.question import Question
    from cudafit.model.bench import Bench
    from cudafit.render.row import Row

_PROBLEM = 1


@frozen
class Request:
    """`base` lets conda's own environment be changed; with `check_files` all files of a conda environment are compared,
    not those of its frameworks alone."""

    machine: WhichMachine
    facts: WhichFacts
    environment: WhichEnvironment
    base: bool = False
    check_files: bool = False
    dry_run: bool = False
    wait_s: float = 600.0


def repair(request: Request, question: "Question | None", talk: Talk) -> Result:
    """Shows the plan and asks before anything is changed. Raises RolledBack where a step failed."""
    which = _named(request.environment)
    _end_unfinished(request, which, talk)
    looked = look(request.machine, request.facts, question)
    environment = environment_required(which, looked, "repair")
    _refuse(environment, request)
    try:
        return replace(_repair(request, looked, environment, talk), facts=looked.library.book.told)
    except RolledBack as error:
        if not isinstance(error.__cause__, StaleError):
            raise
    talk.say("the environment was changed meanwhile; looking at it again")
    again = _repair(request, looked, environment_of(which, looked) or environment, talk)
    return replace(again, facts=looked.library.book.told)


def _named(which: WhichEnvironment) -> WhichEnvironment:
    """One in the middle of a change is found by its place alone."""
    if which.system and which.path is None:
        return WhichEnvironment(system_here(which, "repair"), system=True)
    if which.conda is None:
        return which
    if which.path:
        raise InputError("`--conda` and ENV each name the environment")
    return WhichEnvironment(conda_path(which.conda))


def _end_unfinished(request: Request, which: WhichEnvironment, talk: Talk) -> None:
    """What was interrupted is undone before anything is looked at: the environment may not even be in its place."""
    found = unfinished_change(which.path)
    if found is None:
        return
    talk.say(interrupted_text(found))
    if request.dry_run:
        raise CudafitError(
            f"`{found.env}` is in the middle of a change",
            hint=f"`{command_text('cudafit', 'rollback', path_word(found.env))}` brings back what was there",
        )
    talk.say(recover(found.env, say=talk.say, wait_s=request.wait_s))


def _repair(request: Request, looked: Looked, environment: Environment, talk: Talk) -> Result:
    means = Means(configured(), os.environ, talk.say, request.wait_s, every_file=request.check_files)
    seen = world(looked, environment)
    before = diagnose(seen)
    engine, wish = asked(environment, before, means)
    if wish.empty:
        return _nothing(environment, wish, before)
    prepared = planned(engine, wish, seen, environment, means)
    plan = prepared.plan
    told = _told("planned", plan, before, plan_rows(plan))
    if request.dry_run:
        return told
    if runs_here(prepared.place or plan.environment):
        talk.say("cudafit itself runs there: a copy of it goes on")
        go_on_elsewhere(plan.environment, "repair")
    talk.show(told)
    check_place(prepared, means)
    of_system = ("--system",) if environment.kind == SYSTEM else ()
    again = command_text("cudafit", "repair", path_word(_word(environment)), *of_system, "--yes")
    talk.agree(
        "make these changes?",
        InputError(
            "this cannot be asked without a terminal, so nothing was changed",
            hint=f"`{again}`, or `--dry-run` to see the plan alone",
        ),
    )

    def look_again() -> tuple[Environment, Report]:
        found = environment_of(WhichEnvironment(_word(environment)), looked)
        if found is None:
            raise CudafitError(f"`{plan.environment}` is no longer an environment")
        return found, diagnose(world(looked, found))

    report = carry_out(engine, prepared, before, look_again, means)
    after = environment_of(WhichEnvironment(_word(environment)), looked)
    from cudafit.app.benching import found_a_problem, verified  # noqa: PLC0415 - once something was changed

    bench = verified(looked.which, after, looked.machine, looked.library.book.facts, talk.say)
    failed = report.status == "error" or found_a_problem(bench)
    return _told(
        "done",
        plan,
        report,
        done_rows(plan, report, bench, kept_bytes(prepared.place or plan.environment), _word(environment)),
        bench,
        _PROBLEM if failed else 0,
    )


def _nothing(environment: Environment, wish: Wish, before: Report) -> Result:
    plan = Plan(environment.path, environment.python or "", (), by_hand=wish.by_hand)
    code = _PROBLEM if any(one.severity == "error" for one in wish.by_hand) else 0
    return _told("nothing", plan, before, nothing_rows(plan), code=code)


def _told(
    status: str, plan: Plan, report: Report, rows: "Sequence[Row]", bench: "Bench | None" = None, code: int = 0
) -> Result:
    parts = (plan.steps, plan.answers, plan.by_hand, plan.untouched, plan.warnings, plan.download)
    ran = (bench.verdict, verdict_text(bench)) if bench else (None, None)
    record = Repaired(
        status, plan.environment, plan.python, *parts, After(report.status, report.cause, *ran), plan.files
    )
    return Result(SCHEMA, record, "repair", lambda: rows, code)


def _word(environment: Environment) -> str:
    """What names it: of several Pythons in one prefix the one that is meant."""
    return (environment.interpreter if environment.kind == SYSTEM else None) or environment.path


def _refuse(environment: Environment, request: Request) -> None:
    """What is never changed, before any work."""
    path = environment.path
    if (
        environment.kind == CONDA
        and not request.base
        and is_base(Files(), path, read_conda(this_machine()), os.environ)
    ):
        raise InputError(
            f"`{path}` is conda's own environment, and conda may not start any more when a repair goes wrong",
            hint="make one of your own: `cudafit create -n gpu torch`; or "
            f"`{command_text('cudafit', 'repair', path_word(path), '--force')}`",
        )
    if environment.kind == SYSTEM:
        _refuse_system(environment, request)


def _refuse_system(environment: Environment, request: Request) -> None:
    """A Python that is in no environment is changed where that is asked for, and one that a distribution keeps only
    where that is asked for twice."""
    word = path_word(_word(environment))
    if not request.environment.system:
        raise InputError(
            f"`{_word(environment)}` is in no environment: whatever else uses this Python gets the change too",
            hint=f"in a container or on Colab: `{command_text('cudafit', 'repair', word, '--system')}`; "
            "else make an environment: `cudafit create .venv torch`",
        )
    if environment.managed_by and not request.base:
        raise InputError(
            f"`{_word(environment)}` is kept by its distribution, or by the tool that installed it",
            cause=[f"`{environment.managed_by}` says so (PEP 668): the system's own programs may need these packages"],
            hint="make an environment: `cudafit create .venv torch`; in an image that is yours alone: "
            f"`{command_text('cudafit', 'repair', word, '--system', '--force')}`",
        )
