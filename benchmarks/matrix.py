"""How long the compiled matrix takes to load, against `json.loads` of the same bytes, and how that grows with its rows.

Every figure is the median of rounds in which all cases take turns.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from cudafit.matrix.compiled import Compiled, compile_matrix
from cudafit.matrix.load import open_matrix
from cudafit.model.matrix import Matrix


def bytes_of(compiled: Compiled, names: list[str]) -> list[str]:
    return [Path(compiled.path, name).read_text(encoding="utf-8") for name in names]


def ten_times(matrix: Matrix) -> Matrix:
    """The same matrix with ten rows for one: nine more versions of each."""
    builds = {
        name: tuple(replace(build, version=f"{build.version}.{n}") for n in range(10) for build in rows)
        for name, rows in matrix.builds.items()
    }
    return replace(matrix, builds=builds)


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        first = seconds(open_matrix)
        compiled = open_matrix()
        everything = compiled.matrix()
        large = compile_matrix(ten_times(everything), "10", str(Path(folder) / "large"))
        torch = bytes_of(compiled, ["builds-torch.json"])
        whole = bytes_of(compiled, sorted(os.listdir(compiled.path)))
        cases: dict[str, Callable[[], object]] = {
            "json.loads of torch": lambda: [json.loads(text) for text in torch],
            "builds of torch": lambda: compiled.builds("torch"),
            "builds of torch, ten times the rows": lambda: large.builds("torch"),
            "json.loads of all": lambda: [json.loads(text) for text in whole],
            "all facts and builds": compiled.matrix,
            "open, compiled before": open_matrix,
        }
        times: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(options.rounds):
            for name, call in cases.items():
                times[name].append(seconds(call))
    middle = {name: statistics.median(taken) * 1000 for name, taken in times.items()}
    rows = sum(len(builds) for builds in everything.builds.values())
    print(f"{len(everything.builds['torch'])} rows of torch, {rows} of all packages; {options.rounds} rounds")
    for name, value in middle.items():
        print(f"{value:8.2f} ms  {name}")
    torch_ratio = middle["builds of torch"] / middle["json.loads of torch"]
    all_ratio = middle["all facts and builds"] / middle["json.loads of all"]
    growth = middle["builds of torch, ten times the rows"] / middle["builds of torch"]
    print(f"{torch_ratio:8.2f}     torch against json.loads of the same bytes")
    print(f"{all_ratio:8.2f}     all against json.loads of the same bytes")
    print(f"{growth:8.2f}     ten times the rows against once")
    print(f"{first:8.2f} s   the first use in a checkout: YAML to JSON")
    return 0


if __name__ == "__main__":
    sys.exit(main())
