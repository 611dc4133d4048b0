"""How long `cudafit resolve` takes, as ratios within one run, and how much memory.

The yardsticks are `python -c "import click"` and, where uv and a package index are at hand, `uv pip compile --offline`
of the same request, from a cache that was just filled. Each round runs every command once; a figure is the median of
the rounds' ratios.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cudafit.matrix.folder import BUILDS, file_text, read_folder
from cudafit.matrix.load import open_matrix
from cudafit.model.requirement import wanted
from cudafit.resolve.answer import resolve
from cudafit.resolve.host import hosts_of
from cudafit.resolve.request import Request
from tests.machines import FOLDER as MACHINES

PYTHON = sys.executable
CUDAFIT = str(Path(PYTHON).parent / "cudafit")
BASE = [PYTHON, "-c", "import click"]
CARD = ["--gpu", "RTX 4090", "--driver", "580.65.06", "--python", "3.12"]
# No one answer for a folder of machines of every sort: each part of it is asked about.
HOPELESS = ["tensorflow", "jax", "torchvision"]
KINDS = 50
MANY = 10_000
Environ = Mapping[str, str]


def seconds(command: Sequence[str], environ: Environ) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - start


def ratios(
    cases: Mapping[str, Sequence[str]], yardstick: Sequence[str], environ: Environ, rounds: int
) -> dict[str, float]:
    """The median over rounds of each case's time by that of the yardstick."""
    for command in (yardstick, *cases.values()):
        seconds(command, environ)
    found: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        base = seconds(yardstick, environ)
        for name, command in cases.items():
            found[name].append(seconds(command, environ) / base)
    return {name: statistics.median(values) for name, values in found.items()}


def peak_kib(code: str, environ: Environ) -> int:
    """The largest resident size of a Python that runs this code, by the kernel; the smallest of three runs."""
    told = "; import sys; sys.stderr.write(next(l for l in open('/proc/self/status') if l.startswith('VmHWM')))"
    command = [PYTHON, "-c", code + told]
    runs = [subprocess.run(command, env=environ, capture_output=True, text=True, check=True) for _ in range(3)]
    return min(int(run.stderr.split()[-2]) for run in runs)


def snapshots(folder: Path, kinds: int, count: int) -> str:
    """`count` machines of so many kinds: each with a UUID of its own, alike in what decides."""
    folder.mkdir()
    plain = json.loads((MACHINES / "rtx4090-550.json").read_text(encoding="utf-8"))
    capabilities = ["6.1", "7.0", "7.5", "8.0", "8.6", "8.9", "9.0", "12.0"]
    for number in range(count):
        kind = number % kinds
        plain["driver"]["version"] = f"5{50 + 10 * (kind % 4)}.{10 + kind // 4}.01"
        plain["driver"]["cuda"] = ["12.4", "12.6", "12.8", "13.0"][kind % 4]
        plain["gpus"][0]["compute_capability"] = capabilities[kind % len(capabilities)]
        plain["gpus"][0]["uuid"] = f"GPU-{number:08d}-0000-0000-0000-000000000000"
        (folder / f"m{number:05d}.json").write_text(json.dumps(plain), encoding="utf-8")
    return str(folder)


def ten_times(folder: Path) -> str:
    """The packaged matrix with ten times the rows of torch: the same builds again under older versions."""
    packaged = read_folder(str(Path(__file__).resolve().parent.parent / "matrices"))
    file = packaged.files["frameworks/torch.yaml"]
    rows = [entry.record for entry in file.entries[BUILDS]]
    more = [replace(row, version=f"0.{times}.{row.version.replace('.', '')}") for times in range(1, 10) for row in rows]
    place = folder / "frameworks"
    place.mkdir(parents=True)
    (place / "torch.yaml").write_text(file_text(file.comment, file.scalars, {BUILDS: [*more, *rows]}), encoding="utf-8")
    return str(folder)


