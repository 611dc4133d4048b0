"""Texts of errors, as the verbs read them: the rules behind them, and this machine beside what they say."""

import os
from typing import TYPE_CHECKING

from cudafit import shipped
from cudafit.matrix.load import cache_folder
from cudafit.matrix.messages import load_book
from cudafit.model.messages import Book, Explanation

if TYPE_CHECKING:
    from cudafit.doctor.world import World
    from cudafit.model.finding import Which

# What nobody sees who looks at no environment.
_INSIDE = ("libraries", "framework", "notebook")


def book() -> Book:
    return load_book(shipped.folder("matrices"), shipped.COMPILED, cache_folder(os.environ))


def is_asked(explanation: Explanation) -> bool:
    """Whether a machine could say more of it."""
    return bool(_checks(explanation))


def beside_world(explanation: Explanation, known: Book, world: "World", which: "Which | None" = None) -> Explanation:
    """What doctor's checks say of the findings in question. What cannot be looked at is left open."""
    from cudafit.doctor.diagnose import diagnose  # noqa: PLC0415 - where one looks
    from cudafit.messages.here import asked_about, beside  # noqa: PLC0415
    from cudafit.model.kinds import KINDS  # noqa: PLC0415

    checks = _checks(explanation)
    names = asked_about(explanation)
    report = diagnose(world, select=names, which=which)
    unseen = {name for one in report.skipped for name in checks.get(one.check, ())}
    if world.environment is None:
        unseen |= {name for name in names if name in KINDS and KINDS[name].layer in _INSIDE}
    seen = {name for ids in checks.values() for name in ids} - unseen
    return beside(explanation, {one.id: one for one in report.findings}, seen, known.remedies)


def _checks(explanation: Explanation) -> dict[str, set[str]]:
    """Doctor's checks for the findings in question, each with those."""
    from cudafit.doctor.registry import CHECKS  # noqa: PLC0415 - where one looks
    from cudafit.messages.here import asked_about  # noqa: PLC0415

    names = asked_about(explanation)
    return {check.name: set(check.ids) & names for check in CHECKS if set(check.ids) & names}
