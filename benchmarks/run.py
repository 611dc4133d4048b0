"""What watching a job costs: `cudafit run` against the same job alone, ten seconds of computing on one core.

The whole time differs by several percent from run to run on a machine that others use, which hides what is looked
for. So the job tells when it begins and ends: what is before and after that, less what it is for the job alone, is what
`run` adds. What it takes from the job meanwhile shows in the seconds of a core that it used besides the job.
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
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests import fake_nvml

CUDAFIT = [sys.executable, "-m", "cudafit"]
WORK = """\
import sys, time
print(time.time(), flush=True)
left = int(sys.argv[1])
while left:
    left -= 1
print(time.time(), flush=True)
"""
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


class Cost(NamedTuple):
    """Seconds: all in all, before and after the job's own, and of a core by it and all below it."""

    whole: float
    around: float
    cpu: float


def cost(command: Sequence[str], environ: Mapping[str, str]) -> Cost:
    start = time.time()
    child = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert child.stdout is not None
    told = [float(line) for line in child.stdout]
    _, _, used = os.wait4(child.pid, 0)
    end = time.time()
    child.returncode = 0
    own = told[1] - told[0] if told else 0.0
    return Cost(end - start, end - start - own, used.ru_utime + used.ru_stime)


def show(value: float, name: str, goal: float | None = None) -> None:
    told = "" if goal is None else f"  goal under {goal:g} %: {'met' if value < goal else 'MISSED'}"
    print(f"  {value:6.2f} %  {name:62}{told}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("CUDA", "FAKE_NVML"))}
    took = cost([sys.executable, "-c", WORK, str(TRIAL)], plain).whole
    job = [sys.executable, "-c", WORK, str(int(TRIAL * options.seconds / took))]
    print(f"{options.rounds} rounds, medians; a job of about {options.seconds:g} s on one core")
    with tempfile.TemporaryDirectory() as folder:
        worlds = {"no GPU": plain}
        if fake_nvml.compiler():
            worlds["a test NVML that never lists the job"] = fake_nvml.environment(GPU, Path(folder), plain)
        for name, environ in worlds.items():
            rounds = [(cost(job, environ), cost([*CUDAFIT, "run", "--", *job], environ)) for _ in range(options.rounds)]
            print(f"  with {name}")
            added = statistics.median((mine.around - alone.around) / alone.whole for alone, mine in rounds)
            show(100 * added, "of the job's time added before it and after it", 1.0)
            idle = [*CUDAFIT, "run", "--", sys.executable, "-c", SHORT]
            # What a job costs that does nothing is cudafit's own: its start, its looks and its report.
            base = statistics.median(cost([*idle, "0.1"], environ).cpu for _ in range(5))
            ten = statistics.median(cost([*idle, str(options.seconds)], environ).cpu for _ in range(options.rounds))
            show(100 * (ten - base) / options.seconds, "of a core for the looks, and the causes", 1.0)
            longer = statistics.median(mine.whole / alone.whole - 1 for alone, mine in rounds)
            show(100 * longer, "longer in all, noise of the machine included")
            print(f"  {base:6.2f} s  of a core to start, and to report a job of 0.1 s")


if __name__ == "__main__":
    main()
