"""How long conda's side takes: a solve over 400,000 records, and a small environment from a channel on disk.

The first is the whole of cudafit's solve, with the start of its worker, once the system has the channel's list in
memory. The second is `cudafit create`, from the start of the program to what doctor says.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cudafit.conda.solver import Question, solve
from tests.repair.conda_world import conda_world

CUDAFIT = str(Path(sys.executable).parent / "cudafit")
NAMES, VERSIONS, BUILDS = 20_000, 5, 4
VIRTUAL = (("__unix", "0"), ("__linux", "5.10"), ("__glibc", "2.36"), ("__cuda", "12.4"))


def synthetic(folder: Path) -> int:
    """A channel of packages that need each other as real ones do: a few, of much smaller numbers, within bounds."""
    chance = random.Random(1)
    packages = {}
    for number in range(NAMES):
        below = [chance.randrange(number // 4) for _ in range(min(number // 4, chance.randrange(6)))]
        depends = [f"p{other} >=1.{chance.randrange(3)},<2.0a0" for other in below]
        for version in range(VERSIONS):
            for build in range(BUILDS):
                name = f"p{number}-1.{version}-h{build}_{build}.conda"
                packages[name] = {
                    "name": f"p{number}",
                    "version": f"1.{version}",
                    "build": f"h{build}_{build}",
                    "build_number": build,
                    "depends": depends,
                    "sha256": f"{chance.getrandbits(256):064x}",
                    "md5": f"{chance.getrandbits(128):032x}",
                    "size": 1000,
                    "subdir": "linux-64",
                    "timestamp": 1700000000000,
                }
    for subdir, listed in (("linux-64", packages), ("noarch", {})):
        (folder / subdir).mkdir(parents=True)
        value = {"info": {"subdir": subdir}, "packages": {}, "packages.conda": listed, "repodata_version": 1}
        (folder / subdir / "repodata.json").write_text(json.dumps(value), encoding="utf-8")
    return len(packages)


def solve_seconds(folder: Path, rounds: int) -> tuple[float, int]:
    specs = tuple(f"p{number}" for number in range(NAMES - 1, NAMES - 400, -40))
    question = Question((folder.as_uri(),), "linux-64", specs, VIRTUAL)
    times, found = [], 0
    for _ in range(rounds + 1):
        start = time.perf_counter()
        (records,) = solve([question])
        times.append(time.perf_counter() - start)
        found = len(records)
    return statistics.median(times[1:]), found


def create_seconds(folder: Path, rounds: int) -> float:
    made = conda_world(folder)
    times = []
    for number in range(rounds):
        command = [CUDAFIT, "create", "--prefix", str(folder / f"e{number}"), "torch", "numpy", "rich", *made.words]
        start = time.perf_counter()
        subprocess.run(command, env={**os.environ, **made.env}, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        records = synthetic(folder / "large")
        seconds, found = solve_seconds(folder / "large", rounds)
        judged = "met" if seconds <= 0.5 else "MISSED"
        print(f"  {seconds:5.2f} s  a solve over {records} records, {found} in the answer  goal at most 0.5: {judged}")
        (folder / "small").mkdir()
        print(
            f"  {create_seconds(folder / 'small', rounds):5.2f} s  create of a small environment, solved and installed"
        )


if __name__ == "__main__":
    main()
