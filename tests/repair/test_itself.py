"""The environment in which cudafit itself runs is repaired by a copy of it."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from cudafit.app import itself
from cudafit.errors import InputError
from tests.repair.bare_python import site_of, with_cpu_torch
from tests.repair.trees import reading
from tests.repair.world import World, broken_env, world

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the small world is for Linux"),
]
SOURCE = Path(itself.__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world")) as made:
        yield made


def with_cudafit(prefix: Path) -> None:
    """What is installed for these tests, as if it were installed there; the small world's `rich` is none."""
    for one in site_of(prefix).glob("rich*"):
        shutil.rmtree(one)
    folders = [str(SOURCE), sysconfig.get_path("purelib")]
    (site_of(prefix) / "cudafit.pth").write_text("\n".join(folders) + "\n")


def run(python: Path, small: World, tmp: Path, *words: object) -> "subprocess.CompletedProcess[str]":
    tmp.mkdir(exist_ok=True)
    facts = small.words if "repair" in words else ()
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environ = {**kept, **small.env, "TMPDIR": str(tmp), "HOME": str(tmp)}
    command = [str(python), "-m", "cudafit", *map(str, words), *facts]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300, check=False, cwd=tmp)


def test_a_venv(small: World, tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    env, tmp = broken_env(tmp_path / "p" / ".venv", tmp_path / "wheels"), tmp_path / "tmp"
    with_cudafit(env)
    before, python = reading(env), env / "bin/python"
    planned = run(python, small, tmp, "repair", env, "--dry-run")
    assert (planned.returncode, "2.14.1+cpu -> 2.14.1+cu126" in planned.stdout) == (0, True), planned.stderr
    done = run(python, small, tmp, "repair", env, "--yes")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "a copy of it goes on" in done.stderr
    assert list(site_of(env).glob("torch-*")) == [site_of(env) / "torch-2.14.1+cu126.dist-info"]
    back = run(python, small, tmp, "rollback", env, "--yes")
    assert back.returncode == 0, back.stderr
    assert reading(env) == before
    assert list(tmp.glob("cudafit-itself-*")) == [], "the copy removes itself"


def test_a_python_without_an_environment(small: World, tmp_path: Path) -> None:
    python, tmp = with_cpu_torch(tmp_path / "usr", tmp_path / "wheels"), tmp_path / "tmp"
    with_cudafit(tmp_path / "usr")
    own = site_of(tmp_path / "usr") / "cudafit"
    shutil.copytree(SOURCE / "cudafit", own, ignore=shutil.ignore_patterns("_shipped"))
    for name in ("matrices", "templates"):
        shutil.copytree(SOURCE.parent / name, own / "_shipped" / name)
    done = run(python, small, tmp, "repair", python, "--system", "--yes")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "a copy of it goes on" in done.stderr
    assert (site_of(tmp_path / "usr") / "torch-2.14.1+cu126.dist-info").is_dir()
    assert run(python, small, tmp, "rollback", python, "--yes").returncode == 0
    assert (site_of(tmp_path / "usr") / "torch-2.14.1+cpu.dist-info").is_dir()


def test_where_no_other_python_is_there_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyvenv.cfg").touch()
    (tmp_path / "python3.12").write_text("#!/bin/sh\n")
    monkeypatch.setattr(sys, "_base_executable", str(tmp_path / "python3.12"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="cannot change what it stands on") as caught:
        itself.go_on_elsewhere(str(tmp_path), "repair")
    assert "uvx cudafit repair" in (caught.value.hint or "")
