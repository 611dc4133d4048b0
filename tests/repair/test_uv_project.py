"""A uv project is repaired by uv: its declaration, its lock and its environment together, and back byte for byte."""

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
from tests.repair.trees import reading
from tests.repair.world import CPU, World, wheel, world

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the small world is for Linux"),
]
UV = [sys.executable, "-m", "uv"]
DECLARATION = """\
# my project
[project]
name = "p"
version = "0"
requires-python = ">={python}"
dependencies = [
    "rich<14",  # pretty
    "torch>=2.4",  # the net
]

[dependency-groups]
dev = ["numpy<2.2"]

[[tool.uv.index]]
name = "pytorch-cpu"
url = "{cpu}"
explicit = true

[tool.uv.sources]
torch = {{ index = "pytorch-cpu" }}
"""


BACKEND = """
import pathlib, zipfile
pathlib.Path({ran!r}).touch()
METADATA = "Metadata-Version: 2.1\\nName: p\\nVersion: 1.2\\nRequires-Dist: rich<14\\nRequires-Dist: torch\\n"
def build_editable(folder, *_):
    with zipfile.ZipFile(folder + "/p-1.2-py3-none-any.whl", "w") as file:
        info = "p-1.2.dist-info/"
        file.writestr(info + "METADATA", METADATA)
        file.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        file.writestr(info + "RECORD", "")
    return "p-1.2-py3-none-any.whl"
"""


