"""Real processes: who belongs to a job."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from cudafit.machine.processes import mapped_libraries, opened_devices, read_command, read_process
from cudafit.watch.tree import Tree

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def shell() -> Iterator[Callable[[str], "subprocess.Popen[bytes]"]]:
    started: list[subprocess.Popen[bytes]] = []

    def start(line: str) -> "subprocess.Popen[bytes]":
        started.append(subprocess.Popen(["sh", "-c", line], start_new_session=True))
        return started[-1]

    yield start
    for one in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(one.pid, signal.SIGKILL)
        one.wait()


def names(tree: Tree) -> list[str]:
    return sorted(one.name for one in tree.alive.values())


def test_children_and_theirs(shell: Callable[[str], "subprocess.Popen[bytes]"]) -> None:
    job = shell("sh -c 'sleep 50 & sleep 51' & sleep 52")
    tree = Tree(job.pid)

    def all_there() -> bool:
        tree.look()
        return names(tree) == ["sh", "sh", "sleep", "sleep", "sleep"]

    until(all_there)
    assert tree.count == 5
    assert os.getpid() not in tree.recent


@pytest.mark.slow
def test_whoever_lost_its_parent_still_belongs(shell: Callable[[str], "subprocess.Popen[bytes]"]) -> None:
    job = shell("sh -c 'sleep 50 & sleep 0.5' ; sleep 51")
    tree = Tree(job.pid)
    until(lambda: bool(tree.look() or True) and "sleep" in names(tree))

    def orphaned() -> bool:
        tree.look()
        return names(tree) == ["sh", "sleep", "sleep"]

    until(orphaned)
    assert any(one.parent != job.pid for one in tree.alive.values() if one.name == "sleep")


@pytest.mark.slow
def test_the_group_of_a_job_that_leads_one(shell: Callable[[str], "subprocess.Popen[bytes]"]) -> None:
    job = shell("(sh -c 'sleep 50 &') ; sleep 51")
    time.sleep(0.5)  # the one in between has ended before the first look
    tree = Tree(job.pid)
    tree.look()
    assert names(tree) == ["sh", "sleep", "sleep"]


def test_who_has_ended_is_remembered_for_some_looks_alone(shell: Callable[[str], "subprocess.Popen[bytes]"]) -> None:
    job = shell("exec sleep 50")
    tree = Tree(job.pid)
    tree.look()
    os.killpg(job.pid, signal.SIGKILL)
    job.wait()
    tree.look()
    assert not tree.alive
    assert job.pid in tree.recent
    for _ in range(5):
        tree.look()
    assert job.pid not in tree.recent


def test_a_name_may_hold_anything() -> None:
    code = "import ctypes, time; ctypes.CDLL(None).prctl(15, b') S 1 (', 0, 0, 0); print(1, flush=True); time.sleep(50)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        found = read_process(child.pid)
        command = read_command(child.pid)
        child.kill()
    assert found is not None
    assert (found.name, found.parent) == (") S 1 (", os.getpid())
    assert found.state in "RS"
    assert command is not None
    assert command.words == (sys.executable, "-c", code)
    assert command.folder == os.getcwd()


def test_what_is_gone_is_gone() -> None:
    assert read_process(1 << 30) is None
    assert read_command(1 << 30) is None
    assert opened_devices(1 << 30) is None
    assert mapped_libraries(1 << 30) == frozenset()
    assert any(name.startswith("libc.so") for name in mapped_libraries(os.getpid()))
