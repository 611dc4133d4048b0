"""The action for GitHub and the job for GitLab: each step is run as a runner runs it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

TOP = Path(__file__).parent.parent
ACTION: dict[str, Any] = yaml.safe_load((TOP / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
NAMES = [step["name"] for step in STEPS]
# As GitHub starts `shell: bash`, and GitLab its scripts.
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
FITS = ("resolve", "torch", "--offline", "-o", "requirements.lock.txt", "--machine", "gpu.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project, its lock made by the command itself."""
    place = tmp_path / "a project"
    (place / "src").mkdir(parents=True)
    shutil.copy(TOP / "tests" / "machines" / "rtx4090-550.json", place / "gpu.json")
    shutil.copy(TOP / "tests" / "machines" / "gtx1080ti-535.json", place / "old gpu.json")
    (place / "requirements.txt").write_text("torch\n", encoding="utf-8")
    (place / "src" / "fine.py").write_text("print(1)\n", encoding="utf-8")
    return place


@pytest.fixture
def runner(folder: Path, environ: dict[str, str], tmp_path: Path) -> Any:
    """Runs a step, or a script, with this cudafit on PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "cudafit").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cudafit "$@"\n', encoding="utf-8")
    (programs / "cudafit").chmod(0o755)
    path = f"{programs}{os.pathsep}{environ['PATH']}"

    def run(script: str, **given: str) -> "subprocess.CompletedProcess[str]":
        with_these = {**environ, "PATH": path, "RUNNER_TEMP": str(tmp_path / "runner"), **given}
        return subprocess.run(
            [*BASH, script], cwd=folder, env=with_these, capture_output=True, text=True, timeout=300, check=False
        )

    return run


def step(name: str) -> dict[str, Any]:
    return STEPS[NAMES.index(name)]


def script(name: str) -> str:
    return str(step(name)["run"])


def given(name: str, **inputs: str) -> dict[str, str]:
    """A step's variables, with the inputs in place of the expressions."""
    values = {key: str(one.get("default", "")) for key, one in ACTION["inputs"].items()} | inputs
    return {
        variable: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda match: values[match[1]], text)
        for variable, text in step(name).get("env", {}).items()
    }


def test_no_input_is_written_into_a_script() -> None:
    for one in STEPS:
        assert "${{" not in one["run"], "what is given would be run"
        assert one["shell"] == "bash"


def test_every_input_is_used_and_told() -> None:
    text = (TOP / "action.yml").read_text(encoding="utf-8")
    for name, told in ACTION["inputs"].items():
        assert f"inputs.{name}" in text
        assert told["description"].endswith(".")


def test_its_page_names_what_there_is() -> None:
    page = (TOP / "docs" / "tasks" / "ci.md").read_text(encoding="utf-8")
    block = re.search(r"^    - uses: OWNER.*?(?=^\S)", page, re.M | re.S)
    assert block is not None
    used, _ = yaml.safe_load(block[0])
    assert set(used["with"]) <= set(ACTION["inputs"])


@pytest.mark.slow
def test_a_lock_that_fits_and_one_that_does_not(runner: Any, folder: Path) -> None:
    made = runner(f"cudafit {' '.join(FITS)}")
    assert made.returncode == 0, made.stderr
    asked = {"lock": "requirements.lock.txt\n", "requirements": "requirements.txt"}
    name = "Check the locks"
    # A lock that was made offline has no hashes, which is said; what it names is what is judged here.
    checked = script(name).replace("resolve --check", "resolve --offline --allow-unhashed --check")
    done = runner(checked, **given(name, **asked, machine="gpu.json"))
    assert (done.returncode, done.stdout) == (0, "requirements.lock.txt fits\n"), done.stderr
    (folder / "requirements.lock.txt").write_text("torch==2.15.0+cu132\n", encoding="utf-8")
    done = runner(checked, **given(name, **asked, machine="gpu.json\nold gpu.json\n"))
    assert done.returncode == 1, done.stderr
    assert "`requirements.lock.txt` does not fit" in done.stderr


@pytest.mark.slow
def test_lint_marks_the_lines_and_writes_sarif(runner: Any, folder: Path) -> None:
    name = "Read the training code"
    done = runner(script(name), **given(name, lint="src", sarif="lint.sarif"))
    assert done.returncode == 0, done.stderr
    assert json.loads((folder / "lint.sarif").read_text(encoding="utf-8"))["runs"][0]["results"] == []
    code = "import os\nimport torch\nos.environ['CUDA_VISIBLE_DEVICES'] = ''\nx = torch.zeros(3).cuda()\n"
    (folder / "src" / "my train.py").write_text(code, encoding="utf-8")
    done = runner(script(name), **given(name, lint="src/fine.py\nsrc/my train.py", sarif="lint.sarif"))
    assert done.returncode == 1, done.stderr
    assert "::" in done.stdout
    assert "my train.py" in done.stdout
    assert json.loads((folder / "lint.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]
    done = runner(script(name), **given(name, lint="no-such-folder", sarif="lint.sarif"))
    assert done.returncode == 2


@pytest.mark.slow
def test_a_runner_is_looked_at(runner: Any, folder: Path) -> None:
    name = "Look at this runner"
    done = runner(script(name), **given(name, doctor="."))
    assert done.returncode in (0, 1, 3), done.stderr
    done = runner(script(name), **given(name, doctor="no environment"))
    assert done.returncode == 2
    assert "no environment" in done.stderr


@pytest.mark.slow
def test_what_is_given_is_no_script(runner: Any, folder: Path) -> None:
    evil = '$(touch boom)"; touch boom; "`touch boom`'
    for name, inputs in (
        ("Check the locks", {"lock": evil, "machine": evil, "requirements": evil}),
        ("Read the training code", {"lint": evil}),
        ("Look at this runner", {"doctor": evil}),
    ):
        assert runner(script(name), **given(name, **inputs)).returncode == 2
    assert not (folder / "boom").exists()


@pytest.mark.slow
@pytest.mark.online
@pytest.mark.usefixtures("package_index")
def test_cudafit_is_installed_beside_everything(runner: Any, folder: Path, tmp_path: Path) -> None:
    """From this checkout's own wheel, since the index has none yet."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=TOP, check=True, capture_output=True)
    name = "Install cudafit"
    variables = {"GITHUB_PATH": str(tmp_path / "path"), "PIP_FIND_LINKS": str(tmp_path / "dist")}
    done = runner(script(name), **given(name, version="0.1.0"), **variables)
    assert done.returncode == 0, done.stderr
    place = (tmp_path / "path").read_text(encoding="utf-8").strip()
    told = subprocess.run([f"{place}/cudafit", "-V"], capture_output=True, text=True, check=True).stdout
    assert told == "cudafit 0.1.0\n"


@pytest.mark.slow
def test_the_job_for_gitlab(runner: Any, folder: Path) -> None:
    page = (TOP / "docs" / "tasks" / "ci.md").read_text(encoding="utf-8")
    block = re.search(r"^    cudafit:\n.*?(?=^\S)", page, re.M | re.S)
    assert block is not None
    job = yaml.safe_load(block[0])["cudafit"]
    assert job["before_script"] == ["pip install --quiet cudafit"]
    assert runner(f"cudafit {' '.join(FITS)}").returncode == 0
    lines = [line.replace("--check", "--offline --allow-unhashed --check") for line in job["script"]]
    done = runner("\n".join(lines))
    assert done.returncode == 0, done.stderr
    assert "requirements.lock.txt fits" in done.stdout
