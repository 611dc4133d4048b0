"""Whatever goes wrong with the report of `cudafit run`, the job's exit code stays."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.older import SAFE_PYTHON

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="run watches through /proc")

SEVEN = ("sh", "-c", "exit 7")
KILLED = ("sh", "-c", "kill -TERM $$")
Done = subprocess.CompletedProcess[str]


def run(environ: dict[str, str], folder: Path, words: Sequence[str], job: Sequence[str], before: str = "") -> Done:
    """`before` is Python that breaks something in cudafit first."""
    program = f"import sys\n{before}\nfrom cudafit.cli.main import main\nmain(['run', *sys.argv[1:]])"
    command = [*SAFE_PYTHON, "-c", program, *words, "--", *job]
    return subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=90, check=False, errors="replace"
    )


_OBSERVER = "from cudafit.watch.observe import Observer"
BROKEN = {
    "the rows": "import cudafit.render.run_rows as broken; broken.run_rows = lambda *_, **__: 1 / 0",
    "the report": "import cudafit.watch.report as broken; broken.report_of = lambda *_: 1 / 0",
    "the last look": f"{_OBSERVER}; Observer.last_look = lambda *_: 1 / 0",
    "every look": f"{_OBSERVER}; Observer.look = lambda *_: 1 / 0",
    "the watch from its start": f"{_OBSERVER}; Observer.__init__ = lambda *_, **__: 1 / 0",
    "the end of the watch": f"{_OBSERVER}; Observer.stop = lambda *_: 1 / 0",
    "the verdict": "import cudafit.watch.verdict as broken; broken.use_of = lambda *_: 1 / 0",
    "the JSON": "from cudafit.app.run_report import Reporter; Reporter.write_json = lambda *_: 1 / 0",
    "the picture": "from cudafit.app.run_report import Reporter; Reporter.draw = lambda *_: 1 / 0",
    "an interruption": "import cudafit.watch.report as broken\ndef stop(*_):\n    raise KeyboardInterrupt\n"
    "broken.report_of = stop",
}


@pytest.mark.slow
@pytest.mark.parametrize("broken", BROKEN)
def test_a_bug_in_the_report(environ: dict[str, str], tmp_path: Path, broken: str) -> None:
    words = ("--json-file", "report.json", "--plot", "report.svg")
    for job, code in ((SEVEN, 7), (KILLED, 128 + signal.SIGTERM)):
        done = run(environ, tmp_path, words, job, BROKEN[broken])
        assert done.returncode == code, done.stderr
    # A job that is over at once is not looked at.
    if broken not in ("the end of the watch", "an interruption", "every look"):
        assert "a bug in cudafit: ZeroDivisionError" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["the last look", "the watch from its start", "every look"])
def test_what_was_not_seen_is_not_known(environ: dict[str, str], tmp_path: Path, broken: str) -> None:
    done = run(environ, tmp_path, ("--require-gpu=60",), ("sleep", "0.6"), BROKEN[broken])
    assert done.returncode == 3, done.stderr
    assert "never created a CUDA context" not in done.stderr
    assert run(environ, tmp_path, ("--require-gpu=60",), SEVEN, BROKEN[broken]).returncode == 7


@pytest.mark.slow
def test_one_file_that_cannot_be_written_does_not_take_the_other_along(environ: dict[str, str], tmp_path: Path) -> None:
    done = run(environ, tmp_path, ("--json-file", "/dev/full", "--plot", "report.svg"), SEVEN)
    assert (done.returncode, (tmp_path / "report.svg").exists()) == (7, True)
    assert "cannot write `/dev/full`: No space left on device" in done.stderr


@pytest.mark.slow
def test_a_folder_that_goes_while_the_job_runs(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    done = run(environ, tmp_path, ("--json-file", "out/report.json"), ("sh", "-c", "rmdir out; exit 7"))
    assert done.returncode == 7
    assert "cannot write `out/report.json`" in done.stderr


@pytest.mark.slow
def test_a_pipe_that_nobody_reads(environ: dict[str, str], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = run(environ, tmp_path, ("--json-file", "pipe"), SEVEN)
    assert done.returncode == 7
    assert "cannot write `pipe`: nobody reads this pipe" in done.stderr


def test_words_that_are_no_text(environ: dict[str, str], tmp_path: Path) -> None:
    words = ("--json-file", "report.json", "--plot", "report.svg")
    done = run(environ, tmp_path, words, ("sh", "-c", "exit 7", os.fsdecode(b"\xff\xfe")))
    assert done.returncode == 7


def test_signals_reach_a_job_that_is_not_watched(environ: dict[str, str], tmp_path: Path) -> None:
    program = f"import sys\n{BROKEN['the watch from its start']}\nfrom cudafit.cli.main import main\nmain(sys.argv[1:])"
    job = 'trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done'
    command = [*SAFE_PYTHON, "-c", program, "run", "--", "sh", "-c", job]
    child = subprocess.Popen(command, env=environ, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        child.terminate()
        assert child.wait(60) == 9
