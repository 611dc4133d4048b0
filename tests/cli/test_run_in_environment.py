"""`cudafit run --env`, `--conda`, `--kernel`: the job finds the environment as if it were active."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cudafit.app.activated import activated, command_in
from cudafit.app.asked import WhichEnvironment
from cudafit.errors import InputError
from tests.conftest import Run

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="run watches through /proc")
TOLD = "import json, os, sys; print(json.dumps([sys.prefix, dict(os.environ)]))"


def venv(path: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", path], check=True)
    return path


def conda(path: Path) -> Path:
    (path / "conda-meta").mkdir(parents=True)
    (path / "bin").mkdir()
    (path / "bin/python").symlink_to(sys.executable)
    return path


def told(done: "subprocess.CompletedProcess[str]") -> tuple[str, dict[str, str]]:
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found[0], found[1]


def test_python_is_that_of_the_venv(cudafit: Run, tmp_path: Path) -> None:
    wanted, other = venv(tmp_path / "wanted"), venv(tmp_path / "other")
    environ = {"VIRTUAL_ENV": str(other), "PATH": f"{other}/bin:{os.environ['PATH']}", "PYTHONHOME": ""}
    prefix, inside = told(cudafit("run", "--env", str(wanted), "--", "python", "-c", TOLD, process=True, env=environ))
    assert prefix == str(wanted)
    assert inside["VIRTUAL_ENV"] == str(wanted)
    assert inside["PATH"].split(os.pathsep)[0] == f"{wanted}/bin"
    assert f"{other}/bin" not in inside["PATH"]
    assert "PYTHONHOME" not in inside


def test_an_environment_changes_nothing_where_none_is_named(cudafit: Run, tmp_path: Path) -> None:
    wanted = venv(tmp_path / "wanted")
    environ = {"VIRTUAL_ENV": str(wanted)}
    _, inside = told(cudafit("run", "--", sys.executable, "-c", TOLD, process=True, env=environ))
    assert inside["PATH"] == os.environ["PATH"]
    assert inside["VIRTUAL_ENV"] == str(wanted)


def test_conda_by_its_name(tmp_path: Path) -> None:
    wanted, base = conda(tmp_path / "conda/envs/nets"), conda(tmp_path / "conda")
    environ = {
        "CONDA_PREFIX": str(base),
        "CONDA_DEFAULT_ENV": "base",
        "CONDA_SHLVL": "1",
        "CONDA_ENVS_PATH": str(wanted.parent),
        "VIRTUAL_ENV": "/gone",
        "PATH": f"{base}/bin:/usr/bin:relative",
    }
    inside = activated(WhichEnvironment(conda="nets"), environ)
    assert (inside["CONDA_PREFIX"], inside["CONDA_DEFAULT_ENV"]) == (str(wanted), "nets")
    assert inside["PATH"] == f"{wanted}/bin:/usr/bin"
    assert "VIRTUAL_ENV" not in inside


def test_a_venv_over_conda_keeps_condas_programs(tmp_path: Path) -> None:
    wanted, base = venv(tmp_path / "wanted"), conda(tmp_path / "conda")
    inside = activated(WhichEnvironment(str(wanted)), {"CONDA_PREFIX": str(base), "PATH": f"{base}/bin:/usr/bin"})
    assert inside["PATH"] == f"{wanted}/bin:{base}/bin:/usr/bin"
    assert "CONDA_PREFIX" not in inside


def test_a_kernel_brings_its_variables(tmp_path: Path) -> None:
    wanted = venv(tmp_path / "wanted")
    folder = tmp_path / "jupyter/kernels/nets"
    folder.mkdir(parents=True)
    kernel = {"argv": [f"{wanted}/bin/python", "-m", "ipykernel"], "display_name": "n", "env": {"TF_X": "1"}}
    (folder / "kernel.json").write_text(json.dumps(kernel))
    inside = activated(WhichEnvironment(kernel="nets"), {"JUPYTER_PATH": str(tmp_path / "jupyter"), "PATH": "/usr/bin"})
    assert (inside["VIRTUAL_ENV"], inside["TF_X"]) == (str(wanted), "1")


def test_what_is_no_environment(cudafit: Run, tmp_path: Path) -> None:
    done = cudafit("run", "--env", str(tmp_path), "--", "python", "-c", "print(1)")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not a Python environment" in done.stderr
    wanted = venv(tmp_path / "wanted")
    done = cudafit("run", "--env", str(wanted), "--conda", "nets", "--", "python")
    assert done.returncode == 2
    assert cudafit("run", "--env", str(wanted), "--attach", str(os.getpid())).returncode == 2


def test_a_command_that_no_path_has(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such command"):
        command_in(["no-such-program"], {"PATH": str(tmp_path)})
    assert command_in(["./train.sh", "x"], {}) == ("./train.sh", "x")
