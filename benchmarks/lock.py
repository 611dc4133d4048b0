"""How long writing a lock takes, as ratios within one run.

The yardsticks: `uv pip compile --generate-hashes` of the same request, from a cache that was just filled, asking the
index what has changed as it does by default, and once more without network, where it answers in the time that Python
takes to start; and `conda-lock lock` of the same environment over a channel on disk. That last one is flattered: its
solver here is a program that tells a solution which is known already, since no conda can be had from a package index.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cudafit.lock.conda_lock_yml import _shim
from cudafit.lock.conda_solve import solved
from cudafit.lock.environment_yml import environment_text
from tests.lock.channel import make
from tests.lock.test_conda_locks import order_of

FOLDER = Path(sys.executable).parent
CUDAFIT = str(FOLDER / "cudafit")
REQUEST = ["--gpu", "A100", "--driver", "580.65.06", "--glibc", "2.28", "--python", "3.12", "--force"]
Environ = Mapping[str, str]


def seconds(command: Sequence[str], environ: Environ, folder: str) -> float:
    start = time.perf_counter()
    done = subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return time.perf_counter() - start


def ratio(command: Sequence[str], yardstick: Sequence[str], environ: Environ, folder: str, rounds: int) -> float:
    pairs = [(seconds(command, environ, folder), seconds(yardstick, environ, folder)) for _ in range(rounds + 1)][1:]
    return statistics.median(ours / theirs for ours, theirs in pairs)


def show(value: float, name: str, goal: float | None = None) -> None:
    judged = f"  goal at most {goal:g}: {'met' if value <= goal else 'MISSED'}" if goal else ""
    print(f"  {value:4.2f}  {name:76}{judged}".rstrip())


def pip_side(folder: str, rounds: int) -> None:
    Path(folder, "request.in").write_text("torch\n", encoding="utf-8")
    cache = {**os.environ, "UV_CACHE_DIR": str(Path(folder, "cache"))}
    uv = [str(FOLDER / "uv"), "pip", "compile", "request.in", "--generate-hashes", "--no-python-downloads"]
    uv += [
        "--python",
        sys.executable,
        "--python-version",
        "3.12",
        "--python-platform",
        "x86_64-manylinux_2_28",
        "--quiet",
    ]
    for output, more in (("requirements.txt", []), ("pylock.toml", ["--format", "pylock.toml"])):
        ours = [CUDAFIT, "resolve", "torch", *REQUEST, "-o", output]
        for command in (ours, [*uv, *more]):
            if subprocess.run(command, env=cache, cwd=folder, capture_output=True, check=False).returncode != 0:
                print(f"  no package index answers here: `-o {output}` was not measured")
                return
        name = f"resolve torch -o {output}, by `uv pip compile --generate-hashes`"
        show(ratio(ours, [*uv, *more], cache, folder, rounds), name, 1.3)
        show(ratio(ours, [*uv, *more], {**cache, "UV_OFFLINE": "1"}, folder, rounds), f"{name}, no network")


def conda_side(folder: str, rounds: int) -> None:
    channel = make(Path(folder, "channel"))
    order = order_of(channel)
    Path(folder, "environment.yml").write_text(environment_text(order), encoding="utf-8")
    environ = {**os.environ, "CUDAFIT_CONDA_CHANNEL": channel}
    ours = [CUDAFIT, "resolve", "torch", "--gpu", "A100", "--driver", "550.54.15", "--python", "3.12", "--force"]
    ours += ["-o", "conda-lock.yml"]
    with _shim(folder, solved(order)) as program:
        theirs = [str(FOLDER / "conda-lock"), "lock", "--conda", program, "-f", "environment.yml", "-p", "linux-64"]
        theirs += ["--lockfile", "theirs.conda-lock.yml"]
        show(
            ratio(ours, theirs, environ, folder, rounds),
            "resolve torch -o conda-lock.yml, by `conda-lock lock`, solved for it",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(f"{rounds} rounds, medians")
    with tempfile.TemporaryDirectory() as folder:
        pip_side(folder, rounds)
    with tempfile.TemporaryDirectory() as folder:
        conda_side(folder, rounds)


if __name__ == "__main__":
    main()
