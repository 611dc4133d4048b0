"""Projects of Poetry and PDM are repaired by these: declaration, lock and environment, and back byte for byte."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run
from tests.matrix.harvest.server import Index, serving
from tests.real_venv import made
from tests.repair.trees import reading
from tests.repair.world import CPU, World, world

pytestmark = [
    pytest.mark.slow,
    pytest.mark.online,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the small world is for Linux"),
]
POETRY = """\
# my project
[tool.poetry]
name = "p"
version = "0"
package-mode = false

[tool.poetry.dependencies]
python = ">={python}"
rich = "<14"  # pretty
torch = {{ version = ">=2.4", source = "pytorch-cpu" }}

[tool.poetry.group.dev.dependencies]
numpy = "<2.2"

[[tool.poetry.source]]
name = "mirror"
url = "{default}"
priority = "primary"

[[tool.poetry.source]]
name = "pytorch-cpu"
url = "{cpu}"
priority = "explicit"
"""
PDM = """\
# my project
[project]
name = "p"
version = "0"
requires-python = ">={python}"
dependencies = [
    "rich<14",  # pretty
    "torch>=2.4",
]

[dependency-groups]
dev = ["numpy<2.2"]

[tool.pdm]
distribution = false

[[tool.pdm.source]]
name = "pypi"
url = "{default}"

[[tool.pdm.source]]
name = "pytorch-cpu"
url = "{cpu}"
include_packages = ["torch"]
exclude_packages = ["*"]
"""
MADE = {"poetry": POETRY, "pdm": PDM}
AS_POETRY_2 = """\
[project]
name = "p"
version = "0"
requires-python = ">={python}"
dependencies = ["rich (<14)"]

[project.optional-dependencies]
gpu = ["torch (>=2.4)"]

[tool.poetry]
package-mode = false

[tool.poetry.dependencies]
torch = {{ source = "pytorch-cpu" }}

[[tool.poetry.source]]
name = "mirror"
url = "{default}"
priority = "primary"

[[tool.poetry.source]]
name = "pytorch-cpu"
url = "{cpu}"
priority = "explicit"
"""


class Tools:
    """Poetry and PDM, with the indexes."""

    def __init__(self, small: World, cpu: Index, programs: Path, home: Path) -> None:
        self.small, self.cpu, self.programs = small, cpu, programs
        self.env = {
            **small.env,
            "PATH": f"{programs / 'bin'}:{os.environ['PATH']}",
            "HOME": str(home),
            "POETRY_CACHE_DIR": str(home / "poetry"),
            "POETRY_VIRTUALENVS_IN_PROJECT": "true",
            "PDM_CACHE_DIR": str(home / "pdm"),
            "PDM_CHECK_UPDATE": "0",
        }

    def run(self, project: Path, *words: str) -> str:
        kept = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "CONDA_PREFIX")}
        done = subprocess.run(
            [self.programs / "bin" / words[0], *words[1:]],
            cwd=project,
            env={**kept, **self.env},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout + done.stderr

    def project(self, folder: Path, manager: str, text: str, *words: str) -> Path:
        folder.mkdir(parents=True)
        made(folder / ".venv")
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        told = text.format(python=python, cpu=self.cpu.address, default=self.small.default.address)
        (folder / "pyproject.toml").write_text(told)
        if manager == "poetry":
            self.run(folder, "poetry", "lock", "--no-interaction")
        self.run(folder, manager, "install", *words)
        return folder

    def nothing_to_do(self, project: Path, manager: str, *words: str) -> bool:
        if manager == "pdm":
            self.run(project, "pdm", "lock", "--check")
            return "nothing to do" in self.run(project, "pdm", "sync", "--dry-run", *words)
        self.run(project, "poetry", "check", "--lock")
        told = self.run(project, "poetry", "sync", "--dry-run", *words)
        return "0 installs, 0 updates, 0 removals" in told or "No dependencies to install or update" in told


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    folder = tmp_path_factory.mktemp("tools")
    # PDM 2.29 asks for hishel from 1.4 on and does not start with 2.0.
    programs = made(folder / "programs", "poetry>=2", "pdm", "hishel<2")
    (folder / "home").mkdir()
    with (
        world(tmp_path_factory.mktemp("world")) as small,
        serving(Index({"torch": dict(CPU)}, prefix="cpu")) as cpu,
    ):
        yield Tools(small, cpu, programs, folder / "home")


@pytest.fixture(scope="module")
def made_once(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    found: dict[str, Path] = {}

    def of(manager: str) -> Path:
        if manager not in found:
            found[manager] = tools.project(tmp_path_factory.mktemp(manager) / "p", manager, MADE[manager])
        return found[manager]

    return of


@pytest.fixture(params=["poetry", "pdm"])
def manager(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def project(made_once: Callable[[str], Path], manager: str, tmp_path: Path) -> Path:
    folder = shutil.copytree(made_once(manager), tmp_path / "p", symlinks=True)
    if manager == "pdm":
        (folder / ".pdm-python").write_text(f"{folder}/.venv/bin/python")
    return folder


Repair = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def repair(cudafit: Run, tools: Tools) -> Repair:
    def run(project: Path, *words: str, **env: str) -> "subprocess.CompletedProcess[str]":
        return cudafit("repair", str(project / ".venv"), *words, *tools.small.words, env={**tools.env, **env})

    return run


def content(project: Path) -> dict[str, object]:
    """All but cudafit's own folder, and the times of the folder itself."""
    found = reading(project)
    return {name: what for name, what in found.items() if name.partition("/")[0] not in (".venv.cudafit", ".")}


