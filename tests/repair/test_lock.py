"""Two at once: one works, one waits and says for whom; the lock ends with the last program that writes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from cudafit.errors import CudafitError
from cudafit.model.record import to_plain
from cudafit.repair.journal import interrupted, read
from cudafit.repair.lock import holder, this_process
from cudafit.repair.rollback import recover
from cudafit.repair.state import state_of
from cudafit.repair.transaction import transaction
from tests.repair.trees import beside, make_env, reading

# Changes the environment, says so, and goes on when it is told to. With "child", another program has the lock too.
WORK = """
import os, subprocess, sys
from cudafit.repair.transaction import transaction
with transaction(sys.argv[1], reason="the first") as change:
    with open(os.path.join(change.env, "first"), "w") as file:
        file.write("x")
    if sys.argv[2] == "child":
        subprocess.Popen(["sleep", "60"], pass_fds=[change.lock], stdout=subprocess.DEVNULL)
    print("changed", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def env(tmp_path: Path) -> Path:
    return make_env(tmp_path / "env")


@contextmanager
def worker(env: Path, how: str = "alone") -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", WORK, str(env), how]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, start_new_session=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "changed\n"
            yield child
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)


def test_who_has_the_lock_is_told_without_secrets(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the lock's file, nor in the journal, nor by one that reads what another version wrote there."""
    address = "https://me:Zq7x9@host.example/x"
    monkeypatch.setattr(sys, "argv", ["/usr/bin/cudafit", "repair", address, "--hf-token", "Zq7x9", "a b"])
    assert this_process().command == "cudafit repair 'https://***@host.example/x' --hf-token '***' 'a b'"
    state = state_of(str(env))
    with transaction(str(env), reason="x"):
        assert b"Zq7x9" not in Path(state.lock).read_bytes() + Path(state.journal).read_bytes()
        assert read(state) is not None
        value = json.loads(Path(state.journal).read_text())
        Path(state.journal).write_text(json.dumps({**value, "command": f"cudafit create {address}"}))
        journal = read(state)
        assert journal is not None
        assert journal.command == "cudafit create https://***@host.example/x"
        Path(state.lock).write_text(json.dumps({**to_plain(this_process()), "command": f"pip install {address}"}))
        holding = holder(state)
        assert holding is not None
        assert "Zq7x9" not in str(holding)


def test_the_second_waits_says_for_whom_and_then_works(env: Path) -> None:
    said = list[str]()
    with worker(env) as child:
        seen = interrupted(str(env))
        assert seen is not None
        assert (seen.running, seen.pid, seen.reason) == (True, child.pid, "the first")

        def hear(text: str) -> None:
            said.append(text)
            child.communicate("\n")

        with transaction(str(env), reason="the second", say=hear) as change:
            assert change.waited
            assert (env / "first").exists()
    assert len(said) == 1
    assert f"is being changed by process {child.pid} on {socket.gethostname()} (`-c {env} alone`, since " in said[0]


def test_the_second_waits_no_longer_than_it_may(env: Path) -> None:
    with worker(env) as child:
        second = transaction(str(env), reason="the second", wait_s=0.3)
        with pytest.raises(CudafitError, match="is being changed by another cudafit") as raised, second:
            pytest.fail("both work")
        assert f"process {child.pid}" in raised.value.cause[0]
        assert raised.value.cause[1] == "cudafit waited 0 s for it"


def test_a_killed_cudafit_whose_installer_still_writes_is_not_gone(env: Path) -> None:
    old, said = reading(env), list[str]()
    with worker(env, "child") as child:
        child.kill()
        child.wait()
        seen = interrupted(str(env))
        assert seen is not None
        assert seen.running
        with pytest.raises(CudafitError):
            recover(str(env), say=said.append, wait_s=0.3)
    assert "by a program that was started by process" in said[0]
    deadline = time.monotonic() + 10
    while (seen := interrupted(str(env))) and seen.running and time.monotonic() < deadline:
        time.sleep(0.05)
    recover(str(env), say=said.append)
    assert reading(env) == old


def test_a_lock_removed_with_its_folder_is_made_anew(tmp_path: Path) -> None:
    """The first makes a new environment and fails, and removes the folder that the second waits in."""
    env = tmp_path / "env"
    code = WORK.replace('reason="the first"', 'reason="the first", new=True').replace(
        "    with open", "    os.mkdir(change.env)\n    with open"
    )
    code += "    raise OSError\n"
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", code, str(env), "alone"], stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "changed\n"

        def hear(_text: str) -> None:
            assert child.stdin is not None
            child.stdin.write("\n")
            child.stdin.flush()

        said = recover(str(env), say=hear)
        assert "RolledBack" in child.communicate()[1]
    assert said == f"no change of `{env}` was interrupted"
    assert not beside(env).exists()
    assert os.listdir(tmp_path) == []
