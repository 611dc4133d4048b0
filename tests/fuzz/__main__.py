"""`make fuzz SECONDS=600`: every parser and whole commands, on texts that nobody would write; a finding is exit code 1.

A finding is an error that the parser does not document, a crash, an answer after more than two seconds of processor
time, or more than 300 MiB. Each is printed with its input, which is kept in build/fuzz. `ONLY=word` takes the targets
with that word in their names, `JOBS=n` works on so many at once, `SEED=n` makes other texts. A kept input is tried
again with `python -m tests.fuzz --try 'NAME' FILE`.
"""

import argparse
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.attempt import attempt
from tests.fuzz.parser import name_of
from tests.fuzz.scratch import scratch
from tests.fuzz.targets import TARGETS, target
from tests.older import SAFE_PYTHON

KEPT = Path("build") / "fuzz"
_STARTS_S = 60.0  # until the first word of a worker
_HANGS_S = 40.0  # without a word; a worker gives up an input by itself long before
_GROUP = 12  # targets of one worker


@dataclass
class Told:
    """What came of a target."""

    tried: int = 0
    grown: int = 0  # texts that it was timed on
    values: int = 0
    slowest: float = 0.0
    peak: float = 0.0
    findings: dict[str, Path] = field(default_factory=dict)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Run:
    def __init__(self, seconds: float, seed: int) -> None:
        self.seconds, self.seed = seconds, seed
        self.told: dict[str, Told] = {}

    def group(self, names: list[str]) -> None:
        """In one worker; where it is killed or crashes, in another that goes on behind that target."""
        waiting = list(names)
        while waiting:
            with tempfile.TemporaryDirectory(prefix="cudafit-fuzz-") as folder:
                begun, trouble = self._worker(waiting, Path(folder))
                if trouble is None:
                    return
                current = Path(folder) / "current"
                self._found(begun, trouble, current.read_bytes() if current.exists() else b"")
            waiting = waiting[waiting.index(begun) + 1 :]

    def _worker(self, names: list[str], folder: Path) -> tuple[str, str | None]:
        """The target that it was at, and how it ended if not well."""
        reader, writer = os.pipe()
        words = [*SAFE_PYTHON, "-m", "tests.fuzz.worker", str(folder), str(writer), str(self.seconds)]
        paths = os.pathsep.join(filter(None, (os.getcwd(), os.environ.get("PYTHONPATH"))))
        with subprocess.Popen(
            [*words, str(self.seed), *names],
            stdout=subprocess.DEVNULL,
            # Its folders go with this one, also where it is killed.
            env={**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": "0", "TMPDIR": str(folder)},
            pass_fds=[writer],
            start_new_session=True,
        ) as child:
            os.close(writer)
            try:
                begun, trouble = self._followed(reader, names[0])
            finally:
                os.close(reader)
                self._end(child)
        return begun, trouble or (f"crash: the process ended with {child.returncode}" if child.returncode else None)

    def _end(self, child: "subprocess.Popen[bytes]") -> None:
        """It has closed its end, and so is ending; or it says nothing any more."""
        try:
            child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)

    def _followed(self, reader: int, begun: str) -> tuple[str, str | None]:
        heard, limit, rest = time.monotonic(), _STARTS_S, b""
        with selectors.DefaultSelector() as selector:
            selector.register(reader, selectors.EVENT_READ)
            while True:
                if selector.select(timeout=1.0):
                    data = os.read(reader, 1 << 20)
                    if not data:
                        return begun, None
                    heard, limit = time.monotonic(), _HANGS_S
                    *lines, rest = (rest + data).split(b"\n")
                    for line in lines:
                        begun = self._heard(json.loads(line), begun)
                elif time.monotonic() > heard + limit:
                    return begun, f"hang: no answer for {limit:.0f} s"

    def _heard(self, fact: dict[str, object], begun: str) -> str:
        begun = str(fact.get("begins", begun))
        told = self.told.setdefault(begun, Told())
        if "tried" in fact:
            told.tried, told.grown, told.values = (int(str(fact[name])) for name in ("tried", "grown", "values"))
            told.slowest, told.peak = float(str(fact["slowest"])), float(str(fact["peak"]))
        if "finding" in fact:
            self._found(begun, str(fact["finding"]), bytes.fromhex(str(fact["input"])))
        return begun

    def _found(self, name: str, finding: str, data: bytes) -> None:
        findings = self.told.setdefault(name, Told()).findings
        kind = finding.partition("\n")[0]
        KEPT.mkdir(parents=True, exist_ok=True)
        path = KEPT / f"{name_of(name)}-{len(findings) + 1}"
        path.write_bytes(data)
        findings[kind] = path
        say(f"FINDING in {name}: {finding.rstrip()}\n  input ({len(data):,} bytes): {path}: {data[:120]!r}\n")

    def summary(self) -> int:
        rows = sorted(self.told.items(), key=lambda row: -row[1].slowest)
        width = max(map(len, self.told), default=0)
        say(f"{'target':{width}}  {'timed':>5}  {'inputs':>9}  {'values':>6}  {'slowest':>8}  {'memory':>8}  findings")
        for name, told in rows:
            share = f"{100 * told.values // max(1, told.tried)} %"
            found = str(len(told.findings) or "")
            line = (
                f"{name:{width}}  {told.tried:>9,}  {share:>6}  {told.slowest:>6.2f} s  {told.peak:>4.0f} MiB  {found}"
            )
            say(line.rstrip())
        findings = sum(len(told.findings) for told in self.told.values())
        tried = sum(told.tried for told in self.told.values())
        slowest, peak = (
            max((getattr(told, what) for told in self.told.values()), default=0) for what in ("slowest", "peak")
        )
        say(f"\n{tried:,} inputs for {len(self.told)} targets, seed {self.seed}; the slowest answer: {slowest:.2f} s,")
        say(f"the most memory for one was {peak:.0f} MiB; {findings} findings{f', kept in {KEPT}' if findings else ''}")
        return 1 if findings or not tried else 0


def again(name: str, path: str) -> int:
    outcome = attempt(target(name), Path(path).read_bytes(), scratch("again"))
    say(outcome.finding or f"{'a value' if outcome.value else 'an error of its own'}, {outcome.seconds:.2f} s")
    return 1 if outcome.finding else 0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__.partition("\n")[0] if __doc__ else ""
    )
    parser.add_argument("--seconds", type=float, default=600.0, help="in all, for one job")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="", help="targets with this in their names")
    parser.add_argument("--try", dest="again", nargs=2, metavar=("NAME", "FILE"))
    parser.add_argument("--list", action="store_true")
    given = parser.parse_args()
    if given.again:
        return again(*given.again)
    names = [one.name for one in TARGETS if given.only in one.name]
    if given.list or not names:
        say("\n".join(names) or f"no target has `{given.only}` in its name")
        return 0 if names else 2
    run = Run(max(0.2, given.seconds * given.jobs / len(names)), given.seed)
    groups = [names[start : start + _GROUP] for start in range(0, len(names), _GROUP)]
    if given.jobs > 1:
        with ThreadPoolExecutor(given.jobs) as pool:
            list(pool.map(run.group, groups))
    else:
        for group in groups:
            run.group(group)
    return run.summary()


if __name__ == "__main__":
    sys.exit(main())
