"""Writing a file whole or not at all, and adding to one."""

import os
from pathlib import Path

import pytest

from cudafit.atomic import append_text, write_text


def test_a_name_that_is_no_text_is_spelled_out(tmp_path: Path) -> None:
    write_text(str(tmp_path / "a"), "a\udcff\ud800\xe4")
    assert (tmp_path / "a").read_text() == "a\\udcff\\ud800\xe4"


def test_text_is_added(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("a")
    append_text(str(tmp_path / "link"), "one\n")
    append_text(str(tmp_path / "a"), "two \udcff\n")
    assert (tmp_path / "a").read_bytes() == b"one\ntwo \xff\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_nothing_is_added_to_a_pipe_or_a_device(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to("/dev/null")
    for name in ("pipe", "null"):
        with pytest.raises(OSError, match=r"not a regular file|No such device"):
            append_text(str(tmp_path / name), "x")
