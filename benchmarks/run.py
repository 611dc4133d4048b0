"""What watching a job costs: `cudafit run` against the same job alone, ten seconds of computing on one core.

Two figures, since other programs on the machine blur the first: how much longer it takes, and how much of a core
cudafit and its helper used besides the job. The job does a fixed amount of work, so that slowing it down shows.
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

from tests import fake_nvml

CUDAFIT = [sys.executable, "-P", "-m", "cudafit"]
WORK = "import sys\nleft = int(sys.argv[1])\nwhile left:\n    left -= 1\n"
SHORT = "import sys, time; time.sleep(float(sys.argv[1]))"
TRIAL = 5_000_000
GPU = """
driver 580.65.06
cuda 13.0
gpu
  name NVIDIA A100-SXM4-40GB
  uuid GPU-00000000-1111-2222-3333-444444444444
  cc 8.0
  memory 40960 512
  utilization 90 1
"""


def cost(command: Sequence[str], environ: Mapping[str, str]) -> tuple[float, float]:
    """Seconds that it took, and seconds of a core that it and all below it used."""
    start = time.perf_counter()
    child = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, used = os.wait4(child.pid, 0)
    child.returncode = 0
    return time.perf_counter() - start, used.ru_utime + used.ru_stime


def show(value: float, name: str, goal: float | None = None) -> None:
    told = "" if goal is None else f"  goal under {goal:g} %: {'met' if value < goal else 'MISSED'}"
    print(f"  {value:6.2f} %  {name:62}{told}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("CUDA", "FAKE_NVML"))}
    took, _ = cost([sys.executable, "-c", WORK, str(TRIAL)], plain)
    job = [sys.executable, "-c", WORK, str(int(TRIAL * options.seconds / took))]
    print(f"{options.rounds} rounds, medians; a job of about {options.seconds:g} s on one core")
    with tempfile.TemporaryDirectory() as folder:
        worlds = {"no GPU": plain}
        if fake_nvml.compiler():
            worlds["a test NVML that never lists the job"] = fake_nvml.environment(GPU, Path(folder), plain)
        for name, environ in worlds.items():
            rounds = [(cost(job, environ), cost([*CUDAFIT, "run", "--", *job], environ)) for _ in range(options.rounds)]
            longer = statistics.median(100 * (mine[0] / alone[0] - 1) for alone, mine in rounds)
            show(longer, f"longer than alone, with {name}", 1.0)
            idle = [*CUDAFIT, "run", "--", sys.executable, "-c", SHORT]
            # What a job costs that does nothing is cudafit's own: its start, its looks and its report.
            base = statistics.median(cost([*idle, "0.1"], environ)[1] for _ in range(5))
            ten = statistics.median(cost([*idle, str(options.seconds)], environ)[1] for _ in range(options.rounds))
            show(100 * (ten - base) / options.seconds, "of a core for the looks, and for the causes in one of them")
            print(f"  {base:6.2f} s  of a core to start, and to report a job of 0.1 s")


if __name__ == "__main__":
    main()
