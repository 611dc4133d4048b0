"""What a command costs: the CPU time of its process and of all processes that it waited for.

CPU time does not count what other programs take of the machine, but they do slow it down; so commands that are compared
take turns, and a figure is the median over the rounds of what one cost by what the other cost in the same round.
"""

import math
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

YARDSTICK = (sys.executable, "-c", "import click")
LIMIT = 1.1  # an exponent above it is a finding
SHOWS = 0.2  # so much more than once must ten times the work cost, or only the start was measured


@dataclass(frozen=True)
class Command:
    """What is started, where; by `before`, where it needs a fresh place each time."""

    words: tuple[str, ...]
    folder: str | None = None
    environ: Mapping[str, str] | None = None
    before: Callable[[], object] | None = None
    codes: tuple[int, ...] = (0,)


def compiling() -> dict[str, str]:
    """The environment in which the first round compiles, as an installation does."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def cpu_seconds(command: Command) -> float:
    """Exits where the command does not end as it should: an error is answered faster than what was asked."""
    if command.before:
        command.before()
    environ = compiling() if command.environ is None else command.environ
    start = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command.words, cwd=command.folder, env=environ, capture_output=True, check=False)
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in command.codes:
        sys.exit(f"{' '.join(command.words)}: exit code {done.returncode}\n{done.stderr.decode(errors='replace')}")
    return end.ru_utime - start.ru_utime + end.ru_stime - start.ru_stime


def in_turns(commands: Sequence[Command], rounds: int) -> list[list[float]]:
    """CPU seconds of each command in each round; a round before them fills caches and is not counted."""
    taken: list[list[float]] = [[] for _ in commands]
    for number in range(rounds + 1):
        for command, seconds in zip(commands, taken, strict=True):
            cost = cpu_seconds(command)
            if number:
                seconds.append(cost)
    return taken


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))


def fitted(works: Sequence[float], costs: Sequence[float]) -> float:
    """The exponent k of cost = a * work**k, by least squares over the logarithms of both."""
    xs, ys = [math.log(work) for work in works], [math.log(cost) for cost in costs]
    x, y = statistics.fmean(xs), statistics.fmean(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


@dataclass(frozen=True)
class Growth:
    """`above` is the exponent of what comes on top of the start; None where too little does."""

    whole: float
    above: float | None

    @property
    def finding(self) -> bool:
        return max(self.whole, self.above or 0.0) > LIMIT


def growth(costs: Sequence[float], factor: float = 10) -> Growth:
    """From the costs of 1, `factor` and `factor`**2 times the work.

    A start that costs the same for any work hides in `whole` how the rest grows. Where cost = start + a * work**k, the
    second difference by the first is `factor`**k, whatever the start is.
    """
    small, middle, large = costs
    whole = fitted([1, factor, factor**2], costs)
    first, second = middle - small, large - middle
    shows = first > SHOWS * small and second > 0
    return Growth(whole, math.log(second / first, factor) if shows else None)
