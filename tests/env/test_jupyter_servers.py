"""The variables of a running Jupyter server, read from a process that has its command line."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cudafit.doctor.diagnose import diagnose
from cudafit.doctor.world import World
from cudafit.env.jupyter_servers import newest_server
from cudafit.files import Files
from cudafit.model.environment import Kernel
from tests.doctor.worlds import CU126, FACTS, environment, machine, torch, tree

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")


@contextmanager
def running(folder: Path, name: str, *words: str, **env: str) -> Iterator[int]:
    program = folder / name
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text("import sys, time\nprint('ready', flush=True)\ntime.sleep(60)\n")
    with subprocess.Popen([sys.executable, str(program), *words], env=env, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        try:
            yield child.pid
        finally:
            child.kill()


def test_the_server_that_was_started_last_is_read(tmp_path: Path) -> None:
    with running(tmp_path, "jupyter-lab", CUDA_VISIBLE_DEVICES="1"):
        time.sleep(0.05)
        with running(tmp_path, "jupyter", "notebook", LD_LIBRARY_PATH="/opt/a", SECRET="x") as second:
            found = newest_server(Files(), os.getuid())
    assert found
    assert found.path == f"/proc/{second}/environ"
    assert found.variables["LD_LIBRARY_PATH"] == "/opt/a"


@pytest.mark.parametrize("words", [("jupyter", "kernelspec"), ("jupyter", "nbconvert"), ("my-notebook.py",)])
def test_what_is_no_server(words: tuple[str, ...], tmp_path: Path) -> None:
    with running(tmp_path, *words) as pid:
        found = newest_server(Files(), os.getuid())
    assert found is None or found.path != f"/proc/{pid}/environ"


def test_nothing_of_other_users_is_read(tmp_path: Path) -> None:
    with running(tmp_path, "jupyter-lab"):
        assert newest_server(Files(), os.getuid() + 4711) is None
    assert newest_server(Files(str(tmp_path)), os.getuid()) is None, "a root without /proc"


def test_the_difference_is_a_finding_and_sameness_is_none(tmp_path: Path) -> None:
    made = environment(tree(tmp_path / "env", torch("2.9.1+cu126", "12.6", CU126), ["torch==2.9.1"]))
    kernel = Kernel("mine", "/x/kernel.json", ("python",), server="/proc/7/environ")
    differs = replace(kernel, differs=(("LD_LIBRARY_PATH", "/opt/cuda/lib64", None),))
    found = diagnose(World(machine(), replace(made, kernel=differs), FACTS))
    (mine,) = [one for one in found.findings if one.id == "jupyter.kernel_env_differs"]
    told = "LD_LIBRARY_PATH is not set for the running Jupyter, '/opt/cuda/lib64' in this shell"
    assert mine.evidence[0].fact == told
    alike = diagnose(World(machine(), replace(made, kernel=kernel), FACTS))
    assert "jupyter.kernel_env_differs" not in [one.id for one in alike.findings]
