"""What error texts mean: the rules, as they are loaded, and what they found in a text."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from cudafit.model.finding import Evidence, Fix
from cudafit.model.frozen import frozen

SCHEMA = "cudafit.explain/1"

# A `cause` may be the root of all that follows. A `weak` one is so only where there is no cause: it has many reasons.
# An `echo` says what happened after it. `ordinary` is an error that has nothing to do with a GPU's environment; a
# `sign` tells of the circumstances, and of no error.
Role = Literal["cause", "weak", "ordinary", "harmless", "echo", "sign"]


@frozen
class Meaning:
    """What a text means under its conditions; what is None is as the rule has it.

    `when` and `unless` are signs in the same text; `condition` compares captured values. `also` are other findings that
    have the same words, which the text alone does not tell apart.
    """

    role: Role
    finding: str | None
    says: str
    fix: str
    commands: tuple[tuple[str, ...], ...] = ()
    also: tuple[str, ...] = ()
    when: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    condition: str = ""


@frozen
class Rule:
    """`keys` are words of which every text that the pattern fits holds one; `needs` are sets of them of which it holds
    one whole, where that is known; what it fits is at most `width` long. Of its meanings the first whose conditions
    hold is meant. What it `outranks` (findings and rules, or their beginnings) follows from it, whatever is first."""

    id: str
    pattern: str
    keys: tuple[str, ...]
    meanings: tuple[Meaning, ...]
    needs: tuple[str, ...] = ()
    width: int = 1 << 16
    outranks: tuple[str, ...] = ()


@frozen
class Match:
    """One thing that a text says. `holds_here` is None where nobody looked, or where nothing looks for it; `evidence`
    is what was seen where it holds."""

    id: str
    title: str
    lines: tuple[int, ...]
    text: str
    values: Mapping[str, str] = field(default_factory=dict)
    holds_here: bool | None = None
    follows_from: str | None = None
    harmless: bool = False
    fix: Fix | None = None
    says: str = ""
    also: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


@frozen
class Book:
    """All that is known of texts. `remedies` is what to do about each finding, whichever words told of it."""

    rules: tuple[Rule, ...]
    remedies: Mapping[str, Fix] = field(default_factory=dict)


@frozen
class Explanation:
    """`ordinary` is what was recognised and is no matter of a GPU; `lines` how many lines were read."""

    root: str | None
    matches: tuple[Match, ...]
    ordinary: str | None = None
    lines: int = 0


def book_from(plain: Any) -> Book:
    """Of the whole compiled file."""
    remedies = {name: Fix(text, tuple(map(tuple, commands))) for name, (text, commands) in plain["remedies"].items()}
    return Book(rules_from(plain["rules"]), remedies)


def rules_from(plain: Any) -> tuple[Rule, ...]:
    """The rules of the compiled file."""
    return tuple(
        Rule(
            one["id"],
            one["pattern"],
            tuple(one["keys"]),
            tuple(
                Meaning(
                    role,
                    finding,
                    says,
                    fix,
                    tuple(map(tuple, commands)),
                    tuple(also),
                    tuple(when),
                    tuple(unless),
                    condition,
                )
                for role, finding, says, fix, commands, also, when, unless, condition in one["meanings"]
            ),
            tuple(one["needs"]),
            one["width"],
            tuple(one["outranks"]),
        )
        for one in plain
    )
