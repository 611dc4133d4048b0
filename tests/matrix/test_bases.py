"""The package cudafit-matrices beside cudafit: the newer facts are used, and why others are not is told."""

import importlib
import json
from pathlib import Path

import pytest

from cudafit.matrix import bases
from cudafit.matrix.compiled import FORMAT, compile_matrix
from cudafit.matrix.layers import read_stack
from cudafit.matrix.load import open_matrix
from tests.conftest import Run
from tests.matrix.folders import GOOD, MATRIX, plant


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path / "site")
    return tmp_path / "site" / "cudafit_matrices"


def install(place: Path, version: str) -> Path:
    """As the wheel lays it out."""
    plant(place, {"__init__.py": "raise SystemExit('it is never imported')\n"})
    files = {**GOOD, "matrix.yaml": MATRIX.replace("2026.1.1", version)}
    matrix, told = read_stack([plant(place / "matrices", files)])
    compile_matrix(matrix, told, str(place / "compiled"))
    importlib.invalidate_caches()  # the command runs in this process, and has looked before
    return place / "compiled" / "index.json"


def test_the_newer_facts_are_those_that_are_used(place: Path, cudafit: Run) -> None:
    install(place, "2099.1.1")
    shown = cudafit("matrix", "list")
    assert shown.stdout.startswith("matrix 2099.1.1\n")
    assert "those of cudafit-matrices 2099.1.1" in shown.stdout
    assert json.loads(cudafit("matrix", "show", "torch", "--json").stdout)["version"] == "2099.1.1"


def test_own_rows_and_updates_lie_over_them(place: Path, tmp_path: Path) -> None:
    install(place, "2099.1.1")
    environ = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    environ["XDG_DATA_HOME"] = str(tmp_path / "data")
    own = plant(tmp_path / "own", {"frameworks/torch.yaml": GOOD["frameworks/torch.yaml"].replace("2.6.0", "2.7.0")})
    assert [build.version for build in open_matrix([own], environ=environ).builds("torch")] == [
        "2.5.0",
        "2.6.0",
        "2.7.0",
    ]


@pytest.mark.parametrize("version", ["2020.1.1", "shipped"])
def test_older_ones_and_the_same_are_left_aside(version: str, place: Path, cudafit: Run) -> None:
    shipped = json.loads(cudafit("matrix", "list", "--json").stdout)["version"]
    install(place, shipped if version == "shipped" else version)
    shown = cudafit("matrix", "list").stdout
    assert shown.startswith(f"matrix {shipped}\n")
    named = shipped if version == "shipped" else version
    assert f"cudafit-matrices {named} is not used: cudafit itself has the facts of {shipped}" in shown


def test_a_newer_schema_is_left_to_a_newer_cudafit(place: Path) -> None:
    index = install(place, "2099.1.1")
    index.write_text(json.dumps({**json.loads(index.read_text()), "format": FORMAT + 1}), encoding="utf-8")
    (told,) = bases.base().ignored
    assert told == (
        f"cudafit-matrices 2099.1.1 is not used: it has the schema {FORMAT + 1}, and this cudafit knows {FORMAT}:"
        " a newer cudafit reads it"
    )


@pytest.mark.parametrize("text", ["", "[]", '{"format": "x"}', "[" * 100_000])
def test_a_damaged_package_is_named(text: str, place: Path, cudafit: Run) -> None:
    install(place, "2099.1.1").write_text(text, encoding="utf-8")
    shown = cudafit("matrix", "list")
    assert shown.returncode == 0, shown.stderr
    assert f"cudafit-matrices in `{place}` is damaged, and not used" in shown.stdout


def test_a_folder_of_that_name_is_no_package(place: Path) -> None:
    place.mkdir(parents=True)
    assert bases.base().ignored == ()
