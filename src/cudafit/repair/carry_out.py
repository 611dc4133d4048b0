"""A plan carried out within a transaction: all of it, seen to be right, or nothing."""

from collections.abc import Callable, Mapping

from cudafit.errors import CudafitError
from cudafit.indexes import Indexes
from cudafit.model.environment import Environment
from cudafit.model.finding import Report
from cudafit.model.plan import REMOVE
from cudafit.render.counts import counted
from cudafit.repair.broken_packages import remove_broken
from cudafit.repair.links import check_links, venv_reach
from cudafit.repair.plan import changed, not_as_planned
from cudafit.repair.prepare import Prepared
from cudafit.repair.transaction import transaction
from cudafit.repair.uv_engine import install, uninstall
from cudafit.repair.walk import Walk

Look = Callable[[], tuple[Environment, Report]]


class StaleError(CudafitError):
    """The plan was made for an environment that is not the same any more."""


def carry_out(
    prepared: Prepared,
    before: Report,
    look: Look,
    *,
    indexes: Indexes,
    environ: Mapping[str, str],
    reason: str,
    wait_s: float,
    say: Callable[[str], None],
) -> Report:
    """What doctor says afterwards. Raises RolledBack where a step failed or the result is not what was planned."""
    plan = prepared.plan
    path = plan.environment
    coming = changed(plan)
    going = [step.package for step in plan.steps if step.action == REMOVE]
    replaced = [step.package for step in coming if step.before is not None]

    def check(found: Walk) -> None:
        check_links(path, found, lambda: venv_reach(path, {*going, *replaced}, adds=bool(coming)))

    with transaction(path, reason=reason, wait_s=wait_s, say=say, check=check) as change:
        if change.waited:
            raise StaleError("another cudafit changed the environment first, so this plan may not fit any more")
        broken = remove_broken(path, [*going, *replaced])
        # What fills the folder of another package goes before that one comes.
        if rest := [name for name in going if name not in broken]:
            say(f"removing {counted(len(rest), 'package')}")
            uninstall(path, rest, environ, lock=change.lock)
        if coming:
            say(f"installing {counted(len(coming), 'package')}")
            again = [name for name in replaced if name not in broken]
            install(path, prepared.lock, indexes, environ, again=again, lock=change.lock)
        say("looking at the result")
        after, report = look()
        if wrong := not_as_planned(plan, after, report, before):
            raise CudafitError("the environment is not as planned", cause=wrong)
    return report
