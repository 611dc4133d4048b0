"""Where a manager keeps the environment and cudafit cannot change its files with it: what to do by hand.

Changing the environment alone would make it differ from its lock, and the next sync would take all of that back.
"""

from collections.abc import Iterator, Sequence

from cudafit.doctor.wish import is_left_to
from cudafit.errors import CudafitError
from cudafit.model.environment import Environment
from cudafit.model.finding import Finding, Owner, Report, Wish
from cudafit.render.owner_rows import owner_name
from cudafit.system.commands import joined

_MOST = 40


def check_owner(environment: Environment, report: Report, wish: Wish) -> None:
    """Raises CudafitError where the change would leave the files of a manager behind."""
    owner = environment.owner
    if owner is None or not is_left_to(owner):
        return
    told = list(_by_hand([one for one in report.findings if one.id in wish.answers]))[:_MOST]
    if owner.manager is None:
        claims = " and ".join(f"{owner_name(one.manager)} ({one.lock or one.declaration})" for one in owner.others)
        raise CudafitError(
            f"two managers claim `{environment.path}`, so it is not known whose files are to change with it",
            cause=[claims, *told],
            hint="remove the lock of the one that you do not use",
        )
    raise CudafitError(
        f"`{environment.path}` is kept by {owner_name(owner.manager)}, and changed alone it would differ from "
        f"{_files(owner)}",
        cause=told,
        hint=f"do that in {owner.project}; `cudafit doctor` looks at the result",
    )


def _files(owner: Owner) -> str:
    return " and ".join(f"`{one}`" for one in (owner.declaration, owner.lock) if one) or "its project"


def _by_hand(findings: Sequence[Finding]) -> Iterator[str]:
    """The edits and then the commands, each once."""
    told: dict[str, None] = {}
    for one in findings:
        for edit in one.fix.edits if one.fix else ():
            told[f"{edit.what}, in {edit.path}:"] = None
            told |= dict.fromkeys(f"  {line}" for line in edit.lines if line)
    for one in findings:
        told |= dict.fromkeys(f"`{joined(command)}`" for command in (one.fix.commands if one.fix else ()))
    yield from told
