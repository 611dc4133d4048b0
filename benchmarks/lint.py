"""How long lint takes over 1,000 files of training code, by what Python takes to compile them without a cache."""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE.parent / "tests" / "lint" / "scripts"
CUDAFIT = [sys.executable, "-m", "cudafit"]


_PARSE = "import ast, pathlib; [ast.parse(one.read_bytes()) for one in pathlib.Path('.').rglob('*.py')]"


def scripts() -> list[str]:
    """The scripts of the tests: dense code of every framework, so a hard case."""
    found = []
    for file in sorted(SCRIPTS.glob("*.txt")):
        parts = file.read_text(encoding="utf-8").split("# expect:")
        found += [f"# expect:{part}" for part in parts[1:]]
    return found


def seconds(command: Sequence[str], folder: str) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - start


def show(value: float, name: str, goal: float) -> None:
    print(f"  {value:5.2f}  {name:66}  goal at most {goal:g}: {'met' if value <= goal else 'MISSED'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    print(f"{rounds} rounds, medians")
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(islice(cycle(scripts()), 1000)):
            place = Path(folder, f"part{number % 20}")
            place.mkdir(exist_ok=True)
            (place / f"train{number}.py").write_text(text, encoding="utf-8")
        lint = [*CUDAFIT, "lint", "--no-cache", "--json", "."]
        again = [*CUDAFIT, "lint", "--json", "."]
        parse = [sys.executable, "-c", _PARSE]
        compileall = [sys.executable, "-m", "compileall", "-q", "-f", "."]
        pairs = [(seconds(lint, folder), seconds(compileall, folder)) for _ in range(rounds + 1)][1:]
        show(statistics.median(mine / other for mine, other in pairs), "lint of 1,000 files, by `compileall -f`", 1.5)
        pairs_again = [(seconds(again, folder), seconds(parse, folder)) for _ in range(rounds + 1)][1:]
        show(statistics.median(mine / other for mine, other in pairs_again), "the same once more, by `ast.parse`", 1.0)
        print(f"  {statistics.median(mine for mine, _ in pairs):5.2f}  seconds")


if __name__ == "__main__":
    main()
