"""The rules tried on a text: which of them speak, at which lines, with which values."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cudafit.messages.lines import LONGEST, broken, plain
from cudafit.messages.patterns import compiled
from cudafit.model.frozen import frozen
from cudafit.model.messages import Rule

_BEFORE, _AFTER = 6, 14  # the lines that a message may be spread over, around the one that holds its key
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
        self._by_key: dict[str, list[Rule]] = {}
        for rule in self.rules:
            for key in rule.keys:
                self._by_key.setdefault(key, []).append(rule)
        self._patterns: dict[str, re.Pattern[str]] = {}
        self._needs: dict[str, list[list[str]]] = {}
        self._counts: dict[str, int] = {}
        self._seen: set[tuple[str, int]] = set()

    @property
    def keys(self) -> list[str]:
        return list(self._by_key)

    def read(self, lines: Iterable[Line], keys: Iterable[str] | None = None) -> None:
        """Lines that follow on each other. `keys` are those that the whole of them holds, where that is known."""
        pieces = list(_pieces(lines))
        lowered = [text.lower() for _, text in pieces]
        if keys is None:
            whole = "\n".join(lowered)
            keys = [key for key in self._by_key if key in whole]
        keys = [key for key in keys if not all(self._is_done(rule) for rule in self._by_key[key])]
        for at, low in enumerate(lowered):
            rules = {rule.id: rule for key in keys if key in low for rule in self._by_key[key]}
            if rules := {name: rule for name, rule in rules.items() if not self._is_done(rule)}:
                window = Window(pieces[max(0, at - _BEFORE) : at + _AFTER], min(_BEFORE, at))
                around = "\n".join(lowered[max(0, at - _BEFORE) : at + _AFTER])
                for rule in rules.values():
                    if self._may_fit(rule, around):
                        self._try(rule, window)

    def _may_fit(self, rule: Rule, around: str) -> bool:
        """Most lines with a word of a rule hold nothing else of it, which is seen without its pattern."""
        needs = self._needs.get(rule.id)
        if needs is None:
            needs = self._needs[rule.id] = [words.split() for words in rule.needs]
        return not needs or any(all(word in around for word in words) for words in needs)

    def _is_done(self, rule: Rule) -> bool:
        return self._counts.get(rule.id, 0) > _TRIED or (rule.meanings[0].role == "sign" and rule.id in self.signs)

    def _try(self, rule: Rule, window: "Window") -> None:
        self._counts[rule.id] = self._counts.get(rule.id, 0) + 1
        pattern = self._patterns.get(rule.id)
        if pattern is None:
            pattern = self._patterns[rule.id] = compiled(rule.pattern)
        for found in pattern.finditer(window.joined):
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
        if sum(hit.rule is rule for hit in self.hits) >= _KEPT:
            return
        values = {name: value.strip() for name, value in found.groupdict().items() if value}
        numbers = tuple(dict.fromkeys(one for one, _ in lines[first : last + 1]))
        text = " ".join(text for _, text in lines[first : last + 1])
        if len(text) > _SHOWN:
            begin = max(0, found.start() - starts[first] - 40)
            text = text[begin : begin + _SHOWN]
        self.hits.append(Hit(rule, numbers, (number, found.start() - starts[first]), text, values))


def _pieces(lines: Iterable[Line]) -> Iterator[Line]:
    for number, line in lines:
        for part in broken(line):
            for begin in range(0, len(part) or 1, LONGEST):
                yield number, plain(part[begin : begin + LONGEST])
