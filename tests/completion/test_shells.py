"""Tab in real shells: what stands in the line afterwards."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cudafit.completion.words import script

pexpect = pytest.importorskip("pexpect", reason="there are no terminals to open here")
pytestmark = pytest.mark.slow
SHELLS = ("bash", "zsh", "fish")
_WAIT_S = 30
_START = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"], "fish": ["--no-config", "--private"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "work"
    place.mkdir()
    for name in ("train.py", "notes.md", "a $(touch boom) b.py"):
        (place / name).write_text("", encoding="utf-8")
    (place / "my models").mkdir()
    (place / "my models" / "deep.py").write_text("", encoding="utf-8")
    return place


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder for PATH with this cudafit, and beside it `shown`, which writes its words down."""
    place = tmp_path / "bin"
    place.mkdir()
    _program(place / "cudafit", f'exec "{sys.executable}" -m cudafit "$@"')
    return place


def _program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


class Shell:
    def __init__(self, name: str, programs: Path, folder: Path, home: Path) -> None:
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
        self.name = name
        rc = home / f"rc.{name}"
        rc.write_text(script(name), encoding="utf-8")
        environ = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(home), "TERM": "dumb"}
        environ |= {"XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home), "LC_ALL": "C.UTF-8"}
        self.child = pexpect.spawn(
            name, _START[name], env=environ, cwd=str(folder), encoding="utf-8", timeout=_WAIT_S, dimensions=(50, 250)
        )
        before = {
            "bash": "PS1='READY> '; bind 'set bell-style none'; bind 'set enable-bracketed-paste off'",
            "zsh": "PS1='READY> '; unsetopt zle_bracketed_paste beep; autoload -Uz compinit && compinit -u",
            "fish": "function fish_prompt; printf 'READY> '; end; set -g fish_greeting",
        }[name]
        self.child.sendline(before)
        self.child.sendline(f". {rc}")
        self.child.sendline("echo SET; echo UP")
        self.child.expect("SET\r\n+UP")
        self.child.expect("READY> ")

    def tab(self, typed: str, out: Path) -> list[str]:
        """The words that the command would get after Tab: the line is run, by a cudafit that writes them down."""
        self.child.send(typed + "\t")
        self.child.expect(r".+", timeout=_WAIT_S)
        _settle(self.child)
        self.child.send("\r")
        for _ in range(300):
            if out.exists() and out.read_text(encoding="utf-8").endswith("\0END"):
                return out.read_text(encoding="utf-8").split("\0")[:-1]
            _settle(self.child, 0.1)
        raise AssertionError(f"{self.name} ran nothing after {typed!r}")


def _settle(child: Any, quiet_s: float = 0.8) -> str:
    """What the shell says until it has said nothing for a moment."""
    said = ""
    try:
        while True:
            said += child.read_nonblocking(4096, timeout=quiet_s)
    except pexpect.TIMEOUT:
        return said


@pytest.fixture
def shells(programs: Path, folder: Path, tmp_path: Path) -> Iterator[Any]:
    made = []

    def make(name: str) -> Shell:
        made.append(Shell(name, programs, folder, tmp_path))
        return made[-1]

    yield make
    for one in made:
        one.child.close(force=True)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("cudafit resol", ["resolve"]),
        ("cudafit resolve torchvi", ["resolve", "torchvision"]),
        ("cudafit resolve --gpu GTX-1080-T", ["resolve", "--gpu", "GTX-1080-Ti"]),
        ("cudafit resolve --prefer=nat", ["resolve", "--prefer=native"]),
        ("cudafit explain torch.cpu_w", ["explain", "torch.cpu_wheel"]),
        ("cudafit lint tr", ["lint", "train.py"]),
        ("cudafit lint a", ["lint", "a $(touch boom) b.py"]),
        ("cudafit lint my", ["lint", "my models/"]),
        ("cudafit lint 'my models/d", ["lint", "my models/deep.py"]),
        ("cudafit matrix re", ["matrix", "revert"]),
    ],
)
@pytest.mark.parametrize("name", SHELLS)
def test_tab(
    name: str, typed: str, words: list[str], shells: Any, programs: Path, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "words"
    real = f'exec "{sys.executable}" -m cudafit "$@"'
    _program(
        programs / "cudafit",
        f'if [ "$2" = --words ]; then {real}; fi\nprintf "%s\\0" "$@" >"{out}"; printf END >>"{out}"',
    )
    found = shells(name).tab(typed, out)
    # zsh takes the slash that it set behind a folder away again when the line ends there.
    assert [word.removesuffix("/") for word in found] == [word.removesuffix("/") for word in words]
    assert not (folder / "boom").exists()


@pytest.mark.parametrize("name", SHELLS)
def test_a_broken_cudafit_is_silent(name: str, shells: Any, programs: Path) -> None:
    _program(programs / "cudafit", "echo Traceback >&2; exit 1")
    shell = shells(name)
    shell.child.send("cudafit resol\t")
    shell.child.expect("cudafit resol")
    said = _settle(shell.child)
    shell.child.send("\x03")  # the line is given up, and nothing of it is run
    said += _settle(shell.child)
    assert "Traceback" not in said
    shell.child.sendline("echo DO''NE")
    shell.child.expect("DONE")


def test_fish_by_its_own_function(programs: Path, folder: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    code = f"{script('fish')}\ncomplete -C 'cudafit resolve --prefer '"
    environ = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["fish", "--no-config", "-c", code], env=environ, cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["newest", "native", "installed"]
