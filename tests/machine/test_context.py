"""What a probe is given: reading notes what cannot be read, once, and nothing of what is not there."""

import os
from pathlib import Path

import pytest

from cudafit.files import Files
from cudafit.machine.context import Context, Notes, other_root, this_machine
from cudafit.model.machine import Skipped
from tests.machine.trees import Folder, Link, image, plant, problems


def test_a_missing_file_is_none_and_no_problem(tmp_path: Path) -> None:
    context = image(tmp_path, {"/a": "text"})
    assert context.read("probe", "/a") == "text"
    assert context.read("probe", "/missing") is None
    assert context.read("probe", "/a/below a file") is None
    assert context.read("probe", "/no/such/folder") is None
    assert problems(context) == []


def test_a_folder_in_the_place_of_a_file_is_a_problem(tmp_path: Path) -> None:
    context = image(tmp_path, {"/etc/os-release": Folder()})
    assert context.read("host", "/etc/os-release") is None
    assert problems(context) == ["host: /etc/os-release: it is a folder"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_a_fifo_in_the_place_of_a_file_is_a_problem(tmp_path: Path) -> None:
    context = image(tmp_path, {})
    os.mkfifo(tmp_path / "version")
    assert context.read("probe", "/version") is None
    assert problems(context) == ["probe: /version: it is not a regular file"]


def test_a_loop_of_links_is_a_problem(tmp_path: Path) -> None:
    context = image(tmp_path, {"/version": Link("version")})
    assert context.read("probe", "/version") is None
    assert context.names("probe", "/version") == []
    assert problems(context) == ["probe: /version: Too many levels of symbolic links"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_a_problem(tmp_path: Path) -> None:
    context = image(tmp_path, {"/secret": "x", "/folder": Folder()})
    (tmp_path / "secret").chmod(0)
    (tmp_path / "folder").chmod(0)
    try:
        assert context.read("probe", "/secret") is None
        assert context.names("probe", "/folder") == []
    finally:
        (tmp_path / "folder").chmod(0o700)
    assert problems(context) == ["probe: /secret: Permission denied", "probe: /folder: Permission denied"]


def test_a_broken_link_is_noted_once(tmp_path: Path) -> None:
    context = image(tmp_path, {"/usr/local/cuda": Link("/opt/gone")})
    for _ in range(2):
        assert context.read("probe", "/usr/local/cuda") is None
    assert problems(context) == ["probe: /usr/local/cuda is a broken link to /opt/gone"]


def test_names_of_what_is_no_folder_are_none_and_no_problem(tmp_path: Path) -> None:
    context = image(tmp_path, {"/d/b": "", "/d/a": "", "/d/c.json": ""})
    assert context.names("probe", "/d") == ["a", "b", "c.json"]
    assert context.names("probe", "/d", "*.json") == ["c.json"]
    assert context.names("probe", "/missing") == []
    assert context.names("probe", "/d/a") == []
    assert problems(context) == []


def test_notes_keep_the_probe_apart_from_what_it_said() -> None:
    notes = Notes()
    notes.problem("one", "failed")
    notes.problem("two", "failed")
    notes.problem("one", "failed")
    notes.skip("three", "not asked")
    assert [(note.probe, note.error) for note in notes.problems] == [("one", "failed"), ("two", "failed")]
    assert notes.skipped == [Skipped("three", "not asked")]


def test_another_root_is_never_asked_and_lends_no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_HOME", "/opt/cuda")
    monkeypatch.chdir(tmp_path.parent)
    context = other_root(tmp_path.name)
    assert (context.system, context.live, context.here, context.environ) == ("linux", False, False, {})
    assert context.files.root == str(tmp_path), "a relative root stays the same one when the folder changes"


def test_this_machine_is_asked_directly() -> None:
    context = this_machine(deep=True, silence_s=3)
    assert (context.here, context.deep, context.silence_s) == (True, True, 3)
    assert context.environ == dict(os.environ)
    assert Context("linux", Files("/mnt"), {}).here is False


@pytest.mark.parametrize(
    ("system", "environ", "homes"),
    [
        ("linux", {"HOME": "/home/ada"}, ["/home/ada"]),
        ("linux", {"HOME": "relative"}, []),
        ("windows", {"HOME": r"C:\Users\ada"}, [r"C:\Users\ada"]),
    ],
)
def test_the_home_of_this_user(system: str, environ: dict[str, str], homes: list[str]) -> None:
    assert Context(system, Files(), environ).homes() == homes


def test_every_home_below_another_root(tmp_path: Path) -> None:
    plant(tmp_path, {"/home/ada/x": "", "/home/grace/x": ""})
    assert other_root(str(tmp_path)).homes() == ["/root", "/home/ada", "/home/grace"]
