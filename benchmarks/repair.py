"""What it costs to keep a real CUDA environment before a change, and to bring it back: seconds, and bytes on disk.

And a whole repair: its time by that of the same packages installed by hand, its downloads by the wheels that changed.
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
from collections.abc import Callable
from pathlib import Path

from cudafit.repair import transaction as transactions
from cudafit.repair.rollback import generations, roll_back
from cudafit.repair.room import room_needed
from cudafit.system.durable import sync_file_system

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.repair.world import CUDNN_NEEDED, broken_env, torch, world

CUDAFIT = str(Path(sys.executable).parent / "cudafit")
UV = str(Path(sys.executable).parent / "uv")
PACKAGES = ["torch==2.15.0", "numpy", "jupyterlab", "transformers", "pandas", "matplotlib", "scikit-learn", "ray"]


def show(value: float, name: str, goal: float) -> None:
    print(f"  {value:5.2f}  {name:66}  goal at most {goal:g}: {'met' if value <= goal else 'MISSED'}")


def snapshot_seconds(env: str) -> float:
    """Until the change may begin: lock, checks, snapshot, all of it on the disk."""
    start = time.perf_counter()
    with transactions.transaction(env, reason="benchmark"):
        return time.perf_counter() - start


def roll_back_seconds(env: str) -> float:
    start = time.perf_counter()
    roll_back(env, say=print)
    return time.perf_counter() - start


class Syncs:
    """How long the disk was waited for."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self, folder: int) -> None:
        start = time.perf_counter()
        sync_file_system(folder)
        self.seconds += time.perf_counter() - start


def cpu_torch(env: str) -> bool:
    """A venv with torch for the CPU; pip is asked, which knows of more places than an index. Whether there is one."""
    subprocess.run([sys.executable, "-m", "venv", env], check=True)
    install = [f"{env}/bin/python", "-m", "pip", "install", "--quiet", "torch==2.13.0", "numpy", "requests", "rich"]
    if subprocess.run(install, capture_output=True, check=False).returncode != 0:
        return False
    return any("+cpu" in path.read_text() for path in Path(env).glob("lib/python3*/site-packages/torch/version.py"))


def cpu_tensorflow(env: str) -> bool:
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, env], check=True)
    subprocess.run([UV, "pip", "install", "--quiet", "--python", env, "tensorflow-cpu==2.20.0"], check=True)
    return True


def by_hand(folder: str, rounds: int, make: Callable[[str], bool], old: str, new: str) -> float | None:
    """A build for the CPU made one for the GPU, by `cudafit repair` and by uv's commands; uv's cache is warm."""
    ratios = []
    for _ in range(rounds + 1):
        mine, theirs = f"{folder}/mine", f"{folder}/theirs"
        if not (make(mine) and make(theirs)):
            return None
        start = time.perf_counter()
        words = ["--gpu", "A100", "--driver", "580.65.06", "--yes"]
        subprocess.run([CUDAFIT, "repair", mine, *words], check=True, capture_output=True)
        ours = time.perf_counter() - start
        start = time.perf_counter()
        subprocess.run([UV, "pip", "uninstall", "--quiet", "--python", theirs, old], check=True)
        subprocess.run([UV, "pip", "install", "--quiet", "--python", theirs, new], check=True)
        ratios.append(ours / (time.perf_counter() - start))
        for env in (mine, theirs):
            shutil.rmtree(env)
    return statistics.median(ratios[1:])  # the first round fills the cache


def downloaded(folder: str) -> float:
    """Bytes that a small index sent for a repair, by the sum of the wheels that the plan names; uv's cache is empty."""
    (Path(folder) / "wheels").mkdir()
    env = broken_env(Path(folder) / "small", Path(folder) / "wheels")
    with world(Path(folder) / "world") as made:
        files = made.pytorch.packages["torch"] = dict([torch("2.14.1+cu126", "12.6", CUDNN_NEEDED, filling=40 << 20)])
        given = {**os.environ, **made.env, "UV_CACHE_DIR": f"{folder}/first"}
        command = [CUDAFIT, "repair", str(env), *made.words]
        plan = subprocess.run([*command, "--dry-run", "--json"], env=given, capture_output=True, check=True)
        named = sum(step["size"] for step in json.loads(plan.stdout)["steps"] if step["size"])
        assert named > len(next(iter(files.values()))) - 1
        made.pytorch.sent = made.default.sent = 0
        given["UV_CACHE_DIR"] = f"{folder}/second"
        subprocess.run([*command, "--yes"], env=given, capture_output=True, check=True)
        return float((made.pytorch.sent + made.default.sent) / named)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    # As many as are kept: removing files slows down the making of new ones for minutes on ext4.
    parser.add_argument("--rounds", type=int, default=3, choices=(1, 2, 3))
    rounds = parser.parse_args().rounds
    print(f"{rounds} rounds, medians")
    with tempfile.TemporaryDirectory() as folder:
        env = f"{folder}/env"
        subprocess.run([UV, "venv", "--quiet", "--seed", "--python", sys.executable, env], check=True)
        install = [UV, "pip", "install", "--quiet", "--compile-bytecode", "--python", env, *PACKAGES]
        if subprocess.run(install, capture_output=True, check=False).returncode != 0:
            sys.exit("no package index answers here: nothing was measured")
        os.sync()
        size = room_needed(env)
        print(f"  {size.env_files} files, {size.env_bytes / 1e9:.1f} GB")
        syncs = Syncs()
        vars(transactions)["sync_file_system"] = syncs
        seconds = statistics.median(snapshot_seconds(env) for _ in range(rounds))
        show(seconds, "s for a snapshot, of which the next line", 5)
        print(f"  {syncs.seconds / rounds:5.2f}  s to have it on the disk")
        own = statistics.median(kept.disk_bytes for kept in generations(env))
        show(own / size.env_bytes, "new disk for a snapshot, by the environment's bytes", 0.05)
        show(size.bytes / own, "room asked for before, by the room taken", 1.2)
        show(statistics.median(roll_back_seconds(env) for _ in range(rounds)), "s to roll back", 2)
        torch_ratio = by_hand(folder, rounds, cpu_torch, "torch", "torch==2.13.0")
        if torch_ratio is None:
            print("         a repair of torch was not measured: pip finds no build for the CPU here")
        else:
            show(torch_ratio, "a repair of torch, by the same packages installed by hand", 1.5)
        ratio = by_hand(folder, rounds, cpu_tensorflow, "tensorflow-cpu", "tensorflow[and-cuda]==2.20.0")
        print(f"  {ratio:5.2f}  a repair of TensorFlow, which uv links in a second or two, by the same")
        show(downloaded(folder), "bytes that a repair downloads, by those of the wheels that change", 1.02)


if __name__ == "__main__":
    main()
