"""Which of the things that a text says is the root, what follows from it, and what is harmless.

The first cause is the root, unless a later one outranks it: it says more of the same matter, or lies below it. What has
many reasons (`weak`) is the root only where nothing else is said. An ordinary error that comes first means that there
is no root.
"""

from collections.abc import Collection, Sequence

from cudafit.messages.conditions import holds
from cudafit.messages.matching import Hit
from cudafit.model.finding import Fix
from cudafit.model.frozen import frozen
from cudafit.model.kinds import KINDS
from cudafit.model.messages import Explanation, Match, Meaning

_CODE = ("raise ", "warnings.warn(", "warn(")


@frozen
class _Said:
    hit: Hit
    meaning: Meaning

    @property
    def name(self) -> str:
        return self.meaning.finding or self.hit.rule.id


def explained(hits: Sequence[Hit], signs: Collection[str], lines: int) -> Explanation:
    said = [_Said(hit, meaning) for hit in hits if (meaning := _meant(hit, signs)) is not None]
    said.sort(key=lambda one: one.hit.place)
    harmless = [one for one in said if one.meaning.role == "harmless"]
    said = [one for one in said if not _is_harmless_here(one, harmless)]
    told = [one for one in said if one.meaning.role in ("cause", "weak", "ordinary")]
    root = _root(told)
    if root and root.meaning.role == "ordinary":
        matches = _matches([one for one in said if one.meaning.role in ("harmless",)], None)
        return Explanation(None, matches, root.meaning.says, lines)
    shown = (
        [one for one in said if one.meaning.role != "ordinary"]
        if root
        else [one for one in said if one.meaning.role == "harmless"]
    )
    return Explanation(root.name if root else None, _matches(shown, root), None, lines)


def _meant(hit: Hit, signs: Collection[str]) -> Meaning | None:
    for meaning in hit.rule.meanings:
        there = all(sign in signs for sign in meaning.when) and not any(sign in signs for sign in meaning.unless)
        if there and holds(meaning.condition, hit.values):
            return meaning
    return None


def _root(told: Sequence[_Said]) -> _Said | None:
    strong = [one for one in told if one.meaning.role != "weak"]
    for group in (strong, told):
        if group:  # those that say the same of one rule outrank the same
            others = list({(one.hit.rule.id, one.name): one for one in group}.values())
            return next((one for one in group if not _outranked(one, others)), group[0])
    return None


def _outranked(one: _Said, others: Sequence[_Said]) -> bool:
    return any(
        other.hit.rule is not one.hit.rule
        and any(_is_called(one, word) for word in other.hit.rule.outranks)
        and not any(_is_called(other, word) for word in one.hit.rule.outranks)
        for other in others
    )


def _is_harmless_here(one: _Said, harmless: Sequence[_Said]) -> bool:
    """Whether the same line is known to be harmless."""
    if one.meaning.role not in ("cause", "weak"):
        return False
    lines = set(one.hit.lines)
    return _outranked(one, [other for other in harmless if not lines.isdisjoint(other.hit.lines)])


def _is_called(one: _Said, word: str) -> bool:
    return one.name.startswith(word) or one.hit.rule.id == word


def _matches(said: Sequence[_Said], root: _Said | None) -> tuple[Match, ...]:
    """One for each finding, the root first; the lines of those that say the same are put together."""
    ordered = ([root] if root else []) + [one for one in said if one is not root]
    made: dict[str, Match] = {}
    for one in ordered:
        if (before := made.get(one.name)) is not None:
            made[one.name] = _with_lines(before, one.hit)
            continue
        harmless = one.meaning.role == "harmless"
        made[one.name] = Match(
            one.name,
            _title(one),
            one.hit.lines,
            one.hit.text,
            one.hit.values,
            follows_from=None if root is None or one is root or harmless else root.name,
            harmless=harmless,
            fix=Fix(filled(one.meaning.fix, one.hit.values), one.meaning.commands) if one.meaning.fix else None,
            says=filled(one.meaning.says, one.hit.values),
            also=one.meaning.also,
        )
    return tuple(made.values())


def _with_lines(match: Match, hit: Hit) -> Match:
    """A traceback quotes the line of code that raises before it says what was raised."""
    from dataclasses import replace  # noqa: PLC0415 - where a text says a thing twice

    text = hit.text if match.text.lstrip("->0123456789 ").startswith(_CODE) else match.text
    return replace(match, lines=tuple(dict.fromkeys((*match.lines, *hit.lines)))[:100], text=text)


def _title(one: _Said) -> str:
    kind = KINDS.get(one.name)
    return kind.title if kind else filled(one.meaning.says, one.hit.values)


def filled(text: str, values: "dict[str, str] | object") -> str:
    """A sentence with the values that were captured; where one is missing, what it would have said is left open."""
    if "{" not in text:
        return text
    known = values if isinstance(values, dict) else dict(values)  # type: ignore[call-overload]
    for name, value in known.items():
        text = text.replace(f"{{{name}}}", value)
        if f"{{{name}.cuda}}" in text and value.isdigit():  # 11040 is CUDA 11.4
            text = text.replace(f"{{{name}.cuda}}", f"{int(value) // 1000}.{int(value) % 1000 // 10}")
    while "{" in text and "}" in text.partition("{")[2]:
        before, _, rest = text.partition("{")
        text = f"{before}another{rest.partition('}')[2]}"
    return text
