"""A Python without an environment is repaired and comes back: the real commands, with a prefix of its own."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run
from tests.repair.bare_python import bare_python, put, site_of, with_cpu_torch
from tests.repair.trees import Reading, reading
from tests.repair.world import CPU, World, world

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the small world is for Linux")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture
def python(tmp_path: Path) -> Path:
    return with_cpu_torch(tmp_path / "usr", tmp_path / "wheels")


Call = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def call(cudafit: Run, small: World, tmp_path: Path) -> Call:
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)

    def run(verb: str, *words: object, **more: Any) -> "subprocess.CompletedProcess[str]":
        facts = small.words if verb in ("repair", "doctor") else ()
        env = {**small.env, "HOME": str(home), **more.pop("env", {})}
        return cudafit(verb, *map(str, words), *facts, env=env, **more)

    return run


def prefix_of(python: Path) -> Path:
    return python.parent.parent


def seen(prefix: Path) -> Reading:
    found = reading(prefix / "bin") | {f"lib/{path}": one for path, one in reading(site_of(prefix)).items()}
    return {path: one for path, one in found.items() if "__pycache__" not in path}


def torch_of(prefix: Path) -> list[str]:
    return sorted(one.name for one in site_of(prefix).glob("torch-*"))


def test_it_is_asked_for_twice_changed_and_brought_back(call: Call, python: Path) -> None:
    prefix = prefix_of(python)
    before = seen(prefix)
    refused = call("repair", python, "--yes")
    assert refused.returncode == 2
    assert f"cudafit repair {python} --system" in refused.stderr
    assert seen(prefix) == before
    told = json.loads(call("repair", python, "--system", "--yes", "--json").stdout)
    assert (told["status"], told["after"]["status"]) == ("done", "ok")
    assert [(one["package"], one["after"]) for one in told["steps"]] == [
        ("nvidia-cudnn-cu12", "9.10.2.21"),
        ("torch", "2.14.1+cu126"),
    ]
    assert torch_of(prefix) == ["torch-2.14.1+cu126.dist-info"]
    run = [str(python), "-c", "import torch; print(torch.__version__)"]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == "2.14.1+cu126\n"
    assert call("rollback", python, "--list").stdout.count("repair: torch.cpu_wheel") == 1
    assert call("rollback", python, "--yes").returncode == 0
    assert seen(prefix) == before


def test_doctor_names_it_and_the_command_that_works(call: Call, python: Path) -> None:
    path = f"{python.parent}:/usr/bin:/bin"
    report = json.loads(call("doctor", "--system", "--json", env={"PATH": path}).stdout)
    assert report["cause"] == "torch.cpu_wheel"
    assert report["repair"] == ["cudafit", "repair", str(python.parent / "python3"), "--system"]
    planned = call("repair", "--system", "--dry-run", "--json", env={"PATH": path})
    assert json.loads(planned.stdout)["status"] == "planned"


def test_system_means_no_environment(call: Call, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    done = call("doctor", tmp_path / "venv", "--system")
    assert done.returncode == 2
    assert "leave `--system` out" in done.stderr
    path = str(tmp_path / "venv/bin")
    assert "is in no environment" in call("doctor", "--system", "--conda", "x").stderr
    missing = call("repair", "--system", "--yes", env={"PATH": path})
    assert (missing.returncode, "no Python outside of an environment" in missing.stderr) == (3, True)


def test_a_python_that_its_distribution_keeps_is_refused_but_for_force(call: Call, python: Path) -> None:
    prefix = prefix_of(python)
    marker = site_of(prefix).parent / "EXTERNALLY-MANAGED"
    marker.write_text("[externally-managed]\nError=This Python is managed by Debian.\n")
    before = seen(prefix)
    refused = call("repair", python, "--system", "--yes")
    assert refused.returncode == 2
    assert str(marker) in refused.stderr
    assert "cudafit create .venv torch" in refused.stderr
    assert "--system --force" in refused.stderr
    assert seen(prefix) == before
    report = json.loads(call("doctor", python, "--json").stdout)
    assert report["repair"] == []
    assert report["findings"][0]["fix"]["commands"] == [["cudafit", "create", ".venv", "torch"]]
    assert call("repair", python, "--system", "--force", "--yes").returncode == 0


def test_what_its_user_installed_changes_in_his_home(call: Call, tmp_path: Path) -> None:
    python = bare_python(tmp_path / "usr")
    home = tmp_path / "home" / ".local"
    put(python, tmp_path / "wheels", dict(CPU), into=home)
    before = seen(prefix_of(python))
    done = call("repair", python, "--system", "--yes")
    assert done.returncode == 0, done.stdout
    assert torch_of(home) == ["torch-2.14.1+cu126.dist-info"]
    assert seen(prefix_of(python)) == before, "what is for all users stays as it is"
    assert call("rollback", python, "--yes").returncode == 0
    assert torch_of(home) == ["torch-2.14.1+cpu.dist-info"]


def test_packages_in_two_folders_are_not_mixed(call: Call, python: Path, tmp_path: Path) -> None:
    home = tmp_path / "home" / ".local"
    put(python, tmp_path / "wheels", dict(CPU), into=home)
    site = site_of(home)
    for one in ("torch", "torch-2.14.1+cpu.dist-info", "numpy", "numpy-2.1.0.dist-info"):
        (site / one).rename(tmp_path / one)
    (site / "nvidia_cudnn_cu12-9.0.0.dist-info").mkdir()
    (site / "nvidia_cudnn_cu12-9.0.0.dist-info/METADATA").write_text("Name: nvidia-cudnn-cu12\nVersion: 9.0.0\n")
    done = call("repair", python, "--system", "--yes")
    assert done.returncode == 2
    assert "several folders" in done.stderr
    assert str(site) in done.stderr


def test_run_starts_that_python(call: Call, python: Path) -> None:
    path = f"{python.parent}:/usr/bin:/bin"
    code = "import sys; print(sys.prefix)"
    done = call("run", "--system", "--", "python3", "-c", code, env={"PATH": path}, process=True)
    assert done.stdout.strip() == str(prefix_of(python))
