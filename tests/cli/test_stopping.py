"""A command that is stopped leaves nothing behind: no folder of its own, and no program that it started."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cudafit.machine.processes import every_pid, read_command
from tests.machines import FOLDER

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc"),
]


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of an index that takes every call and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/simple"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_resolve_while_uv_waits(number: signal.Signals, environ: dict[str, str], silent: str, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    words = (
        "torch==2.6.0",
        "--machine",
        str(FOLDER / "rtx4090-550.json"),
        "--python",
        "3.11",
        "-o",
        "requirements.txt",
    )
    variables = {**environ, "TMPDIR": str(scratch), "PIP_INDEX_URL": silent, "UV_DEFAULT_INDEX": silent}
    with subprocess.Popen(
        [sys.executable, "-m", "cudafit", "resolve", *words],
        cwd=tmp_path,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        deadline = time.monotonic() + 30
        while not _uv_of(scratch) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert _uv_of(scratch)
        child.send_signal(number)
        _, stderr = child.communicate(timeout=30)
    assert (child.returncode, stderr) == (130, "interrupted\n")
    assert list(scratch.iterdir()) == []
    assert _uv_of(scratch) == []
    assert not (tmp_path / "requirements.txt").exists()


def _uv_of(scratch: Path) -> list[int]:
    """The programs that work in, or are told of, a folder below `scratch`."""
    commands = {pid: read_command(pid) for pid in every_pid() - {os.getpid()}}
    return [pid for pid, one in commands.items() if one and any(str(scratch) in word for word in one.words)]
