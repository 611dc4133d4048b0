"""`cudafit doctor` and `explain`, the real commands."""

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from cudafit.doctor.registry import every_check
from cudafit.model.kinds import KINDS
from tests.conftest import Run
from tests.doctor.worlds import CU126, CU132, torch, tree
from tests.machines import FOLDER, NAMES
from tests.schemas import validate

TOP = Path(__file__).parents[2]


def machine(name: str) -> tuple[str, str]:
    return "--machine", str(FOLDER / f"{name}.json")


@pytest.fixture
def cpu(tmp_path: Path) -> str:
    return str(tree(tmp_path / "cpu", torch("2.13.0+cpu", None), ["torch==2.13.0"]))


def diagnosis(cudafit: Run, *words: str, code: int) -> dict[str, Any]:
    done = cudafit("doctor", *words, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    shown: dict[str, Any] = json.loads(done.stdout)
    validate(shown, "doctor-1")
    assert shown["schema"] == "cudafit.doctor/1"
    return shown


def test_a_cpu_torch_is_the_cause_with_its_file_and_the_exact_build(cudafit: Run, cpu: str) -> None:
    shown = diagnosis(cudafit, "--env", cpu, *machine("rtx4090-550"), code=1)
    assert (shown["status"], shown["cause"]) == ("error", "torch.cpu_wheel")
    (finding,) = [one for one in shown["findings"] if one["id"] == "torch.cpu_wheel"]
    assert finding["evidence"][0]["via"].endswith("torch/version.py")
    assert "2.13.0+cpu" in finding["evidence"][0]["fact"]
    answer = cudafit("resolve", "torch==2.13.0", "--python", "3.12", *machine("rtx4090-550"), "--json")
    (pick,) = [one for one in json.loads(answer.stdout)["picks"] if one["requested"]]
    (command,) = finding["fix"]["commands"]
    assert pick["requirement"] in command
    assert cpu in command
    assert finding["fix"]["automatic"]


def test_the_screen_names_cause_evidence_and_fix(cudafit: Run, tmp_path: Path) -> None:
    new = str(tree(tmp_path / "new", torch("2.15.0+cu132", "13.2", CU132), ["torch==2.15.0"]))
    shown = cudafit("doctor", "--env", new, *machine("gtx1080ti-535"))
    assert shown.returncode == 1
    lines = shown.stdout.splitlines()
    assert lines[0] == "doctor"
    assert f"environment  {new} (venv, Python 3.12.4), named" in shown.stdout
    assert re.search(r"^cause +torch 2\.15\.0\+cu132 is built for CUDA 13\.2, which needs driver", shown.stdout, re.M)
    assert re.search(r"^  fix +install torch==2\.14\.1\+cu126$", shown.stdout, re.M)
    assert re.search(r"^  so +torch 2\.15\.0\+cu132 has no kernels for sm_61", shown.stdout, re.M), "folded below it"


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name not in ("nouveau", "library-mismatch", "container-no-gpu")]
)
def test_a_clean_machine_with_the_right_environment_is_calm(cudafit: Run, tmp_path: Path, name: str) -> None:
    answer = cudafit("resolve", "torch", "--python", "3.12", *machine(name), "--json")
    (pick,) = [one for one in json.loads(answer.stdout)["picks"] if one["requested"]]
    kernels = {"cu126": CU126, "cu129": "sm_70 sm_75 sm_80 sm_90 sm_100 sm_120", "cpu": ""}.get(pick["variant"], CU132)
    made = torch(f"{pick['version']}+{pick['variant']}", pick["cuda"], kernels)
    env = str(tree(tmp_path / "env", made, [f"torch=={pick['version']}"]))
    shown = diagnosis(cudafit, "--env", env, *machine(name), code=0)
    assert shown["cause"] is None
    assert [one["id"] for one in shown["findings"] if one["severity"] != "info"] == []


def test_unknown_is_not_ok(cudafit: Run, tmp_path: Path) -> None:
    broken = json.loads((FOLDER / "rtx4090-550.json").read_text())
    broken.update(
        gpus=[], undetermined="NVML: Unknown Error (999)", problems=[{"probe": "nvml", "error": "Unknown Error (999)"}]
    )
    (tmp_path / "m.json").write_text(json.dumps(broken))
    env = str(tree(tmp_path / "env", torch("2.14.1+cu126", "12.6", CU126), ["torch==2.14.1"]))
    shown = diagnosis(cudafit, "--env", env, "--machine", str(tmp_path / "m.json"), code=3)
    assert shown["status"] == "unknown"
    assert any("Unknown Error" in one["reason"] for one in shown["skipped"])


