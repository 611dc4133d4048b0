"""No regular expression of the product takes time by the square of its text."""

import math
import os
from collections.abc import Callable

import pytest

from tests.fuzz.growth import growth, seconds
from tests.fuzz.patterns import Use, pumps, uses
from tests.own_code import SOURCES

_SUSPECT_S = 0.0001
_SIZE = 2_000
# What takes so long for so little grows with the power of its text, and would never end.
_FIRST, _LAST, _LONG_S = 24, 120, 0.05
# Not even what doubles its time with each sign takes more than seconds after a step like this.
_STEP, _QUICK_STEP, _QUICK_S = 6, 18, 0.00001
_CLEARLY = 4.5  # four times the text takes four times the time, and a little more
_CERTAIN_S = 0.3  # a square that takes so long is told apart at once


def rooms() -> list[str]:
    """Of the product; which of them have patterns is found out by the tests."""
    return sorted({path.parent.relative_to(SOURCES).as_posix() for path in SOURCES.rglob("*.py")})


def _by_length(use: Use, made: Callable[[int], str], took: float) -> bool:
    """Four times the text in about four times the time: a square that `growth` finds would show here, if less.

    What takes a n + q n² is told by `growth` where q n is 4.4 a at 32,000 signs. With a quarter of those, and with a
    sixteenth, it is then 1.1 a and 0.28 a: 6.6 times the time. What looks like less is measured once: nearly all does.
    """
    long = seconds(use.apply, made(4 * _SIZE))
    if long < _CLEARLY * took:
        return True
    return long < 5 * min(took, *(seconds(use.apply, made(_SIZE)) for _ in range(2)))


def slow(use: Use) -> str | None:
    for before, unit, end in pumps(use):

        def made(size: int, parts: tuple[str, str, str] = (before, unit, end)) -> str:
            return parts[0] + parts[1] * (size // len(parts[1])) + parts[2]

        what = f"{use.place}: {use.method} with {use.pattern!r} on {before!r}, {unit!r} many times, {end!r}"
        size = _FIRST
        while size <= _LAST:
            took = seconds(use.apply, made(size))
            # What really takes so long does so again; a pause of the machine does not.
            if took > _LONG_S and (took := seconds(use.apply, made(size))) > _LONG_S:
                return f"{what}: more than {_LONG_S} s for {size} characters"
            step = _QUICK_STEP if took < _QUICK_S else _STEP
            size = min(size + step, _LAST) if size < _LAST else size + step
        took = seconds(use.apply, made(_SIZE))
        if took <= _SUSPECT_S or _by_length(use, made, took):
            continue
        # What takes long already is not made longer than need be.
        most = 4 if took > _LONG_S / 10 else 16
        enough = min(most, max(4, math.ceil(math.sqrt(_CERTAIN_S / took))))
        for times in sorted({enough, most}):
            if told := growth(use.apply, made, times * _SIZE):
                return f"{what}: {told}"
    return None


@pytest.mark.slow
@pytest.mark.parametrize("room", rooms())
def test_every_pattern_takes_time_by_length(room: str) -> None:
    found = [told for use in uses() if (os.path.dirname(use.place) or ".") == room and (told := slow(use))]
    assert not found, "\n".join(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (r"a+b", "search"),
        (r"\s+#.*$", "sub"),
        (r"x\s*y?\s*z", "fullmatch"),
        (r"(\w+\s?)*;", "match"),
        (r"=*\d(?:\.[\d*]+|\.\*)*", "fullmatch"),
        (r"([\w.-]+)\.(?:yaml|json)\b", "findall"),
        (r"\[[^\]]*\]", "sub"),
        (r"zeros\((?![^\n]*device)", "search"),
        (rb"version [^\n]*?(\d)", "search"),
    ],
)
def test_a_slow_one_is_found(pattern: str | bytes, method: str) -> None:
    assert slow(Use(pattern, 0, method, "here"))


@pytest.mark.slow
def test_patterns_are_found_wherever_they_stand() -> None:
    assert len(uses()) > 250
    seen = {use.place.rpartition(":")[0] for use in uses()}
    assert {"machine/nvidia_smi.py", "model/requirement.py", "lint/handlers.py"} <= seen
