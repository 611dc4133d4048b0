"""What others see run: the workflows call the make targets, promise the same Pythons, and trust nobody by name."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.older import tomllib

TOP = Path(__file__).parents[1]
WORKFLOWS = sorted((TOP / ".github" / "workflows").glob("*.yml"))


def read(path: Path) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def pythons() -> list[str]:
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = [re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", one) for one in project["classifiers"]]
    return [one[1] for one in found if one]


def steps() -> list[dict[str, Any]]:
    return [step for path in WORKFLOWS for job in read(path)["jobs"].values() for step in job["steps"]]


def test_the_pythons_that_are_promised_are_those_that_are_tried() -> None:
    assert len(pythons()) >= 6
    assert read(TOP / ".github/workflows/ci.yml")["jobs"]["pythons"]["strategy"]["matrix"]["python"] == pythons()
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["requires-python"] == f">={pythons()[0]}"
    assert project["tool"]["mypy"]["python_version"] == pythons()[0]
    assert project["tool"]["ruff"]["target-version"] == f"py{pythons()[0].replace('.', '')}"
    makefile = (TOP / "Makefile").read_text(encoding="utf-8")
    assert " ".join(f"python{one}" for one in reversed(pythons())) in makefile
    assert f"With Python {pythons()[0]} to {pythons()[-1]} " in (TOP / "README.md").read_text(encoding="utf-8")


def test_they_call_make_targets_that_there_are() -> None:
    targets = set(re.findall(r"^([a-z]+):", (TOP / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    called = {word for step in steps() for word in re.findall(r"\bmake ([a-z]+)", step.get("run", ""))}
    assert called >= {"check", "test", "pythons", "lowest", "coverage", "harvest", "dist", "matrices", "publish"}
    assert called <= targets


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: str(path.name))
def test_they_may_do_no_more_than_each_job_says(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"]
        assert job["timeout-minutes"]


def test_actions_are_named_by_their_commit() -> None:
    used = [step["uses"] for step in steps() if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one) for one in used)


def test_the_form_for_a_problem_asks_for_what_doctor_says() -> None:
    form = read(TOP / ".github/ISSUE_TEMPLATE/problem.yml")
    asked = [field for field in form["body"] if "cudafit doctor --format markdown" in str(field.get("attributes"))]
    assert asked[0]["validations"]["required"]
