"""Folders that another program reads: gone afterwards, and after a kill with the next one."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from cudafit.system.scratch import scratch
from tests.own_code import SOURCES

_KILLED = """
import sys, tempfile, time
tempfile.tempdir = sys.argv[1]
from cudafit.system.scratch import scratch
with scratch() as folder:
    open(folder + "/request.in", "w").write("https://name:password@index.example/simple")
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def aged(path: Path | str) -> None:
    before = time.time() - 3600
    os.utime(path, (before, before))


def test_it_goes_with_the_work_also_where_that_fails(temporary: Path) -> None:
    with scratch() as folder:
        assert os.stat(folder).st_mode & 0o777 == 0o700
        assert os.listdir(temporary) == [os.path.basename(folder)]
    assert os.listdir(temporary) == []
    with pytest.raises(KeyError), scratch():
        raise KeyError
    assert os.listdir(temporary) == []


def test_what_a_killed_one_left_goes_with_the_next_and_what_is_in_use_stays(temporary: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _KILLED, str(temporary)], stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout
        left = killed.stdout.readline().strip()
        aged(left)
        with scratch():
            assert os.listdir(left) == ["request.in"]  # it is at work
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    aged(left)
    with scratch() as folder:
        assert os.listdir(temporary) == [os.path.basename(folder)]


def test_a_young_one_and_what_only_bears_such_a_name_stay(temporary: Path) -> None:
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("mine")
    (temporary / "cudafit-work-young").mkdir(mode=0o700)
    (temporary / "cudafit-work-link").symlink_to(elsewhere)
    (temporary / "cudafit-work-file").write_text("mine")
    (temporary / "cudafit-work-open").mkdir(mode=0o755)
    for name in ("elsewhere", "cudafit-work-file", "cudafit-work-open"):
        aged(temporary / name)
    before = sorted(os.listdir(temporary))
    with scratch():
        pass
    assert sorted(os.listdir(temporary)) == before
    assert (elsewhere / "file").read_text() == "mine"


def test_no_folder_for_other_programs_is_made_in_another_way() -> None:
    assert [path.name for path in SOURCES.rglob("*.py") if b"TemporaryDirectory" in path.read_bytes()] == []
