"""Interpreters, known by where they lie and never run."""

import sys
from pathlib import Path

import pytest

from cudafit.files import Files
from cudafit.machine.context import Context
from cudafit.machine.pythons import read_pythons, version_of
from cudafit.model.machine import Interpreter
from tests.machine.trees import ELF_X86_64, Link, Tree, image, problems

UV = "/home/ada/.local/share/uv/python"
SHIM = '#!/usr/bin/env bash\nset -e\nexec "/root/.pyenv/libexec/pyenv" exec "$program" "$@"\n'


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/root/.pyenv/versions/3.12.4/bin/python3.12", ("3.12.4", "pyenv folder")),
        (f"{UV}/cpython-3.13.1-linux-x86_64-gnu/bin/python3.13", ("3.13.1", "uv folder")),
        (f"{UV}/cpython-3.13.1+freethreaded-linux-x86_64-gnu/bin/python3.13", ("3.13.1", "uv folder")),
        ("/usr/bin/python3.11", ("3.11", "file name")),
        ("/usr/bin/python2.7", ("2.7", "file name")),
        ("/root/.pyenv/versions/my-venv/bin/python3.12", ("3.12", "file name")),
        ("/usr/bin/python3", None),
        ("/usr/bin/python3.11-config", None),
    ],
)
def test_version_by_place(path: str, told: tuple[str, str] | None) -> None:
    assert version_of(path) == told


def test_every_kind_each_once_newest_first(tmp_path: Path) -> None:
    context = image(
        tmp_path,
        {
            "/bin": Link("usr/bin"),
            "/usr/bin/python3.9": ELF_X86_64,
            "/usr/bin/python3.11": ELF_X86_64,
            "/usr/bin/python3": Link("python3.11"),
            "/usr/bin/python3.11-config": "#!/bin/sh\n",
            "/usr/bin/python-argcomplete": "#!/usr/bin/python3\n",
            "/root/.pyenv/versions/3.12.4/bin/python3.12": ELF_X86_64,
            "/root/.pyenv/versions/3.12.4/bin/python": Link("python3.12"),
            "/home/ada/.pyenv/versions/3.10.14/bin/python3.10": ELF_X86_64,
            f"{UV}/cpython-3.13.1-linux-x86_64-gnu/bin/python3.13": ELF_X86_64,
            f"{UV}/cpython-3.13-linux-x86_64-gnu": Link("cpython-3.13.1-linux-x86_64-gnu"),
        },
    )
    assert [(python.version, python.via) for python in read_pythons(context)] == [
        ("3.13.1", "uv folder"),
        ("3.12.4", "pyenv folder"),
        ("3.11", "file name"),
        ("3.10.14", "pyenv folder"),
        ("3.9", "file name"),
    ]
    assert problems(context) == []


def test_the_name_that_the_search_path_finds_first_is_shown(tmp_path: Path) -> None:
    tree: Tree = {"/opt/py/python3.12": ELF_X86_64, "/usr/bin/python3": Link("/opt/py/python3.12")}
    assert read_pythons(image(tmp_path / "system", tree)) == (Interpreter("3.12", "/usr/bin/python3", "file name"),)
    given = image(tmp_path / "path", tree, {"PATH": "relative:/opt/py/:/missing"})
    assert read_pythons(given) == (Interpreter("3.12", "/opt/py/python3.12", "file name"),)


def test_a_shim_is_no_interpreter(tmp_path: Path) -> None:
    shims = "/root/.pyenv/shims"
    tree: Tree = {f"{shims}/python3.12": SHIM, f"{shims}/python3": SHIM, "/usr/bin/python3.11": b""}
    context = image(tmp_path, tree, {"PATH": shims})
    assert read_pythons(context) == ()
    assert problems(context) == []


@pytest.mark.parametrize("target", ["/usr/bin/python3.8", "python3"])
def test_a_link_that_leads_nowhere_is_a_problem(target: str, tmp_path: Path) -> None:
    context = image(tmp_path, {"/usr/bin/python3": Link(target)})
    assert read_pythons(context) == ()
    assert problems(context) == [f"pythons: /usr/bin/python3 is a broken link to {target}"]


def test_the_one_that_runs_cudafit_has_its_full_version(tmp_path: Path) -> None:
    pythons = read_pythons(Context("linux", Files(), {"HOME": str(tmp_path), "PATH": ""}))
    version = ".".join(map(str, sys.version_info[:3]))
    assert Interpreter(version, sys.executable, "running cudafit") in pythons


def test_on_windows_only_that_one_is_listed() -> None:
    context = Context("windows", Files(), {"PATH": r"C:\Python312"})
    assert [python.via for python in read_pythons(context)] == ["running cudafit"]
    assert [skipped.probe for skipped in context.notes.skipped] == ["pythons"]
