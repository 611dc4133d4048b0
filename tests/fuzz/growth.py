"""Whether the time that something takes grows with its input, or with the square of it."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import TypeVar

from tests.fuzz.parser import Parser

Input = TypeVar("Input", str, bytes)

_LEAST_S = 0.01  # below, a ratio says nothing
_SURE_S = 0.2  # from here on it does, whatever else the machine does
_MOST = 3.5  # times as long as by length alone; a square over a factor of eight has eight times
_CLEARLY = 1.5  # what is so much over that needs no further look
_FACTOR = 8
_TRIES = 3
_LARGEST = 1 << 20


def growth(read: Callable[[Input], object], made: Callable[[int], Input], size: int) -> str | None:
    """What is wrong, or None. `made` gives an input of about a size, and of `size` it should take some milliseconds.

    What looks as if it grew with the square is tried with larger ones, until that is certain.
    """
    while True:
        large = made(size)
        long = seconds(read, large)
        if long < _LEAST_S:
            return None
        small = made(size // _FACTOR)
        short = min(seconds(read, small) for _ in range(_TRIES))
        allowed = max(short, 1e-4) * _FACTOR * _MOST
        if long <= allowed:
            return None
        long = min(long, seconds(read, large))  # what is done for the first time takes longer
        if long <= allowed:
            return None
        if long >= _SURE_S:
            if long > _CLEARLY * allowed:
                break
            # Whatever else the machine does, most of all to its caches, is in favour of what is read.
            long = min(long, *(seconds(read, large) for _ in range(_TRIES)))
            short = median(seconds(read, small) for _ in range(_TRIES))
            if long <= max(short, 1e-4) * _FACTOR * _MOST:
                return None
            break
        size *= 2
        if size > _LARGEST:
            return None
    times = long / max(short, 1e-9)
    return f"{len(small):,} take {short:.4f} s, {len(large):,} take {long:.3f} s: {times:.0f} times as long"


def seconds(read: Callable[[Input], object], given: Input) -> float:
    """Of the processor. (While a timer of processor time is set, as in `attempt`, its clock is coarse on Linux.)"""
    began = time.process_time()
    read(given)
    return time.process_time() - began


def reading(parser: Parser, place: Path) -> Callable[[bytes], object]:
    """It may refuse what it is given, and for the time that it takes any error does."""

    def read(data: bytes) -> object:
        with suppress(Exception):
            return parser.read(data, place)
        return None

    return read