def told(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def versions(project: Path) -> set[str]:
    (site,) = project.glob(".venv/lib/python*/site-packages")
    return {path.name.removesuffix(".dist-info") for path in site.glob("*.dist-info")}


def test_all_three_move_and_come_back(project: Path, manager: str, repair: Repair, cudafit: Run, tools: Tools) -> None:
    old = content(project)
    planned = told(repair(project, "--dry-run", "--json"))
    assert content(project) == old
    assert not (project / ".venv.cudafit").exists()
    assert [Path(one["path"]).name for one in planned["files"]] == ["pyproject.toml", f"{manager}.lock"]
    assert [(step["package"], step["action"]) for step in planned["steps"]] == [
        ("nvidia-cudnn-cu12", "install"),
        ("torch", "replace"),
    ]
    assert told(repair(project, "--yes", "--json"))["status"] == "done"
    text = (project / "pyproject.toml").read_text()
    assert text.startswith("# my project\n")
    assert "# pretty" in text
    assert "pytorch-cu126" in text
    assert "pytorch-cpu" not in text
    assert tools.nothing_to_do(project, manager)
    assert versions(project) == {"numpy-2.1.0", "rich-13.9.4", "nvidia_cudnn_cu12-9.10.2.21", "torch-2.14.1+cu126"}
    new = content(project)
    back = cudafit("rollback", str(project / ".venv"), "--yes", env=tools.env)
    assert f"with pyproject.toml and {manager}.lock beside it" in back.stdout
    assert content(project) == old
    assert tools.nothing_to_do(project, manager)
    assert cudafit("rollback", str(project / ".venv"), "--yes", env=tools.env).returncode == 0
    assert content(project) == new


@pytest.mark.parametrize("delay", [0.0, 0.5, 1.5])
def test_killed_in_the_middle(project: Path, manager: str, tools: Tools, cudafit: Run, delay: float) -> None:
    old = content(project)
    command = [sys.executable, "-P", "-m", "cudafit", "repair", str(project / ".venv"), "--yes", *tools.small.words]
    with subprocess.Popen(
        command, cwd=project, env={**os.environ, **tools.env}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as victim:
        assert victim.stderr
        while b"writing" not in (line := victim.stderr.readline()):
            assert line
        time.sleep(delay)
        victim.send_signal(signal.SIGKILL)
    if (project / ".venv.cudafit/journal.json").exists():
        assert cudafit("rollback", str(project / ".venv"), "--yes", env=tools.env).returncode == 0
        assert content(project) == old
    assert tools.nothing_to_do(project, manager)


def test_an_extra_that_is_installed_stays(tools: Tools, tmp_path: Path, repair: Repair) -> None:
    """As Poetry 2 writes it: lists of PEP 621, and the source in Poetry's own table."""
    project = tools.project(tmp_path / "p", "poetry", AS_POETRY_2, "--extras", "gpu")
    assert told(repair(project, "--yes", "--json"))["status"] == "done"
    text = (project / "pyproject.toml").read_text()
    assert "torch==2.14.1+cu126" in text
    assert 'source = "pytorch-cu126"' in text
    assert tools.nothing_to_do(project, "poetry", "--extras", "gpu")


def test_a_step_that_fails_takes_all_back(project: Path, repair: Repair) -> None:
    (site,) = project.glob(".venv/lib/python*/site-packages")
    (site / "nvidia").write_text("in the way")
    old = content(project)
    done = repair(project, "--yes")
    assert done.returncode == 4, done.stderr
    assert content(project) == old


def test_without_the_manager_it_is_left_with_the_edit(project: Path, manager: str, repair: Repair) -> None:
    old = content(project)
    done = repair(project, "--yes", PATH="/usr/bin:/bin")
    assert done.returncode == 1
    assert "changed alone it would differ from" in done.stderr
    assert f"`{manager} add" in done.stderr
    assert content(project) == old


def test_nothing_of_the_project_is_run_for_a_plan(project: Path, manager: str, repair: Repair) -> None:
    """Neither its programs, nor plugins, nor hooks."""
    ran = project / "ran"
    for name in (manager, "python"):
        path = project / ".venv/bin" / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\ntouch {ran}\n")
        path.chmod(0o755)
    plugin = project / ".pdm-plugins/lib/evil.pth"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(f"import pathlib; pathlib.Path({str(ran)!r}).touch()\n")
    with (project / "pyproject.toml").open("a") as file:
        file.write(f'\n[tool.pdm.scripts]\npre_lock = "touch {ran}"\n')
        file.write('\n[tool.poetry.requires-plugins]\nevil-plugin = "*"\n' if manager == "poetry" else "")
    environ = {"PATH": f"{project}/.venv/bin:{os.environ['PATH']}"}
    repair(project, "--dry-run", PATH=f"{environ['PATH']}")
    done = repair(project, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert not ran.exists()


def test_an_environment_in_poetrys_own_folder(
    tools: Tools, tmp_path: Path, cudafit: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Tools(tools.small, tools.cpu, tools.programs, tmp_path / "home")
    own.env["POETRY_VIRTUALENVS_IN_PROJECT"] = "false"
    folder = tmp_path / "p"
    folder.mkdir()
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    text = POETRY.format(python=python, cpu=tools.cpu.address, default=tools.small.default.address)
    (folder / "pyproject.toml").write_text(text)
    own.run(folder, "poetry", "lock", "--no-interaction")
    own.run(folder, "poetry", "install")
    (env,) = (tmp_path / "home/poetry/virtualenvs").glob("p-*")
    monkeypatch.chdir(folder)
    old, lock = (folder / "pyproject.toml").read_bytes(), (folder / "poetry.lock").read_bytes()
    installed = reading(env)
    done = cudafit("repair", str(env), "--yes", "--json", *tools.small.words, env=own.env)
    assert told(done)["status"] == "done"
    assert "pytorch-cu126" in (folder / "pyproject.toml").read_text()
    assert own.nothing_to_do(folder, "poetry")
    back = cudafit("rollback", str(env), "--yes", env=own.env)
    assert back.returncode == 0, back.stderr
    assert ((folder / "pyproject.toml").read_bytes(), (folder / "poetry.lock").read_bytes()) == (old, lock)
    assert reading(env) == installed
    assert own.nothing_to_do(folder, "poetry")
