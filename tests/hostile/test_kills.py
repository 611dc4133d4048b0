"""A few random stops of each command, by each signal; `make kills` makes hundreds."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TRIALS = 24

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="environments are changed on POSIX alone")


@pytest.mark.slow
def test_no_stop_leaves_a_tree_that_is_neither_old_nor_new(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.hostile.kills", str(tmp_path), str(TRIALS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False, env=dict(os.environ))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert sum(int(count) for count in re.findall(r": (\d+) trials", done.stdout)) == TRIALS
