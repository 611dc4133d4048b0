"""The user's own pyproject.toml: what changes, and that everything else stays."""

from pathlib import Path
from typing import Any

import pytest

from cudafit.errors import InputError
from cudafit.lock.order import Order
from cudafit.lock.pyproject_toml import pyproject_text
from cudafit.model.fit import Constraint, MatrixVersion, Pick, Resolution, Target
from cudafit.model.requirement import wanted
from tests.conftest import Run
from tests.lock.test_golden import OLD_PROJECT
from tests.older import tomllib


def order(*picks: tuple[str, str, str], constraints: tuple[str, ...] = ()) -> Order:
    made = tuple(
        Pick(
            name,
            "1",
            "x",
            None,
            None,
            requirement,
            f"https://example.org/{index.removeprefix('pytorch-')}",
            "native",
            (),
            (),
            index,
        )
        for name, requirement, index in picks
    )
    resolution = Resolution(
        "fit",
        "3.12",
        made,
        (),
        (),
        MatrixVersion("1"),
        constraints=tuple(Constraint(text, "why", None) for text in constraints),
        targets=(Target("linux-x86_64", None, None),),
    )
    return Order(resolution, (wanted("torch"),), name="new")


CU126 = ("torch", "torch==2.14.1+cu126", "pytorch-cu126")
PLAIN = ("torch", "torch==2.15.0", "pypi")


def uv(text: str) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(text)["tool"]["uv"]
    return found


def test_a_new_file() -> None:
    value = tomllib.loads(pyproject_text(order(CU126), None, "pyproject.toml"))
    assert value["project"] == {
        "name": "new",
        "version": "0",
        "requires-python": ">=3.12",
        "dependencies": ["torch==2.14.1+cu126"],
    }
    assert value["tool"]["uv"]["index"] == [
        {"name": "pytorch-cu126", "url": "https://example.org/cu126", "explicit": True}
    ]


def test_twice_is_as_once() -> None:
    once = pyproject_text(order(CU126), OLD_PROJECT, "p")
    assert pyproject_text(order(CU126), once, "p") == once


@pytest.mark.parametrize("picks", [(CU126,), (PLAIN,)])
def test_line_ends_and_the_mark_of_editors_stay(picks: tuple[tuple[str, str, str], ...]) -> None:
    plain = pyproject_text(order(*picks), OLD_PROJECT, "p")
    windows = pyproject_text(order(*picks), "\ufeff" + OLD_PROJECT.replace("\n", "\r\n"), "p")
    assert windows == "\ufeff" + plain.replace("\n", "\r\n")
    mixed = pyproject_text(order(*picks), OLD_PROJECT.replace("\n", "\r\n", 4), "p")
    assert mixed == plain.replace("\n", "\r\n", 4)


def test_a_file_of_windows_is_written_with_its_line_ends(
    cudafit: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path("pyproject.toml")
    file.write_bytes(OLD_PROJECT.replace("\n", "\r\n").encode())
    file.chmod(0o640)
    words = ("resolve", "torch", "--gpu", "GTX 1080 Ti", "--driver", "580.65.06", "--python", "3.12", "--offline")
    shown = cudafit(*words, "-o", "pyproject.toml", "--dry-run")
    changed = [line for line in shown.stdout.split("\n") if line.startswith(("+", "-"))]
    assert 3 < len(changed) < 20, "only what changes is shown"
    assert cudafit(*words, "-o", "pyproject.toml").returncode == 0
    data = file.read_bytes()
    assert b"torch==" in data
    assert data.count(b"\n") == data.count(b"\r\n")
    assert file.stat().st_mode & 0o777 == 0o640


def test_the_old_index_goes_and_what_the_user_wrote_stays() -> None:
    text = pyproject_text(order(PLAIN), OLD_PROJECT, "p")
    assert uv(text)["sources"] == {"mine-too": {"path": "../mine-too"}}
    assert [one["name"] for one in uv(text)["index"]] == ["company"]
    for line in ("# The project of a user.", 'name = "mine"  # a name', '"requests>=2",  # for the web', "[tool.ruff]"):
        assert line in text


def test_an_index_that_another_package_still_names_stays() -> None:
    both = pyproject_text(order(CU126, ("torchvision", "torchvision==1+cu126", "pytorch-cu126")), None, "p")
    alone = pyproject_text(order(("torch", "torch==2.14.1+cu130", "pytorch-cu130")), both, "p")
    assert {one["name"] for one in uv(alone)["index"]} == {"pytorch-cu126", "pytorch-cu130"}
    assert uv(alone)["sources"]["torchvision"] == {"index": "pytorch-cu126"}


def test_constraints_are_uvs() -> None:
    old = (
        '[project]\nname = "x"\nversion = "1"\n\n[tool.uv]\nconstraint-dependencies = ["a<1", "nvidia-cudnn-cu12<9"]\n'
    )
    text = pyproject_text(order(PLAIN, constraints=("nvidia-cudnn-cu12<9.11",)), old, "p")
    assert uv(text)["constraint-dependencies"] == ["a<1", "nvidia-cudnn-cu12<9.11"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[project", "is not TOML"),
        ("[tool.poetry]\n", "has no `\\[project\\]` table"),
        ("project = 3\n", "`project` must be a table"),
        ('[project]\nname = "x"\ndependencies = 3\n', "must be a list"),
        ('[project]\nname = "x"\n[tool]\nuv = 3\n', "`uv` must be a table"),
        ('[project]\nname = "x"\n[tool.uv]\nindex = 3\n', "`tool.uv.index` must be a list"),
        ('[project]\nname = "x"\ndependencies = ["torch=>1"]\n', "is not a requirement"),
    ],
)
def test_a_file_that_is_not_as_it_should_be(text: str, error: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=error):
        pyproject_text(order(CU126), text, "pyproject.toml")
