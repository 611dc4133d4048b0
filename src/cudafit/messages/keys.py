"""Words that every text which a pattern fits holds: they are looked for first, as that is quick."""

import re
import sys
from collections.abc import Iterator
from typing import Any

if sys.version_info >= (3, 11):
    from re import _parser as parser  # type: ignore[attr-defined]
else:
    import sre_parse as parser

_WORD = re.compile(r"[a-z0-9_.:/+@-]{3,}")
_LONG_ENOUGH = 12
_TELLING = 14  # of words that others than the errors in question hardly have together
_COMBINED = 64
_WIDEST = 1 << 16
_ORDINARY = """
    load read image invalid code access symbol timed reported without
    and address are available but call can cannot client command connect connection could daemon device
    directory driver error failed file for found from function has import index initialize kernel
    library loaded memory missing module network node not open operation package path process refused
    request requested runtime server service socket support supported system the unable unknown using
    version warning was with you your
"""
_EVERYWHERE = frozenset(_ORDINARY.split())


def keys_of(pattern: str) -> tuple[str, ...]:
    """Of an expanded pattern; raises ValueError for one that could be anywhere."""
    found = _required(parser.parse(pattern, re.IGNORECASE))
    if not found:
        raise ValueError("no word stands in all that it fits")
    return tuple(sorted(found))


def needs_of(pattern: str) -> tuple[str, ...]:
    """Of an expanded pattern: sets of words, of which every text that it fits holds one whole; none where any may."""
    found = _alternatives(parser.parse(pattern, re.IGNORECASE))
    return tuple(sorted({" ".join(sorted(words, key=_rarest_first)) for words in found})) if all(found) else ()


def width_of(pattern: str) -> int:
    """Of an expanded pattern: as long as what it fits, and what it looks at around that, can be."""
    parsed = parser.parse(pattern, re.IGNORECASE)
    return min(int(parsed.getwidth()[1]) + sum(_looked_at(parsed)), _WIDEST)


def _looked_at(parsed: Any) -> Iterator[int]:
    """How wide each assertion in it is."""
    for operation, given in parsed:
        if operation in (parser.ASSERT, parser.ASSERT_NOT):
            yield int(given[1].getwidth()[1])
        elif operation in (parser.MAX_REPEAT, parser.MIN_REPEAT):
            yield from _looked_at(given[2])
        elif operation is parser.SUBPATTERN:
            yield from _looked_at(given[-1])
        elif operation is parser.BRANCH:
            for one in given[1]:
                yield from _looked_at(one)


def has_no_bound(pattern: str) -> bool:
    """Whether something in it is repeated as often as there is more."""
    return _unbounded(parser.parse(pattern, re.IGNORECASE))


def _unbounded(parsed: Any) -> bool:
    for operation, given in parsed:
        if operation in (parser.MAX_REPEAT, parser.MIN_REPEAT):
            if given[1] is parser.MAXREPEAT or _unbounded(given[2]):
                return True
        elif operation is parser.SUBPATTERN:
            if _unbounded(given[-1]):
                return True
        elif operation is parser.BRANCH and any(map(_unbounded, given[1])):
            return True
    return False


def _required(parsed: Any) -> frozenset[str] | None:
    best: frozenset[str] | None = None
    for words, alternatives in _parts(parsed):
        for word in words:
            best = _better(best, frozenset((word,)))
        sets = [_required(one) for one in alternatives]
        if sets and all(sets):
            best = _better(best, frozenset().union(*(one for one in sets if one)))
    return best


def _alternatives(parsed: Any, *, most: int = _COMBINED) -> list[frozenset[str]]:
    """What stands in it whatever it fits, with each way of the choice in it that tells most, and of others where that
    tells little and no more than `most` come of it."""
    always, choices = set[str](), list[list[frozenset[str]]]()
    for words, alternatives in _parts(parsed):
        always.update(words)
        ways = list(dict.fromkeys(way for one in alternatives for way in _few_alternatives(one)))
        if ways and all(ways):
            choices.append(ways)
    made = [frozenset(always)]
    for ways in sorted(choices, key=lambda ways: -min(map(_telling, ways))):
        if len(made) == 1 or (min(map(_telling, made)) < _TELLING and len(made) * len(ways) <= most):
            made = list(dict.fromkeys(one | way for one in made for way in ways))
    return [way for way in made if not any(other < way for other in made)]


def _few_alternatives(parsed: Any) -> list[frozenset[str]]:
    """Of one with many ways fewer, and at the least what they share."""
    for most in (_COMBINED // 2, 1):
        ways = _alternatives(parsed, most=most)
        if len(ways) <= _COMBINED:
            return ways
    return [frozenset.intersection(*ways)]


def _parts(parsed: Any) -> Iterator[tuple[list[str], list[Any]]]:
    """Each part that a text must hold: words of it, or patterns of which it must hold one."""
    run = ""
    for operation, given in [*parsed, (None, None)]:
        if operation is parser.LITERAL:
            run += chr(given).lower()
            continue
        yield _WORD.findall(run), []
        begun = [(parser.LITERAL, ord(letter)) for letter in run]
        run = ""
        if operation is parser.SUBPATTERN:
            yield [], [given[-1]]
        elif operation is parser.MAX_REPEAT and given[0] >= 1:
            yield [], [given[2]]
        elif operation is parser.BRANCH:
            yield [], [[*begun, *one] for one in given[1]]  # what all ways begin with stands before them


def _better(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if not one or not other:
        return one or other
    return max(one, other, key=_worth)


def _telling(words: frozenset[str]) -> int:
    return sum(map(_rarity, words))


def _rarest_first(word: str) -> tuple[int, str]:
    return -_rarity(word), word


def _worth(words: frozenset[str]) -> tuple[int, int]:
    """The rarest set counts. A word of every other log is worth little, and figures alone nothing: lines that differ in
    figures are looked at once."""
    return min(map(_rarity, words)), -len(words)


def _rarity(word: str) -> int:
    if word.strip(".:") in _EVERYWHERE:
        return 2
    return min(_LONG_ENOUGH, len(word)) if word.upper() != word else 1
