"""What it costs to keep a real CUDA environment before a change, and to bring it back: seconds, and bytes on disk."""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cudafit.repair import transaction as transactions
from cudafit.repair.durable import sync_file_system
from cudafit.repair.rollback import generations, roll_back
from cudafit.repair.room import room_needed

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

    def __call__(self, path: str) -> None:
        start = time.perf_counter()
        sync_file_system(path)
        self.seconds += time.perf_counter() - start


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
        sync_file_system(folder)
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


if __name__ == "__main__":
    main()
