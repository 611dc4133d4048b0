"""`cudafit run --explain`: stderr is the job's own, and is read on the way."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="run watches through /proc")

NO_DRIVER = "raise RuntimeError('Found no NVIDIA driver on your system. Please check')"
SCHEMA = json.loads((Path(__file__).parents[2] / "src/cudafit/schemas/run-1.json").read_text())


def command(code: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "cudafit", "run", "--explain", *options, "--", sys.executable, "-c", code]


def run(code: str, environ: dict[str, str], *options: str, **how: Any) -> "subprocess.CompletedProcess[bytes]":
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how}
    return subprocess.run(command(code, *options), env=environ, check=False, timeout=60, **how)


def test_the_cause_that_a_job_names_is_told_with_what_holds_here(environ: dict[str, str], tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = run(f"import sys; print('step 1', file=sys.stderr); {NO_DRIVER}", environ, "--json-file", str(report))
    assert done.returncode == 1
    shown = done.stderr.decode()
    assert shown.startswith("step 1\nTraceback (most recent call last):\n")
    told = json.loads(report.read_text())
    jsonschema.validate(told, SCHEMA)
    root = told["explained"]["root"]
    # Which of them it is, this machine says.
    assert root in ("gpu.none", "driver.not_loaded", "container.no_gpu_exposed", "wsl.libcuda_unreachable")
    match = told["explained"]["matches"][0]
    assert (match["id"], match["holds_here"]) == (root, True)
    assert match["evidence"]
    assert shown.index("cudafit run\n") > shown.index("RuntimeError: Found no NVIDIA driver")
    assert f"({root})" in shown.partition("cudafit run\n")[2]
    assert "it holds on this machine" in shown


def test_a_job_that_ends_well_is_not_explained(environ: dict[str, str], tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = run("import sys; sys.stderr.write('No CUDA GPUs are available\\n')", environ, "--json-file", str(report))
    assert done.returncode == 0
    assert json.loads(report.read_text())["explained"] is None


def test_bytes_and_order_are_kept(environ: dict[str, str], tmp_path: Path) -> None:
    """Both go to one file; and a part has no end of line."""
    code = (
        "import os\n"
        "for number in range(400):\n"
        "    os.write(1, b'out %d\\n' % number); os.write(2, bytes(range(256)) * 40)\n"
        "os._exit(7)"
    )
    log = tmp_path / "log"
    with log.open("wb") as file:
        done = run(code, environ, stdout=file, stderr=subprocess.STDOUT)
    assert done.returncode == 7
    wanted = b"".join(b"out %d\n" % number + bytes(range(256)) * 40 for number in range(400))
    assert log.read_bytes().startswith(wanted)


@pytest.mark.slow
def test_more_than_can_be_read_holds_up_nobody(environ: dict[str, str]) -> None:
    code = f"import os\nfor _ in range(600): os.write(2, os.urandom(50000).hex().encode() + b'\\n')\n{NO_DRIVER}"
    done = run(code, environ)
    assert done.stderr.count(b"\n") > 600
    assert b"it holds on this machine" in done.stderr


@contextmanager
def on_a_terminal(code: str, environ: dict[str, str]) -> Iterator[tuple[int, int]]:
    """Its process, and the other side of its terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        resize(0, 33, 101)
        os.execve(sys.executable, command(code), environ)
    try:
        yield pid, terminal
    finally:
        os.close(terminal)


def resize(terminal: int, lines: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


def heard(terminal: int, word: bytes, seconds: float = 30) -> bytes:
    found, end = b"", time.monotonic() + seconds
    while word not in found:
        assert time.monotonic() < end, found
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                found += os.read(terminal, 65536)
            except OSError:
                break
    return found


def test_a_terminal_stays_one(environ: dict[str, str]) -> None:
    code = (
        "import os, sys, signal, time\n"
        "def told(*_): os.write(2, b'size %d %d\\n' % tuple(os.get_terminal_size(2)))\n"
        "signal.signal(signal.SIGWINCH, lambda *_: (time.sleep(0.3), told()))\n"
        "os.write(2, b'terminal %d \\x1b[31mred\\n' % os.isatty(2)); told()\n"
        "time.sleep(60)\n"
    )
    with on_a_terminal(code, environ) as (pid, terminal):
        first = heard(terminal, b"size 101 33")
        assert b"terminal 1 \x1b[31mred\r\n" in first  # as the terminal itself ends a line, and not twice
        resize(terminal, 20, 50)
        heard(terminal, b"size 50 20")
        os.write(terminal, b"\x03")
        assert b"KeyboardInterrupt" in heard(terminal, b"cudafit run")
        _, status = os.waitpid(pid, 0)
    # The shell is to see that a key ended it.
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGINT


@pytest.mark.slow
def test_what_outlives_the_job_still_writes(environ: dict[str, str], tmp_path: Path) -> None:
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        f"    while not os.path.exists({str(tmp_path / 'now')!r}): time.sleep(0.05)\n"
        "    os.write(2, b'late words\\n'); os._exit(0)\n"
        "os.write(2, b'bye\\n'); os._exit(3)"
    )
    log = tmp_path / "log"
    with log.open("wb") as file:
        assert run(code, environ, stdout=subprocess.DEVNULL, stderr=file).returncode == 3
    assert b"cudafit run" in log.read_bytes()
    (tmp_path / "now").touch()
    end = time.monotonic() + 30
    while b"late words\n" not in log.read_bytes():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.slow
def test_a_job_goes_on_where_cudafit_is_killed(environ: dict[str, str], tmp_path: Path) -> None:
    code = "import os, time\nos.write(2, b'begun\\n'); time.sleep(2); os.write(2, b'after\\n')"
    log = tmp_path / "log"
    with log.open("wb") as file:
        started = subprocess.Popen(command(code), env=environ, stderr=file)
    end = time.monotonic() + 30
    while b"begun" not in log.read_bytes():
        assert time.monotonic() < end
        time.sleep(0.05)
    started.kill()
    started.wait()
    while b"after\n" not in log.read_bytes():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_command_that_does_not_exist(environ: dict[str, str]) -> None:
    words = [sys.executable, "-m", "cudafit", "run", "--explain", "--", "/nowhere/at-all"]
    done = subprocess.run(words, env=environ, capture_output=True, check=False, timeout=30)
    assert done.returncode == 2
    assert b"there is no such command" in done.stderr


def test_a_job_that_runs_already_cannot_be_read(environ: dict[str, str]) -> None:
    words = [sys.executable, "-m", "cudafit", "run", "--explain", "--attach", str(os.getpid())]
    done = subprocess.run(words, env=environ, capture_output=True, check=False, timeout=30)
    assert done.returncode == 2
    assert b"`--explain` reads nothing" in done.stderr