class Uv:
    """The indexes, with that of builds for the CPU."""

    def __init__(self, small: World, cpu: Index) -> None:
        self.small, self.cpu = small, cpu

    def run(self, project: Path, *words: str) -> str:
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "VIRTUAL_ENV"))}
        done = subprocess.run(
            [*UV, *words], cwd=project, env={**environ, **self.small.env}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def project(self, folder: Path, text: str = DECLARATION, *words: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        (folder / "pyproject.toml").write_text(text.format(cpu=self.cpu.address, python=python))
        self.run(folder, "sync", "--quiet", "--python", sys.executable, *words)
        return folder

    def nothing_to_do(self, project: Path, *words: str) -> bool:
        return "Would make no changes" in self.run(project, "sync", "--dry-run", *words)


@pytest.fixture(scope="module")
def uv(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Uv]:
    with (
        world(tmp_path_factory.mktemp("world")) as small,
        serving(Index({"torch": dict(CPU)}, prefix="cpu")) as cpu,
    ):
        yield Uv(small, cpu)


@pytest.fixture(scope="module")
def made(uv: Uv, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return uv.project(tmp_path_factory.mktemp("made") / "p")


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "p", symlinks=True)


Repair = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def repair(cudafit: Run, uv: Uv) -> Repair:
    def run(project: Path, *words: str) -> "subprocess.CompletedProcess[str]":
        return cudafit("repair", str(project / ".venv"), *words, *uv.small.words, env=uv.small.env)

    return run


def content(project: Path) -> dict[str, object]:
    """All but cudafit's own folder, and the times of the folder itself."""
    found = reading(project)
    return {name: what for name, what in found.items() if name.partition("/")[0] not in (".venv.cudafit", ".")}


def versions(project: Path) -> set[str]:
    (site,) = project.glob(".venv/lib/python*/site-packages")
    return {path.name.removesuffix(".dist-info") for path in site.glob("*.dist-info")}


def told(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_all_three_move_and_come_back(project: Path, repair: Repair, cudafit: Run, uv: Uv) -> None:
    old = content(project)
    planned = told(repair(project, "--dry-run", "--json"))
    assert content(project) == old
    assert not (project / ".venv.cudafit").exists()
    declaration, lock = planned["files"]
    assert declaration["path"] == str(project / "pyproject.toml")
    assert '-    "torch>=2.4",  # the net\n+    "torch==2.14.1+cu126",  # the net\n' in declaration["diff"]
    assert lock["path"] == str(project / "uv.lock")
    assert [(step["package"], step["action"]) for step in planned["steps"]] == [
        ("nvidia-cudnn-cu12", "install"),
        ("torch", "replace"),
    ]
    assert planned["download"] > 100_000
    assert told(repair(project, "--yes", "--json"))["status"] == "done"
    text = (project / "pyproject.toml").read_text()
    assert text.startswith("# my project\n")
    assert f'name = "pytorch-cu126"\nurl = "{uv.small.pytorch.address.rstrip("/")}"\nexplicit = true' in text
    assert "pytorch-cpu" not in text
    assert uv.nothing_to_do(project)
    assert versions(project) == {"numpy-2.1.0", "rich-13.9.4", "nvidia_cudnn_cu12-9.10.2.21", "torch-2.14.1+cu126"}
    new = content(project)
    back = cudafit("rollback", str(project / ".venv"), "--yes", env=uv.small.env)
    assert "with pyproject.toml and uv.lock beside it" in back.stdout
    assert content(project) == old
    assert uv.nothing_to_do(project)
    assert cudafit("rollback", str(project / ".venv"), "--yes", env=uv.small.env).returncode == 0
    assert content(project) == new


def test_what_people_see_before_they_are_asked(project: Path, repair: Repair) -> None:
    done = repair(project)
    assert done.returncode == 2, done.stdout
    assert '+    "torch==2.14.1+cu126",  # the net' in done.stdout
    assert "uv.lock" in done.stdout


@pytest.mark.parametrize("delay", [0.15, 0.3, 0.45, 0.6, 0.75])
def test_killed_in_the_middle(project: Path, uv: Uv, cudafit: Run, delay: float) -> None:
    old = content(project)
    command = [sys.executable, "-P", "-m", "cudafit", "repair", "--yes", *uv.small.words]
    with subprocess.Popen(
        command, cwd=project, env={**os.environ, **uv.small.env}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as victim:
        assert victim.stderr
        while b"writing" not in (line := victim.stderr.readline()):
            assert line
        time.sleep(delay - 0.15)
        victim.send_signal(signal.SIGKILL)
    if (project / ".venv.cudafit/journal.json").exists():
        assert cudafit("rollback", str(project / ".venv"), "--yes", env=uv.small.env).returncode == 0
        assert content(project) == old
    assert uv.nothing_to_do(project)


def test_a_step_that_fails_takes_all_back(project: Path, repair: Repair) -> None:
    (site,) = project.glob(".venv/lib/python*/site-packages")
    (site / "nvidia").write_text("in the way")
    old = content(project)
    done = repair(project, "--yes")
    assert done.returncode == 4, done.stderr
    assert content(project) == old


def test_an_extra_that_is_installed_stays(uv: Uv, tmp_path: Path, repair: Repair) -> None:
    text = DECLARATION.replace('    "torch>=2.4",  # the net\n', "") + (
        "\n[project.optional-dependencies]\ngpu = ['torch>=2.4']\nother = ['numpy']\n"
    )
    project = uv.project(tmp_path / "p", text, "--extra", "gpu")
    assert told(repair(project, "--yes", "--json"))["status"] == "done"
    assert (
        "gpu = ['torch>=2.4']".replace("'torch>=2.4'", '"torch==2.14.1+cu126"')
        in (project / "pyproject.toml").read_text()
    )
    assert uv.nothing_to_do(project, "--extra", "gpu")


def test_what_only_another_package_needs_becomes_a_dependency(uv: Uv, tmp_path: Path, repair: Repair) -> None:
    """uv asks an index of its own for nothing that the project does not name itself."""
    uv.small.default.packages["net"] = dict(
        [wheel("net", "1.0", {"net.py": ""}, requires="Requires-Dist: torch==2.99.0")]
    )
    uv.small.default.packages["old"] = dict([wheel("old", "1.0", {"old.py": ""}, requires="Requires-Dist: torch")])
    text = '[project]\nname = "p"\nversion = "0"\nrequires-python = ">={python}"\ndependencies = ["old"]\n'
    project = uv.project(tmp_path / "p", text)
    assert told(repair(project, "--yes", "--json"))["status"] == "done"
    assert '    "torch==2.14.1+cu126",\n' in (project / "pyproject.toml").read_text()
    assert uv.nothing_to_do(project)
    project = uv.project(tmp_path / "q", text.replace("old", "net"))
    old = content(project)
    done = repair(project, "--yes")
    assert done.returncode == 1
    assert "nothing is changed" in done.stdout
    assert "net 1.0 was built for torch==2.99.0" in done.stdout
    assert content(project) == old


def test_what_no_lock_names_stays_and_is_said(project: Path, repair: Repair) -> None:
    (site,) = project.glob(".venv/lib/python*/site-packages")
    shutil.copytree(site / "rich-13.9.4.dist-info", site / "mine-1.0.dist-info")
    metadata = site / "mine-1.0.dist-info/METADATA"
    metadata.write_text(metadata.read_text().replace("Name: rich", "Name: mine").replace("13.9.4", "1.0"))
    (site / "mine-1.0.dist-info/RECORD").write_text("mine-1.0.dist-info/METADATA,,\n")
    done = told(repair(project, "--yes", "--json"))
    assert "not in uv.lock, so that `uv sync` takes it out: mine" in done["warnings"]
    assert "mine-1.0" in versions(project)


def test_a_project_that_says_otherwise(project: Path, repair: Repair) -> None:
    path = project / "pyproject.toml"
    path.write_text(
        path.read_text().replace(
            "[tool.uv.sources]", '[tool.uv]\noverride-dependencies = ["torch==2.14.1+cpu"]\n\n[tool.uv.sources]'
        )
    )
    old = content(project)
    done = repair(project, "--yes")
    assert done.returncode == 1, done.stderr
    assert content(project) == old


def test_nothing_of_the_project_is_built_for_a_plan(project: Path, repair: Repair) -> None:
    """Dependencies that are computed would need the project's own code to be run."""
    path = project / "pyproject.toml"
    text = path.read_text().replace('version = "0"', 'version = "0"\ndynamic = ["dependencies"]')
    start = text.index("dependencies = [\n")
    text = text[:start] + text[text.index("]\n", start) + 2 :]
    path.write_text(text + '\n[build-system]\nrequires = []\nbuild-backend = "evil"\nbackend-path = ["."]\n')
    (project / "evil.py").write_text(f"open({str(project / 'ran')!r}, 'w')\n")
    done = repair(project, "--dry-run")
    assert done.returncode in (1, 2), done.stdout
    assert not (project / "ran").exists()


def test_a_version_that_is_computed(uv: Uv, tmp_path: Path, repair: Repair) -> None:
    """As most projects that follow their tags: it is in no lock, and a plan computes none."""
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "back.py").write_text(BACKEND.format(ran=str(folder / "ran")))
    backend = '\n[build-system]\nrequires = []\nbuild-backend = "back"\nbackend-path = ["."]\n'
    text = DECLARATION.replace('version = "0"', 'dynamic = ["version"]') + backend
    project = uv.project(folder, text)
    (project / "ran").unlink()
    planned = told(repair(project, "--dry-run", "--json"))
    assert not (project / "ran").exists()
    assert 'version = "0"' not in planned["files"][1]["diff"]
    assert told(repair(project, "--yes", "--json"))["status"] == "done"
    assert (project / "ran").exists()
    assert uv.nothing_to_do(project)


def test_a_program_of_the_environment_is_not_started_for_a_plan(project: Path, cudafit: Run, uv: Uv) -> None:
    for name in ("uv", "python", "python3"):
        path = project / ".venv/bin" / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\ntouch {project / 'ran'}\n")
        path.chmod(0o755)
    environ = {**uv.small.env, "PATH": f"{project}/.venv/bin:{os.environ['PATH']}", "VIRTUAL_ENV": f"{project}/.venv"}
    cudafit("repair", str(project / ".venv"), "--dry-run", *uv.small.words, env=environ)
    assert not (project / "ran").exists()


def test_one_that_poetry_keeps_is_left_with_the_edit(project: Path, repair: Repair) -> None:
    (project / "uv.lock").rename(project / "poetry.lock")
    for path in project.glob(".venv/lib/python*/site-packages/*.dist-info/INSTALLER"):
        path.write_text("Poetry 2.1.1\n")
    old = content(project)
    done = repair(project, "--yes")
    assert done.returncode == 1
    assert "is kept by Poetry, and changed alone it would differ from" in done.stderr
    assert "poetry add --directory" in done.stderr
    assert content(project) == old


def test_two_managers_and_none_is_changed(project: Path, repair: Repair) -> None:
    (project / "poetry.lock").write_text("")
    for path in project.glob(".venv/lib/python*/site-packages/*.dist-info/INSTALLER"):
        path.write_text("pip\n")
    old = content(project)
    done = repair(project, "--yes")
    assert done.returncode == 1
    assert "two managers claim" in done.stderr
    assert content(project) == old
