"""A repair from its wish to its end: planned, checked, then all of it within a transaction, or nothing."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from cudafit.doctor.wish import SIDES
from cudafit.doctor.world import World
from cudafit.env.in_use import processes_using
from cudafit.errors import CudafitError
from cudafit.model.environment import Environment
from cudafit.model.finding import ERROR, Report, Wish
from cudafit.model.plan import Plan
from cudafit.repair.engines import changer_of
from cudafit.repair.engines.engine import Changer, Means, Prepared, StaleError
from cudafit.repair.engines.owned import check_owner
from cudafit.repair.links import check_links
from cudafit.repair.room import check_space, check_space_for
from cudafit.repair.transaction import transaction
from cudafit.repair.walk import Walk

Look = Callable[[], tuple[Environment, Report]]


def asked(environment: Environment, report: Report, means: Means) -> tuple[Changer[Any], Wish]:
    """The engine whose packages are to change, and how; an empty wish where none are.

    In a conda prefix packages of pip are changed as in a venv where nothing is asked of conda's.
    """
    engines = [changer_of(side, environment, means.environ) for side in SIDES[environment.kind]]
    for engine in engines:
        wish = engine.wish(report, environment, means)
        if not wish.empty:
            if not engine.keeps_files:
                check_owner(environment, report, wish)
            break
    return engine, wish


def planned(engine: Changer[Any], wish: Wish, world: World, environment: Environment, means: Means) -> Prepared[Any]:
    """Raises CudafitError where nothing fits, the packages do not go together, or an index does not answer."""
    prepared = engine.plan(wish, world, environment, means)
    if not prepared.plan.steps:
        raise CudafitError(
            f"the packages that the {engine.shop} has are those that are installed, so nothing would change",
            cause=[f"{name}: {why}" for name, why in wish.why.items()],
        )
    return replace(prepared, recorded=tuple(_recorded(environment)))


def _recorded(environment: Environment) -> Iterator[str]:
    """The paths by which the packages are recorded that the plan knows of: one that is gone was changed since."""
    yield from (one.metadata for one in environment.distributions if one.metadata)
    yield from (f"{environment.path}/conda-meta/{one.name}-{one.version}-{one.build}.json" for one in environment.conda)


def check_place(prepared: Prepared[Any], means: Means) -> None:
    """Before anybody is asked. Raises CudafitError where the disk is too small; tells of programs in the way."""
    plan = prepared.plan
    coming = sum(step.size or 0 for step in plan.steps)
    if prepared.place:
        check_space_for(prepared.place, coming)
    else:
        check_space(plan.environment, coming)
    users = list(processes_using(prepared.place or plan.environment))
    if users:
        named = ", ".join(f"{one.pid} ({one.command})" for one in users[:5])
        means.say(f"warning: {len(users)} running programs use this environment and may fail: {named}")


def carry_out(engine: Changer[Any], prepared: Prepared[Any], before: Report, look: Look, means: Means) -> Report:
    """What doctor says afterwards. Raises RolledBack where a step failed or the result is not what was planned."""
    plan = prepared.plan

    def check(found: Walk) -> None:
        check_links(plan.environment, found, lambda: engine.reach(prepared))

    reason = f"repair: {', '.join(plan.answers)}"
    words: dict[str, Any] = {"wait_s": means.wait_s, "say": means.say, "check": check}
    words |= {"beside": prepared.beside, "project": prepared.project}
    with transaction(prepared.place or plan.environment, reason=reason, **words) as change:
        if change.waited or not all(map(os.path.lexists, prepared.recorded)):
            raise StaleError("the environment was changed meanwhile, so this plan may not fit any more")
        told = engine.apply(prepared, change, means)
        means.say("looking at the result")
        after, report = look()
        if wrong := [*engine.verify(prepared, after), *errors_left(plan, report, before)]:
            raise CudafitError("the environment is not as planned", cause=wrong)
    for line in told:
        means.say(line)
    return report


def errors_left(plan: Plan, report: Report, before: Report) -> Sequence[str]:
    """The errors that the change was to end, and those that it brought."""
    found = []
    had = {finding.id for finding in before.findings if finding.severity == ERROR}
    for finding in report.findings:
        if finding.severity == ERROR and finding.id in plan.answers:
            found.append(f"{finding.id} is still found: {finding.title}")
        elif finding.severity == ERROR and finding.id not in had:
            found.append(f"{finding.id} is new: {finding.title}")
    return found