def test_select_and_ignore(cudafit: Run, cpu: str) -> None:
    words = ("--env", cpu, *machine("rtx4090-550"))
    assert diagnosis(cudafit, *words, "--select", "torch", code=1)["cause"] == "torch.cpu_wheel"
    assert diagnosis(cudafit, *words, "--select", "jax", code=0)["findings"] == []
    assert diagnosis(cudafit, *words, "--ignore", "torch.cpu_wheel", code=0)["cause"] is None


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--env", "nowhere"), "is not a Python environment"),
        (("--conda", "nowhere"), "there is no conda environment `nowhere`"),
        (("--conda", "x", "--env", "y"), "each name the environment"),
        (("--select", "torch.cpu"), "no finding is called `torch.cpu`"),
        (("--root", "nowhere"), "there is no such folder"),
        (("--machine", "nowhere.json"), "cannot read `nowhere.json`"),
    ],
)
def test_wrong_input(
    cudafit: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], error: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = cudafit("doctor", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert error in done.stderr


def test_no_environment_is_said_and_the_machine_is_looked_at(
    cudafit: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = cudafit("doctor", *machine("nouveau"), env={"VIRTUAL_ENV": ""})
    assert done.returncode == 1
    assert "driver.nouveau_bound" in done.stdout
    assert "not checked  environment: no Python environment is active or in this folder" in done.stdout


def test_another_root(cudafit: Run, tmp_path: Path) -> None:
    tree(tmp_path / "image" / "app" / "env", torch("2.13.0+cpu", None), ["torch==2.13.0"])
    done = cudafit(
        "doctor", "--root", str(tmp_path / "image"), "--env", "/app/env", "--gpu", "A100", "--driver", "580", "--json"
    )
    assert done.returncode == 1, done.stderr
    shown = json.loads(done.stdout)
    assert shown["cause"] == "torch.cpu_wheel"
    assert shown["findings"][0]["evidence"][0]["via"].startswith("/app/env/")


def test_formats(cudafit: Run, cpu: str) -> None:
    words = ("doctor", "--env", cpu, *machine("rtx4090-550"), "--format")
    sarif = json.loads(cudafit(*words, "sarif").stdout)
    assert sarif["runs"][0]["results"][0]["ruleId"] == "torch.cpu_wheel"
    assert cudafit(*words, "github").stdout.startswith("::error title=torch.cpu_wheel::torch 2.13.0+cpu is a build for")
    markdown = cudafit(*words, "markdown").stdout
    assert markdown.startswith("**status:** error, cause `torch.cpu_wheel`\n")


def test_formats_for_those_who_watch_machines(cudafit: Run, cpu: str, tmp_path: Path) -> None:
    words = ("doctor", "--env", cpu, *machine("rtx4090-550"), "--format")
    done = cudafit(*words, "nagios")
    assert done.returncode == 2
    assert done.stdout.startswith("CUDAFIT CRITICAL - torch 2.13.0+cpu is a build for the CPU (torch.cpu_wheel)")
    assert cudafit("doctor", "--env", cpu, *machine("no-gpu"), "--format", "nagios").returncode == 3
    unknown = cudafit("doctor", "--env", str(tmp_path / "nothing"), *machine("no-gpu"), "--format", "nagios")
    assert unknown.returncode == 3
    assert unknown.stdout.startswith("CUDAFIT UNKNOWN - ")
    assert unknown.stdout.count("\n") == 1
    done = cudafit(*words, "prometheus")
    assert done.returncode == 1
    assert 'cudafit_doctor_status{status="error"} 1\n' in done.stdout


def test_a_page_to_look_at(cudafit: Run, cpu: str, tmp_path: Path) -> None:
    words = ("doctor", "--env", cpu, *machine("rtx4090-550"))
    done = cudafit(*words, "--html", str(tmp_path / "page.html"), "--json")
    assert json.loads(done.stdout)["cause"] == "torch.cpu_wheel"
    assert "torch 2.13.0+cpu is a build for the CPU" in (tmp_path / "page.html").read_text()
    done = cudafit(*words, "--html", str(tmp_path / "none" / "page.html"))
    assert "cannot write" in done.stderr


def test_a_report_for_others_names_no_user(cudafit: Run, environ: dict[str, str]) -> None:
    home = Path(environ["HOME"])
    env = str(tree(home / "env", torch("2.13.0+cpu", None), ["torch==2.13.0"]))
    shown = cudafit("doctor", "--env", env, *machine("rtx4090-550"), "--format", "markdown").stdout
    assert str(home) not in shown
    assert "~/env/lib/python3.12" in shown


def test_every_finding_has_a_page_and_every_page_a_finding(cudafit: Run) -> None:
    pages = {path.stem for path in (TOP / "docs" / "findings").glob("*.md")}
    names = set(KINDS)
    assert pages == names
    assert [line.split()[0] for line in cudafit("explain", "all").stdout.splitlines()] == sorted(names)
    for name in names:
        text = (TOP / "docs" / "findings" / f"{name}.md").read_text()
        assert text.startswith(f"# {name}\n")
        assert "## How it is detected" in text
        assert "## What to do by hand" in text
    assert cudafit("explain", "torch.cpu_wheel").stdout.startswith("# torch.cpu_wheel\n")
    wrong = cudafit("explain", "torch.cpu_whel")
    assert wrong.returncode == 2
    assert "did you mean `torch.cpu_wheel`" in wrong.stderr


def test_the_checks_are_listed(cudafit: Run) -> None:
    lines = cudafit("doctor", "--list-checks").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [check.name for check in every_check()]


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="nothing is changed on Windows")
def test_a_poetry_project_is_offered_to_be_repaired_where_poetry_is(cudafit: Run, tmp_path: Path) -> None:
    env = tree(tmp_path / "p" / ".venv", torch("2.13.0+cpu", None), ["torch==2.13.0"])
    (next(env.glob("lib/python3*/site-packages/torch-*.dist-info")) / "INSTALLER").write_text("Poetry 2.1.0\n")
    (tmp_path / "p/pyproject.toml").write_text(
        '[tool.poetry]\nname = "p"\n[tool.poetry.dependencies]\ntorch = "^2.4"\n'
    )
    (tmp_path / "p/poetry.lock").write_text("")
    (tmp_path / "bin").mkdir()
    shutil.copy(sys.executable, tmp_path / "bin/poetry")
    words = ("doctor", "--env", str(env), *machine("rtx4090-550"), "--json")
    with_it = json.loads(cudafit(*words, env={"PATH": f"{tmp_path}/bin"}).stdout)
    assert (with_it["owner"]["manager"], with_it["owner"]["repaired"]) == ("poetry", True)
    assert with_it["repair"] == ["cudafit", "repair", str(env)]
    without = json.loads(cudafit(*words, env={"PATH": f"{tmp_path}/p"}).stdout)
    assert (without["owner"]["repaired"], without["repair"]) == (False, [])
