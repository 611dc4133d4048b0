"""Every command means the same environment, says which and why, and calls none by its name."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run
from tests.machines import FOLDER
from tests.schemas import validate

NOWHERE = {"PATH": "/nowhere", "VIRTUAL_ENV": ""}
MACHINE = ("--machine", str(FOLDER / "rtx4090-550.json"))


def an_environment(path: Path, python: str, *, conda: bool = False) -> str:
    place = path / "lib" / f"python{python}" / "site-packages" / "torch-2.14.1.dist-info"
    place.mkdir(parents=True)
    (place / "METADATA").write_text("Name: torch\nVersion: 2.14.1\n\n")
    (path / "bin").mkdir()
    (path / "bin" / "python").symlink_to("/nowhere/python")
    if conda:
        (path / "conda-meta").mkdir()
        (path / "conda-meta" / f"python-{python}.4-h1_0.json").write_text("{}")
    else:
        (path / "pyvenv.cfg").write_text(f"home = /nowhere\nversion = {python}.4\n")
    return str(path)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home" / "project"  # `environ` has made the home
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def asked(cudafit: Run, project: Path) -> Any:
    """The environment that doctor and rollback look at, and the Python that resolve picks for."""

    def ask(**env: str) -> tuple[str, str, str]:
        given = {**NOWHERE, **env}
        doctor = json.loads(cudafit("doctor", "--json", env=given).stdout)
        rollback = json.loads(cudafit("rollback", "--list", "--json", env=given).stdout)
        resolve = json.loads(cudafit("resolve", "torch", "--json", env=given).stdout)
        return doctor["which"]["path"], rollback["environment"], resolve["python"]

    assert project
    return ask


def test_a_stale_variable_and_a_live_one(asked: Any, project: Path) -> None:
    live = an_environment(project.parent / "conda" / "envs" / "gpu", "3.11", conda=True)
    gone = f"{project}/gone"
    assert asked(VIRTUAL_ENV=gone, CONDA_PREFIX=live, PATH=f"{gone}/bin:{live}/bin") == (live, live, "3.11")
    own = an_environment(project.parent / "mine", "3.12")
    assert asked(VIRTUAL_ENV=own, CONDA_PREFIX=gone) == (own, own, "3.12")
    assert asked(VIRTUAL_ENV=own, CONDA_PREFIX=live, PATH=f"{live}/bin:{own}/bin") == (live, live, "3.11")


@pytest.mark.parametrize("name", [".venv", "env", "gpu", ".pixi/envs/default"])
def test_one_in_this_folder_or_above(asked: Any, project: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    own = an_environment(project / name, "3.11", conda="pixi" in name)
    (project / "src").mkdir()
    for folder in (project, project / "src"):
        monkeypatch.chdir(folder)
        assert asked() == (own, own, "3.11")


def test_prefer_installed_takes_what_doctor_looks_at(cudafit: Run, project: Path) -> None:
    an_environment(project / ".pixi" / "envs" / "default", "3.12", conda=True)
    done = cudafit("resolve", "torch", "--prefer", "installed", *MACHINE, "--python", "3.12", "--json", env=NOWHERE)
    assert json.loads(done.stdout)["picks"][0]["version"] == "2.14.1"


def test_prefer_installed_in_an_image_and_where_there_is_none(cudafit: Run, project: Path, tmp_path: Path) -> None:
    opt = an_environment(tmp_path / "opt" / "venv", "3.12")
    (Path(opt) / "bin" / "python3").write_bytes(b"\x7fELF")
    words = ("resolve", "torch", "--prefer", "installed", "--driver", "580.65.06", "--gpu", "sm_90", "--python", "3.12")
    done = cudafit(*words, "--json", env={**NOWHERE, "PATH": f"{opt}/bin"})
    assert json.loads(done.stdout)["picks"][0]["version"] == "2.14.1"
    for more, path in (((), "/nowhere"), (("--platform", "linux-x86_64"), f"{opt}/bin")):
        done = cudafit(*words, *more, env={**NOWHERE, "PATH": path})
        assert (done.returncode, done.stdout) == (3, "")
        assert "`--prefer installed` needs an environment, and none is active" in done.stderr
        assert "hint: activate one" in done.stderr
    assert project


def test_doctor_tells_which_and_why(cudafit: Run, project: Path) -> None:
    own, other = an_environment(project / ".venv", "3.12"), an_environment(project / "venv", "3.11")
    done = cudafit("doctor", "--json", *MACHINE, env={**NOWHERE, "VIRTUAL_ENV": "/gone"})
    shown = json.loads(done.stdout)
    validate(shown, "doctor-1")
    assert shown["which"] == {
        "how": "nearby",
        "sure": "guess",
        "path": own,
        "evidence": [
            {"fact": f"no environment is active, and {own} is in this folder", "via": own},
            {"fact": "stale: VIRTUAL_ENV names /gone, which is not there any more", "via": "VIRTUAL_ENV"},
        ],
        "others": [{"path": other, "why": "in this folder"}],
        "looked": [],
    }
    lines = cudafit("doctor", *MACHINE, env={**NOWHERE, "VIRTUAL_ENV": "/gone", "COLUMNS": "300"}).stdout.splitlines()
    place = lines.index(f"environment   {own} (venv, Python 3.12.4), in this folder")
    assert " ".join(lines[place + 1].split()) == (
        "stale: VIRTUAL_ENV names /gone, which is not there any more [VIRTUAL_ENV]"
    )
    assert lines[place + 2].strip() == f"also there  {other}, in this folder"
    assert (
        "  - stale: VIRTUAL_ENV names /gone"
        in cudafit("doctor", *MACHINE, "--format", "markdown", env={**NOWHERE, "VIRTUAL_ENV": "/gone"}).stdout
    )


def test_none_is_not_that_all_is_well(cudafit: Run, project: Path) -> None:
    done = cudafit("doctor", *MACHINE, env={**NOWHERE, "COLUMNS": "300"})
    assert done.returncode == 3
    assert "no problem found" not in done.stdout
    assert "status       could not be determined: there is no Python environment to look at" in done.stdout
    assert "VIRTUAL_ENV: not set" in done.stdout
    assert "fix        name it: `cudafit doctor --env PATH`" in done.stdout
    shown = json.loads(cudafit("doctor", "--json", *MACHINE, env=NOWHERE).stdout)
    assert (shown["status"], shown["which"]["how"], shown["which"]["path"]) == ("unknown", "none", None)
    assert shown["which"]["looked"]
    only = cudafit("doctor", *MACHINE, "--select", "gpu", env=NOWHERE)
    assert only.returncode == 0, "what was asked about lies in no environment"
    assert cudafit("doctor", *MACHINE, "--select", "torch", env=NOWHERE).returncode == 3


@pytest.mark.parametrize("words", [("bench",), ("repair", "--dry-run"), ("rollback", "--yes"), ("rollback", "--list")])
def test_what_is_nothing_without_one_ends_with_3(cudafit: Run, project: Path, words: tuple[str, ...]) -> None:
    done = cudafit(*words, env={**NOWHERE, "CONDA_PREFIX": "/gone"})
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.splitlines()[:2] == [
        "error: no Python environment is active or in this folder",
        "  cause: stale: CONDA_PREFIX names /gone, which is not there any more",
    ]
    assert f"{project} and above: no .venv" in done.stderr
    assert done.stderr.endswith(f"hint: name it: `cudafit {words[0]} .venv`\n")


def test_the_python_of_an_image(cudafit: Run, project: Path, tmp_path: Path) -> None:
    """Nothing is active, and its Python is first on PATH; so is it below another root, whose PATH nobody knows."""
    opt = an_environment(tmp_path / "image" / "opt" / "conda", "3.12", conda=True)
    env = {**NOWHERE, "PATH": f"{opt}/bin"}
    (Path(opt) / "bin" / "python3").write_bytes(b"\x7fELF")
    shown = json.loads(cudafit("doctor", "--json", env=env).stdout)
    assert (shown["which"]["how"], shown["which"]["sure"], shown["which"]["path"]) == ("path", "guess", opt)
    assert shown["environment"] == f"{opt} (conda, Python 3.12.4), the Python first on PATH"
    shown = json.loads(cudafit("doctor", "--json", "--root", str(tmp_path / "image"), env=NOWHERE).stdout)
    assert shown["which"]["path"] == "/opt/conda"
    shown = json.loads(cudafit("doctor", "--json", *MACHINE, env=env).stdout)
    assert shown["which"]["how"] == "none", "with another machine this PATH says nothing"
    assert project


def test_a_system_python_does_not_decide_what_is_resolved_for(cudafit: Run, project: Path) -> None:
    (project / "usr" / "bin").mkdir(parents=True)
    (project / "usr" / "bin" / "python3").write_bytes(b"\x7fELF")
    (project / "usr" / "lib" / "python3.4").mkdir(parents=True)
    (project / "work").mkdir()
    done = cudafit("resolve", "torch", "--json", env={**NOWHERE, "PATH": f"{project}/usr/bin"})
    assert json.loads(done.stdout)["python"] != "3.4"


def test_doctor_names_an_environment_in_the_words_of_the_others(cudafit: Run, tmp_path: Path) -> None:
    env = tmp_path / "e"
    env.mkdir()
    (env / "pyvenv.cfg").write_text("home = /nowhere\n")
    said = [cudafit("doctor", *words, "--json").stdout for words in ((str(env),), ("--env", str(env)))]
    assert said[0] == said[1]
    assert str(env) in said[0]
    both = cudafit("doctor", str(env), "--env", str(env))
    assert both.returncode == 2
    assert "each name the environment" in both.stderr