def compile_command(folder: Path) -> list[str] | None:
    """uv's own resolution of `torch`, from a warm cache; None where uv or an index is missing."""
    uv = shutil.which("uv", path=f"{Path(PYTHON).parent}:{os.environ.get('PATH', '')}")
    if uv is None:
        return None
    request = folder / "request.in"
    request.write_text("torch\n", encoding="utf-8")
    command = [uv, "pip", "compile", "--quiet", "--no-header", "--python-version", "3.12", str(request)]
    done = subprocess.run(command, env=os.environ, capture_output=True, check=False)
    return [*command, "--offline"] if done.returncode == 0 else None


def in_process(many: str, few: str) -> float:
    """The pure function over all machines at once, by the same over one machine of each kind."""
    from cudafit.machine.saved import load_all  # noqa: PLC0415 - part of neither measurement

    book = open_matrix()
    request = Request((wanted("torch"),), python="3.12")
    sets = [list(load_all([folder])) for folder in (few, many)]
    times: list[list[float]] = [[], []]
    for _ in range(5):
        for taken, machines in zip(times, sets, strict=True):
            start = time.perf_counter()
            resolve(request, hosts_of(machines, book.facts), book)
            taken.append(time.perf_counter() - start)
    return statistics.median(times[1]) / statistics.median(times[0])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a goal is missed")
    options = parser.parse_args()
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    lines: list[tuple[str, float, float | None]] = []
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        cases = {
            "resolve torch --json, this machine": [CUDAFIT, "resolve", "torch", "--json"],
            "resolve torch --json, a described machine": [CUDAFIT, "resolve", "torch", "--json", *CARD],
            "resolve torch tensorflow jax --json": [CUDAFIT, "resolve", "torch", "tensorflow", "jax", "--json", *CARD],
            "resolve torch, for people": [CUDAFIT, "resolve", "torch", *CARD],
        }
        goals = (3.0, 3.0, None, None)
        found = ratios(cases, BASE, plain, options.rounds)
        lines += [(f"{name}, by `import click`", found[name], goal) for name, goal in zip(cases, goals, strict=True)]

        one = cases["resolve torch --json, a described machine"]
        large = [*one, "--matrix", ten_times(folder / "large")]
        lines.append(("ten times the rows of torch, by once", ratios({"": large}, one, plain, options.rounds)[""], 2.0))

        few, many = snapshots(folder / "few", KINDS, KINDS), snapshots(folder / "many", KINDS, MANY)
        base = [CUDAFIT, "resolve", "torch", "--json", "--python", "3.12", "--machine"]
        count = f"{MANY} machines of {KINDS} kinds, by {KINDS}"
        lines.append((f"{count}: the pure function", in_process(many, few), 3.0))
        whole = ratios({"": [*base, many]}, [*base, few], plain, max(3, options.rounds // 5))[""]
        lines.append((f"{count}: the command, which also reads them", whole, None))

        hopeless = [CUDAFIT, "resolve", *HOPELESS, "--json", "--machine", str(MACHINES)]
        plainly = [CUDAFIT, "resolve", "torch", "--json", "--machine", str(MACHINES)]
        name = f"{' '.join(HOPELESS)} over the tests' machines, by torch over them"
        lines.append((name, ratios({"": hopeless}, plainly, plain, max(3, options.rounds // 3))[""], 4.0))

        compiled = compile_command(folder)
        if compiled:
            ratio = ratios({"": one}, compiled, plain, options.rounds)[""]
            lines.append(("resolve torch --json, by `uv pip compile --offline`", ratio, 0.5))
        code = f"from cudafit.cli.main import run; run({one[1:]!r})"
        more = (peak_kib(code, plain) - peak_kib("import click", plain)) / 1024
    missed = 0
    print(f"{options.rounds} rounds, medians")
    for name, value, goal in lines:
        missed += goal is not None and value > goal
        print(f"{value:6.2f}  {name:66} {'' if goal is None else _verdict(value, goal)}".rstrip())
    if not compiled:
        print("   -    no uv or no package index here, so nothing to compare with `uv pip compile`")
    print(f"{more:6.1f}  MiB at its peak above `import click` {_verdict(more, 30):>40}")
    missed += more > 30
    return 1 if missed and options.strict else 0


def _verdict(value: float, goal: float) -> str:
    return f"goal at most {goal:g}: {'met' if value <= goal else 'MISSED'}"


if __name__ == "__main__":
    sys.exit(main())
