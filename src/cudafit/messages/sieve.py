"""Where in a long text a rule may speak, found without looking at each line for each rule.

A word of a log is looked at once, however often it comes: a text of any size has few different ones, figures left
aside. A rule is thought of only where all words of one of its ways stand within the lines that a message may be spread
over.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

from cudafit.model.frozen import frozen
from cudafit.model.messages import Rule

BEFORE, AFTER = 6, 14  # the lines that a message may be spread over, around the one that holds its key
_REACH = BEFORE + AFTER
_DIGITS = b"0123456789"
_MARKS = b"_.:/+@-"
# Letters small, what no word holds a blank; the figures are left out beside it.
_PLAIN = bytes(
    code if (chr(code).isascii() and chr(code).islower()) or code in _MARKS + b"\n" else ord(chr(code).lower())
    if chr(code).isascii() and chr(code).isupper() else 32
    for code in range(256)
)  # fmt: skip
_VOCABULARY, _LONGEST_WORD = 100_000, 64
_SAME = 100  # places with one line, but for its figures, that are looked at for one way
_MOST_LINES = 2000
_WAITS = 8  # stretches of which no lines are compared after one of which they differed

Region = tuple[int, int]


@frozen
class _Way:
    """Words of which a text holds all where one of these rules speaks."""

    words: tuple[bytes, ...]
    rules: tuple[Rule, ...]
    written: tuple[tuple[str, ...], ...]  # for each rule, with the figures in them


class Sieve:
    """Is given stretches of a text, and says which of their lines are to be read for which keys."""

    def __init__(self, rules: Sequence[Rule], is_done: Callable[[Rule], bool]) -> None:
        self._is_done = is_done
        self._ways: dict[bytes, list[_Way]] = {}
        for way in ways_of(rules):
            self._ways.setdefault(way.words[0], []).append(way)
        self._gates = gates_of(self._ways)
        self._dull: set[bytes] = set()
        self._waits = 0
        self._telling: dict[bytes, list[bytes]] = {}
        self._seen: dict[tuple[tuple[bytes, ...], bytes], int] = {}

    def regions(self, stretch: bytes) -> tuple[list[Region], dict[str, tuple[Rule, list[tuple[str, ...]]]]]:
        """Lines from and to, and the rules that may speak of them, with what they need and those hold."""
        text = stretch.translate(_PLAIN, _DIGITS)
        ways = self._possible(text)
        if not ways:
            return [], {}
        starts = [0, *(found.end() for found in re.finditer(b"\n", text))]
        found: list[Region] = []
        rules: dict[str, tuple[Rule, list[tuple[str, ...]]]] = {}
        for way in ways:
            if some := self._places(text, starts, way):
                found += some
                for rule, words in zip(way.rules, way.written, strict=True):
                    rules.setdefault(rule.id, (rule, []))[1].append(words)
        return _merged(found), rules

    def _possible(self, text: bytes) -> list[_Way]:
        """The ways whose words all stand in it, the rarest word first."""
        words = self._words(text)
        self._learn(words)
        if len(self._telling) < len(words):
            told = [some for word, some in self._telling.items() if word in words]
        else:
            told = [self._telling[word] for word in words if word in self._telling]
        counts: dict[bytes, int] = {}

        def count(word: bytes) -> int:
            if word not in counts:
                counts[word] = text.count(word)
            return counts[word]

        ways = [way for first in {first for some in told for first in some} for way in self._ways[first]]
        there = [way for way in ways if all(map(count, way.words)) and not all(map(self._is_done, way.rules))]
        return [_Way(tuple(sorted(way.words, key=count)), way.rules, way.written) for way in there]

    def _words(self, text: bytes) -> set[bytes]:
        """Of lines that are the same, but for their figures, those of one; whether many are is seen now and then."""
        if self._waits:
            self._waits -= 1
            return set(text.split())
        lines = text.split(b"\n")
        different = set(lines)
        if len(different) * 2 > len(lines):
            self._waits = _WAITS
        return set(b" ".join(different).split())

    def _places(self, text: bytes, starts: Sequence[int], way: _Way) -> list[Region]:
        rarest, *others = way.words
        found: list[Region] = []
        last = len(starts) - 1
        at = text.find(rarest)
        while at >= 0:
            line = bisect_right(starts, at) - 1
            begin, end = max(0, line - _REACH + 1), min(line + _REACH, last + 1)
            after = starts[line + 1] if line < last else len(text)
            around = text[starts[begin] : starts[end] if end <= last else len(text)]
            if all(word in around for word in others) and self._is_new(way, text[starts[line] : after]):
                found.append((begin, end))
            at = text.find(rarest, after)
        return found

    def _is_new(self, way: _Way, line: bytes) -> bool:
        key = (way.words, line[:200])
        seen = self._seen.get(key, 0)
        if seen or len(self._seen) < _VOCABULARY:
            self._seen[key] = seen + 1
        return seen < _SAME

    def _learn(self, words: set[bytes]) -> None:
        """Each word that nobody has looked at yet: which of the first words of ways it holds."""
        fresh = words - self._dull
        fresh.difference_update(self._telling)
        if not fresh:
            return
        listed = list(fresh)
        whole = b"\n".join(listed)
        starts = [0, *accumulate(len(word) + 1 for word in listed)]
        telling: dict[bytes, list[bytes]] = {}
        for first in [one for gate, some in self._gates.items() if gate in whole for one in some]:
            at = whole.find(first)
            while at >= 0:
                place = bisect_right(starts, at) - 1
                telling.setdefault(listed[place], []).append(first)
                at = whole.find(first, starts[place + 1])
        if len(self._telling) + len(telling) > _VOCABULARY:
            self._telling.clear()
        self._telling.update(telling)
        fresh.difference_update(telling)
        if len(self._dull) + len(fresh) > _VOCABULARY:
            self._dull.clear()
        self._dull.update(word for word in fresh if len(word) <= _LONGEST_WORD)


def ways_of(rules: Iterable[Rule]) -> list[_Way]:
    made: dict[frozenset[bytes], list[tuple[Rule, tuple[str, ...]]]] = {}
    for rule in rules:
        if rule.meanings[0].role == "sign":
            continue
        for words in rule.needs or rule.keys:
            bare = (word.encode().translate(None, _DIGITS) for word in words.split())
            way = frozenset(word for word in bare if len(word.strip(_MARKS)) > 1)
            made.setdefault(way, []).append((rule, tuple(words.split())))
    rarest_first = [(tuple(sorted(words, key=lambda word: (-len(word), word))), some) for words, some in made.items()]
    return [_Way(words, *(tuple(one) for one in zip(*some, strict=True))) for words, some in rarest_first]


def gates_of(words: Iterable[bytes]) -> dict[bytes, list[bytes]]:
    """Few parts of four letters of which each word holds one, with the words that do: they are looked for first."""
    holders: dict[bytes, set[bytes]] = {}
    for word in words:
        width = min(4, len(word))
        for at in range(len(word) - width + 1):
            if (part := word[at : at + width]).strip(_MARKS):
                holders.setdefault(part, set()).add(word)
    left = set().union(*holders.values()) if holders else set[bytes]()
    made: dict[bytes, list[bytes]] = {}
    while left:  # the part that most of those that are left hold
        part = max(holders, key=lambda one: (len(holders[one]), one))
        made[part] = sorted(holders[part])
        left -= holders[part]
        holders = {one: rest for one, some in holders.items() if (rest := some & left)}
    return made


def _merged(regions: list[Region]) -> list[Region]:
    """Those that touch are one."""
    made: list[Region] = []
    for begin, end in sorted(set(regions)):
        if made and begin <= made[-1][1] and end - made[-1][0] < _MOST_LINES:
            made[-1] = made[-1][0], max(end, made[-1][1])
        else:
            made.append((begin, end))
    return made
