"""How long a diagnosis takes where a real CUDA torch is installed, as ratios within one run, and how much memory."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

FOLDER = Path(sys.executable).parent
CUDAFIT = str(FOLDER / "cudafit")
CARD = ["--gpu", "A100", "--driver", "580.65.06", "--json"]
INVENTORY = """
import sys
from cudafit.env.inventory import read_inventory
from cudafit.env.locate import at
from cudafit.files import Files
read_inventory(Files(), at(Files(), sys.argv[1], "named"))
"""


def seconds(command: Sequence[str], folder: str) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - start


def ratio(ours: Sequence[str], theirs: Sequence[str], folder: str, rounds: int) -> float:
    pairs = [(seconds(ours, folder), seconds(theirs, folder)) for _ in range(rounds + 1)][1:]
    return statistics.median(mine / other for mine, other in pairs)


def show(value: float, name: str, goal: float) -> None:
    print(f"  {value:5.2f}  {name:66}  goal at most {goal:g}: {'met' if value <= goal else 'MISSED'}")


def peak_mib(command: Sequence[str], environ: Mapping[str, str]) -> float:
    """The largest resident size, by the kernel's count for a waited-for child."""
    child = os.posix_spawn(
        command[0], list(command), dict(environ), file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    )
    return os.wait4(child, 0)[2].ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the first round compiles, as after an installation
    print(f"{rounds} rounds, medians")
    with tempfile.TemporaryDirectory() as folder:
        env = f"{folder}/env"
        uv = [str(FOLDER / "uv")]
        subprocess.run([*uv, "venv", "--quiet", "--seed", "--python", sys.executable, env], check=True)
        packages = [
            "torch==2.15.0",
            "numpy",
            "jupyterlab",
            "transformers",
            "pandas",
            "matplotlib",
            "scikit-learn",
            "ray",
        ]
        install = [*uv, "pip", "install", "--quiet", "--python", env, *packages]
        if subprocess.run(install, capture_output=True, check=False).returncode != 0:
            sys.exit("no package index answers here: nothing was measured")
        python = f"{env}/bin/python"
        count = subprocess.run([python, "-m", "pip", "list"], capture_output=True, text=True, check=True).stdout.count(
            "\n"
        )
        doctor = [CUDAFIT, "doctor", "--env", env, *CARD]
        inventory = [sys.executable, "-c", INVENTORY, env]
        pip = [python, "-m", "pip", "list", "--disable-pip-version-check"]
        show(ratio(inventory, pip, folder, rounds), f"inventory of {count} packages, by `pip list`", 0.5)
        show(
            ratio(doctor, [python, "-c", "import torch"], folder, rounds),
            "doctor, by `import torch` in that environment",
            0.08,
        )
        show(ratio(doctor, [sys.executable, "-c", "import click"], folder, rounds), "doctor, by `import click`", 5)
        print(f"  {peak_mib(doctor, os.environ):5.1f}  MiB at its peak{'':51}  goal at most 80")


if __name__ == "__main__":
    main()
