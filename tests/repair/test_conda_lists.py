"""What conda reads line by line gets no line by a name."""

from dataclasses import replace
from pathlib import Path

import pytest

from cudafit.env.conda_meta import MetaRecord, pinned
from cudafit.files import Files
from cudafit.matrix.load import open_matrix
from cudafit.repair.engines.conda_lists import complete, pin, register
from cudafit.resolve.conda import cudnn_limits, kept_limits
from cudafit.resolve.host import Kind
from cudafit.resolve.problem import Library
from cudafit.system.commands import command_text


def gone(name: str) -> MetaRecord:
    return MetaRecord(name, "1", "0", "noarch", "http://c", "http://c/x", None, None, None, (), (), ())


def test_the_history_has_a_line_for_each(tmp_path: Path) -> None:
    (tmp_path / "conda-meta").mkdir()
    command = command_text("cudafit", "create", "a\n# cmd: b")
    complete(str(tmp_path), (), [gone("x\n+c/noarch::evil-1-0")], (), command)
    lines = (tmp_path / "conda-meta" / "history").read_text().splitlines()
    assert lines[1:] == [
        r"# cmd: cudafit create $'a\n\043 cmd: b'",
        r"-http://c/noarch::x\n+c/noarch::evil-1-0-1-0",
    ]


@pytest.mark.parametrize(("name", "listed"), [("plain env", True), ("a\n/home/other", False), ("a\x1b[2K", False)])
def test_a_prefix_that_is_not_one_line_is_not_listed(tmp_path: Path, name: str, listed: bool) -> None:
    prefix = str(tmp_path / name)
    register("/before", {"HOME": str(tmp_path)})
    register(prefix, {"HOME": str(tmp_path)})
    text = (tmp_path / ".conda" / "environments.txt").read_text()
    assert text == ("/before\n" + (f"{prefix}\n" if listed else ""))


def test_the_limits_of_a_fit_are_pinned_for_conda_itself(tmp_path: Path) -> None:
    (tmp_path / "conda-meta").mkdir()
    pin(str(tmp_path), ())
    assert not (tmp_path / "conda-meta" / "pinned").exists()
    pin(str(tmp_path), ("libcudnn <9.11", "nccl <2.27"))
    assert (tmp_path / "conda-meta" / "pinned").read_text() == "libcudnn <9.11\nnccl <2.27\n"
    assert pinned(Files(), str(tmp_path)) == ("libcudnn <9.11", "nccl <2.27")


def test_a_lock_keeps_the_limits_that_it_is_within() -> None:
    limits = {"12": ("libcudnn<9.11",)}
    assert kept_limits({"cuda-version": "12.9", "libcudnn": "9.10.2.21"}, limits) == ("libcudnn<9.11",)
    assert (
        kept_limits({"cuda-version": "12.9", "libcudnn": "9.13.0.50"}, limits) == ()
    )  # doctor says what is wrong with it
    assert kept_limits({"cuda-version": "12.9"}, limits) == ()
    assert kept_limits({"cuda-version": "13.0", "libcudnn": "9.10.2.21"}, limits) == ()


def test_the_limits_of_pascal_are_those_of_cudnn() -> None:
    libraries = Library(open_matrix()).libraries
    kind = Kind("gpu", "linux-x86_64", None, False, False, "580.65.06", None, ((6, 1),), False, ())
    assert cudnn_limits(libraries, kind)["12"] == ("libcudnn<9.11",)
    assert cudnn_limits(libraries, replace(kind, capabilities=((9, 0),))) == {}
