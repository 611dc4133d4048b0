"""Some parsers, fuzzed one after the other in a process of its own; prints what came of it as lines of JSON.

`python -m tests.fuzz.worker FOLDER DESCRIPTOR SECONDS SEED NAME...`, so many seconds for each. The input that is under
way lies in FOLDER, so that it is known also when this process is killed, or crashes; what is told goes to DESCRIPTOR.
"""

import gc
import json
import os
import random
import resource
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.fuzz import pumps
from tests.fuzz.attempt import LARGE_MIB, GivenUp, attempt, forget_memory, memory_mib, within
from tests.fuzz.growth import growth, reading
from tests.fuzz.mutation import edits_from, mutated
from tests.fuzz.parser import Parser
from tests.fuzz.scratch import scratch
from tests.fuzz.targets import target

_ADDRESSES = 4 << 30
_AT_ONCE_S = 1.0
_SMALLER_S = 4.0
_GROWS_SHARE, _GROWS_FROM, _GROWS_S = 0.25, 100_000, 30.0


_TO: list[int] = []


def main(folder: Path, seconds: float, seed: int, names: list[str]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    for name in names:
        parser = target(name)
        place = scratch(f"place {names.index(name)}")
        os.environ.update(HOME=str(place), XDG_STATE_HOME=str(place / "state"))
        say(begins=name)
        fuzzed = _Fuzzed(parser, place, folder)
        fuzzed.grow(seconds * _GROWS_SHARE, seed)
        fuzzed.go(seconds * (1 - _GROWS_SHARE), seed)


class _Fuzzed:
    """What is known of one parser so far."""

    def __init__(self, parser: Parser, place: Path, folder: Path) -> None:
        self.parser, self.place, self.folder = parser, place, folder
        self.tried = self.values = self.grown = 0
        self.slowest = self.peak = 0.0
        self.known: set[str] = set()
        self.current = os.open(folder / "current", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self.forget()

    def forget(self) -> None:
        forget_memory()
        self.base = memory_mib()

    def go(self, seconds: float, seed: int) -> None:
        end = told = time.monotonic()
        end += seconds
        for data in inputs(self.parser, seed):
            now = time.monotonic()
            if now > end:
                break
            if now > told + _AT_ONCE_S:
                told = now
                self.say()
            self.note(data)
            self.one(data)
        self.say(ends=self.parser.name)

    def grow(self, seconds: float, seed: int) -> None:
        """Texts of 100 kB and, where it looks bad, of more."""
        end = time.monotonic() + seconds
        found = list(pumps.of(self.parser))
        random.Random(f"{self.parser.name} {seed}").shuffle(found)
        read = reading(self.parser, self.place)
        for parts in found:
            if time.monotonic() > end:
                break
            self.note(pumps.pump(*parts, _GROWS_FROM))
            made = partial(pumps.pump, *parts)
            try:
                with within(_GROWS_S):
                    told = growth(read, made, _GROWS_FROM)
            except GivenUp:
                told = f"no answer for {_GROWS_S:.0f} s"
            self.grown += 1
            if told:
                self.found(
                    f"slow: {told}\n  {parts[0][-60:]!r}, {parts[1][:60]!r} many times, {parts[2][:60]!r}",
                    made(_GROWS_FROM),
                )
            self.say()

    def note(self, data: bytes) -> None:
        """What is under way."""
        os.ftruncate(self.current, 0)
        os.pwrite(self.current, data, 0)

    def one(self, data: bytes) -> None:
        outcome = attempt(self.parser, data, self.place)
        taken = memory_mib() - self.base
        self.tried += 1
        self.values += outcome.value
        self.slowest, self.peak = max(self.slowest, outcome.seconds), max(self.peak, taken)
        finding = outcome.finding or (f"memory: more than {LARGE_MIB} MiB" if taken > LARGE_MIB else None)
        if taken > LARGE_MIB / 6:
            gc.collect()
            self.forget()
        if finding is not None:
            self.found(finding, data)

    def found(self, finding: str, data: bytes) -> None:
        """Each kind once."""
        kind = finding.partition("\n")[0]
        same = "slow" if kind.startswith("slow") else kind
        if same in self.known:
            return
        self.known.add(same)
        if not kind.startswith(("slow", "memory")):
            data = smaller(self.parser, data, kind, self.place)
        say(finding=finding, input=data.hex())

    def say(self, **more: object) -> None:
        told = {"tried": self.tried, "values": self.values, "slowest": self.slowest, "peak": self.peak}
        say(**told, grown=self.grown, **more)


def inputs(parser: Parser, seed: int) -> Iterator[bytes]:
    """The seeds as they are, then what is made of them, without end."""
    chance = random.Random(f"{parser.name} {seed}")
    seeds, words = list(parser.seeds()), parser.tokens()
    yield from seeds
    while True:
        yield mutated(seeds, chance.getrandbits(32), edits_from(chance), words)


def smaller(parser: Parser, data: bytes, kind: str, place: Path) -> bytes:
    """With as much left out as leaves the finding the same."""
    end = time.monotonic() + _SMALLER_S
    part = len(data) // 2
    while part and time.monotonic() < end:
        start = 0
        while start < len(data) and time.monotonic() < end:
            less = data[:start] + data[start + part :]
            found = attempt(parser, less, place).finding
            if found is not None and found.partition("\n")[0] == kind:
                data = less
            else:
                start += part
        part //= 2
    return data


def say(**facts: object) -> None:
    data = json.dumps(facts).encode() + b"\n"
    while data:
        data = data[os.write(_TO[0], data) :]


if __name__ == "__main__":
    _TO.append(int(sys.argv[2]))
    main(Path(sys.argv[1]), float(sys.argv[3]), int(sys.argv[4]), sys.argv[5:])
