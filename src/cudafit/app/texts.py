"""Texts of errors, as the verbs read them: the rules behind them, and this machine beside what they say."""

import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from cudafit import shipped
from cudafit.errors import InputError
from cudafit.matrix.load import cache_folder
from cudafit.matrix.messages import load_book
from cudafit.messages.scanning import Scanner
from cudafit.model.messages import Book, Explanation
from cudafit.system.reading import named_blocks, standard_blocks

if TYPE_CHECKING:
    from cudafit.doctor.world import World
    from cudafit.model.finding import Report, Which

PIPE = "`python3 train.py 2>&1 | cudafit explain -`, or `cudafit explain 'the message'`"
# What nobody sees who looks at no environment.
_INSIDE = ("libraries", "framework", "notebook")


def book() -> Book:
    return load_book(shipped.folder("matrices"), shipped.COMPILED, cache_folder(os.environ))


def read_log(known: Book, name: str) -> Explanation:
    """What a log says, by the text alone; `-` is stdin. Raises InputError."""
    return scanned(known, blocks_of(name), name).explanation()


def scanned(known: Book, blocks: Iterable[bytes], name: str) -> Scanner:
    """Raises InputError for what cannot be read; `name` is said there."""
    scanner = Scanner(known.rules)
    try:
        for block in blocks:
            scanner.feed(block)
    except OSError as error:
        raise InputError(f"cannot read `{name}`: {error.strerror or error}") from None
    return scanner


def blocks_of(name: str) -> Iterable[bytes]:
    """Of a file that a person named, or of stdin. Raises InputError for a terminal into which nothing is piped."""
    if name != "-":
        return named_blocks(name)
    if sys.stdin is not None and sys.stdin.isatty():
        raise InputError("stdin is a terminal, and nothing is piped in", hint=PIPE)
    return standard_blocks()


def is_asked(explanation: Explanation) -> bool:
    """Whether a machine could say more of it."""
    return bool(_checks(explanation))


def beside_world(explanation: Explanation, known: Book, world: "World", which: "Which | None" = None) -> Explanation:
    """What doctor's checks say of the findings in question. What cannot be looked at is left open."""
    from cudafit.doctor.diagnose import diagnose  # noqa: PLC0415 - where one looks
    from cudafit.messages.here import asked_about  # noqa: PLC0415

    report = diagnose(world, select=asked_about(explanation), which=which)
    return beside_report(explanation, known, report, inside=world.environment is not None)


def beside_report(
    explanation: Explanation,
    known: Book,
    report: "Report",
    *,
    inside: bool,
    was_asked: Callable[[str], bool] = lambda _name: True,
) -> Explanation:
    """With what a diagnosis has found. `inside`: an environment was looked at; `was_asked` says of an id whether it was
    looked for."""
    from cudafit.messages.here import beside  # noqa: PLC0415 - where one looks
    from cudafit.model.kinds import KINDS  # noqa: PLC0415

    checks = _checks(explanation)
    unseen = {name for one in report.skipped for name in checks.get(one.check, ())}
    seen = {name for ids in checks.values() for name in ids if was_asked(name)} - unseen
    if not inside or not report.gpus:
        # Without a GPU much that would hinder one is not looked for.
        seen = {name for name in seen if KINDS[name].layer not in _INSIDE}
    return beside(explanation, {one.id: one for one in reversed(report.findings)}, seen, known.remedies)


def _checks(explanation: Explanation) -> dict[str, set[str]]:
    """Doctor's checks for the findings in question, each with those."""
    from cudafit.doctor.registry import CHECKS  # noqa: PLC0415 - where one looks
    from cudafit.messages.here import asked_about  # noqa: PLC0415

    names = asked_about(explanation)
    return {check.name: set(check.ids) & names for check in CHECKS if set(check.ids) & names}
