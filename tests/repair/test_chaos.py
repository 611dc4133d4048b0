"""`kill -9` at every step and at random moments: the tree is the old one or the new one, and never a third."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

RANDOM_KILLS = 120


@pytest.mark.slow
def test_no_kill_leaves_a_tree_that_is_neither_old_nor_new(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.repair.chaos", str(tmp_path), str(RANDOM_KILLS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=dict(os.environ))
    assert (done.returncode, done.stderr) == (0, "")
    trials = {line.split(":")[0]: int(line.split(": ")[1].split()[0]) for line in done.stdout.splitlines()}
    assert trials.pop("random moments") == RANDOM_KILLS
    assert set(trials) == {f"every step of a {what}" for what in ("change", "creation", "roll back", "recovery")}
    assert all(count > 50 for count in trials.values()), trials
