"""Whether the time that something takes grows with its input, or with the square of it."""

import time
from collections.abc import Callable
from typing import TypeVar

Input = TypeVar("Input", str, bytes)

_LEAST_S = 0.01  # below, a ratio says nothing
_MOST = 3.0  # times as long as by length alone; a square over a factor of eight has eight times
_TRIES = 3


def growth(read: Callable[[Input], object], made: Callable[[int], Input], sizes: tuple[int, int]) -> str | None:
    """What is wrong, or None. `made` gives an input of a size; counted is processor time, not a busy machine's."""
    small, large = (made(size) for size in sizes)
    long = seconds(read, large)
    if long < _LEAST_S:
        return None
    short = min(seconds(read, small) for _ in range(_TRIES))
    allowed = max(short, 1e-4) * len(large) / max(1, len(small)) * _MOST
    for _ in range(_TRIES):
        if allowed < long < 2 * allowed:  # it may have been the machine
            long = min(long, seconds(read, large))
    if long <= allowed:
        return None
    times = long / max(short, 1e-9)
    return f"{len(small):,} take {short:.4f} s, {len(large):,} take {long:.3f} s: {times:.0f} times as long"


def seconds(read: Callable[[Input], object], given: Input) -> float:
    began = time.process_time()
    read(given)
    return time.process_time() - began
