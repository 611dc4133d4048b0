"""How long cudafit takes to answer, as ratios to `python -c "import click"` in the same run.

Each round runs every command once, so that a slow moment of the machine falls on all of them; a figure is the median
of the rounds' ratios. Absolute times depend on the machine and are shown only to give the ratios a scale.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests import fake_nvml

FOLDER = Path(sys.executable).parent
BASE = [sys.executable, "-c", "import click"]
TWO_GPUS = """
driver 580.65.06
cuda 13.0
gpu
  name NVIDIA H100 80GB HBM3
  uuid GPU-11111111-2222-3333-4444-555555555555
  bus 00000000:19:00.0
  cc 9.0
  memory 81559 1
gpu
  name NVIDIA H100 80GB HBM3
  uuid GPU-66666666-7777-8888-9999-aaaaaaaaaaaa
  bus 00000000:3b:00.0
  cc 9.0
  memory 81559 1
"""

# Modules that are slow to import and that a command must do without.
HEAVY = ("yaml", "requests", "rich", "pynvml", "jsonschema", "packaging", "asyncio", "email", "http")


Case = tuple[str, list[str], dict[str, str], float | None]  # name, command, environment, goal


def seconds(command: list[str], environ: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - start


def imported(arguments: list[str]) -> set[str]:
    """The top-level modules that a command has imported by its end."""
    code = (
        "import sys\nfrom cudafit.cli.main import run\nout = sys.stdout\nsys.stdout = open('/dev/null', 'w')\n"
        f"run({arguments!r})\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}), file=out)"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(finished.stdout.split())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a goal is missed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plain = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        gpus = fake_nvml.environment(TWO_GPUS, Path(folder), plain) if fake_nvml.compiler() else None
        cudafit = str(FOLDER / "cudafit")
        cases: list[Case] = [
            ("cudafit --help", [cudafit, "--help"], plain, 1.5),
            ("cudafit inspect --json, no GPU", [cudafit, "inspect", "--json"], plain, 3.0),
            ("cudafit inspect, no GPU", [cudafit, "inspect"], plain, None),
        ]
        if gpus:
            cases.append(("cudafit inspect --json, two GPUs (test NVML)", [cudafit, "inspect", "--json"], gpus, 3.0))
        missed = measure(cases, plain, options.rounds)
    for name, arguments in (("--help", ["--help"]), ("inspect --json", ["inspect", "--json"])):
        heavy = sorted(imported(arguments) & set(HEAVY))
        print(f"heavy modules imported by cudafit {name}: {', '.join(heavy) or 'none'}")
        missed += bool(heavy)
    return 1 if missed and options.strict else 0


def measure(cases: list[Case], plain: dict[str, str], rounds: int) -> int:
    seconds(BASE, plain)
    for _, command, environ, _ in cases:
        seconds(command, environ)
    base: list[float] = []
    times: list[list[float]] = [[] for _ in cases]
    for _ in range(rounds):
        base.append(seconds(BASE, plain))
        for taken, (_, command, environ, _) in zip(times, cases, strict=True):
            taken.append(seconds(command, environ))
    print(f"{rounds} rounds; python -c 'import click' took {statistics.median(base) * 1000:.0f} ms (ratio 1)")
    missed = 0
    for taken, (name, _, _, goal) in zip(times, cases, strict=True):
        ratios = sorted(mine / theirs for mine, theirs in zip(taken, base, strict=True))
        ratio = statistics.median(ratios)
        verdict = "" if goal is None else f"goal at most {goal:.1f}: {'met' if ratio <= goal else 'MISSED'}"
        quarter = len(ratios) // 4
        print(f"{ratio:5.2f}  ({ratios[quarter]:.2f} to {ratios[-1 - quarter]:.2f})  {name:46} {verdict}")
        missed += goal is not None and ratio > goal
    return missed


if __name__ == "__main__":
    sys.exit(main())
