"""The rules tried on a text: which of them speak, at which lines, with which values."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cudafit.messages.lines import LONGEST, broken, plain
from cudafit.messages.patterns import compiled
from cudafit.messages.sieve import AFTER, BEFORE
from cudafit.model.frozen import frozen
from cudafit.model.messages import Rule

_KEPT = 40  # places of a rule that are remembered
_SHOWN = 300
_TRIED = 20_000  # lines that a rule is tried on: one that speaks everywhere says nothing more

Line = tuple[int, str]


@frozen
class Hit:
    """A rule that speaks, and where."""

    rule: Rule
    lines: tuple[int, ...]
    place: tuple[int, int]
    text: str
    values: Mapping[str, str]


class Window:
    """The lines that a message may be spread over, joined; the one that holds a word of its rule is from `begin` to
    `end`."""

    def __init__(self, lines: Sequence[Line], of: int) -> None:
        self.lines = lines
        self.starts: list[int] = []
        length = 0
        for _, text in lines:
            self.starts.append(length)
            length += len(text) + 1
        self.joined = " ".join(text for _, text in lines)
        self.begin = self.starts[of]
        self.end = self.begin + len(lines[of][1])


@dataclass
class Matcher:
    """Is given stretches of a text, one after the other, and remembers what they say."""

    rules: Sequence[Rule]
    hits: list[Hit] = field(default_factory=list)
    signs: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._by_key = by_key(self.rules)
        self._order = {rule.id: place for place, rule in enumerate(self.rules)}
        self._patterns: dict[str, re.Pattern[str]] = {}
        self._needs: dict[str, list[list[str]]] = {}
        self._counts: dict[str, int] = {}
        self._kept: dict[str, int] = {}
        self._seen: set[tuple[str, int]] = set()

    def read(
        self,
        lines: Iterable[Line],
        some: Mapping[str, Sequence[Rule]] | None = None,
        ways: Mapping[str, Sequence[Sequence[str]]] | None = None,
    ) -> None:
        """Lines that follow on each other. `some` are the rules, by their keys, that may speak of them, and `ways` what
        the lines hold of what each needs, where that is known."""
        rules_of = self._by_key if some is None else some
        pieces = list(_pieces(lines))
        lowered = [text.lower() for _, text in pieces]
        whole = "\n".join(lowered)
        keys = [key for key in rules_of if key in whole and not all(map(self.is_done, rules_of[key]))]
        for at, low in enumerate(lowered):
            rules = {rule.id: rule for key in keys if key in low for rule in rules_of[key]}
            if rules := {name: rule for name, rule in rules.items() if not self.is_done(rule)}:
                before = " ".join(lowered[max(0, at - BEFORE) : at])
                around = " ".join((before, *lowered[at : at + AFTER])) if at else " ".join(lowered[:AFTER])
                begin = len(before) + 1 if at else 0
                window: Window | None = None
                for rule in sorted(rules.values(), key=lambda rule: self._order[rule.id]):
                    needs = ways[rule.id] if ways is not None else self._needs_of(rule)
                    if place := _may_fit(rule, needs, around, begin, begin + len(low)):
                        window = window or Window(pieces[max(0, at - BEFORE) : at + AFTER], min(BEFORE, at))
                        same = len(window.joined) == len(around)
                        self._try(rule, window, place if same else (0, len(window.joined)))

    def _needs_of(self, rule: Rule) -> list[list[str]]:
        needs = self._needs.get(rule.id)
        if needs is None:
            needs = self._needs[rule.id] = [words.split() for words in rule.needs]
        return needs

    def is_done(self, rule: Rule) -> bool:
        return self._counts.get(rule.id, 0) > _TRIED or (rule.meanings[0].role == "sign" and rule.id in self.signs)

    def _try(self, rule: Rule, window: "Window", place: tuple[int, int]) -> None:
        self._counts[rule.id] = self._counts.get(rule.id, 0) + 1
        pattern = self._patterns.get(rule.id)
        if pattern is None:
            pattern = self._patterns[rule.id] = compiled(rule.pattern)
        for found in pattern.finditer(window.joined, *place):
            if found.start() > window.end:
                break
            if found.end() >= window.begin:
                self._note(rule, found, window)

    def _note(self, rule: Rule, found: "re.Match[str]", window: "Window") -> None:
        if rule.meanings[0].role == "sign":
            self.signs.add(rule.id)
            return
        lines, starts = window.lines, window.starts
        first = max(place for place, start in enumerate(starts) if start <= found.start())
        last = max(place for place, start in enumerate(starts) if start < max(found.end(), 1))
        number = lines[first][0]
        if (rule.id, number) in self._seen or len(self._seen) > 100_000:
            return
        self._seen.add((rule.id, number))
        kept = self._kept[rule.id] = self._kept.get(rule.id, 0) + 1
        if kept > _KEPT:
            return
        values = {name: value.strip() for name, value in found.groupdict().items() if value}
        numbers = tuple(dict.fromkeys(one for one, _ in lines[first : last + 1]))
        text = " ".join(text for _, text in lines[first : last + 1])
        if len(text) > _SHOWN:
            begin = max(0, found.start() - starts[first] - 40)
            text = text[begin : begin + _SHOWN]
        self.hits.append(Hit(rule, numbers, (number, found.start() - starts[first]), text, values))


def _may_fit(rule: Rule, needs: Sequence[Sequence[str]], around: str, begin: int, end: int) -> tuple[int, int] | None:
    """Where its pattern is to be tried. Most lines with a word of a rule hold nothing else of it as near as its pattern
    is wide, which is seen without the pattern."""
    width = rule.width
    first, last = len(around), 0
    for key in rule.keys:
        at = around.find(key, begin, end)
        while at >= 0:
            low, high = max(0, at - width), at + width + len(key)
            near = around[low:high]
            if not needs or any(all(word in near for word in words) for words in needs):
                first, last = min(first, low), max(last, high)
            at = around.find(key, at + 1, end) if width < len(around) else -1
    return (first, last) if last else None


def by_key(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    made: dict[str, list[Rule]] = {}
    for rule in rules:
        for key in rule.keys:
            made.setdefault(key, []).append(rule)
    return made


def _pieces(lines: Iterable[Line]) -> Iterator[Line]:
    for number, line in lines:
        for part in broken(line):
            for begin in range(0, len(part) or 1, LONGEST):
                yield number, plain(part[begin : begin + LONGEST])
