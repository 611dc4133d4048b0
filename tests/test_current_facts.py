"""Facts that stay current where cudafit is installed: its real wheel in a fresh environment, an index on loopback, and
the package cudafit-matrices."""

import ast
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.test_matrix_own import NEW, torch
from tests.matrix.harvest.server import Index, serving
from tests.test_package import TOP, copy_of_checkout, quiet

Program = Callable[..., "subprocess.CompletedProcess[str]"]
ROW = (
    "- {version: 2.98.0, variant: cu132, platform: linux-x86_64, index: pypi, cuda: 13.2,"
    " sources: torch-2.15.0-linux-x86_64}\n"
)
UV_INSTALL = [sys.executable, "-m", "uv", "pip", "install", "--quiet"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.online,
    pytest.mark.usefixtures("package_index"),
    pytest.mark.xdist_group("current facts"),  # one environment is made for all of them
]


def build(folder: Path, target: Path, *words: str) -> Path:
    done = quiet([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target), *words], folder)
    assert done.returncode == 0, done.stderr
    (wheel,) = target.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_checkout(tmp_path_factory.mktemp("facts") / "checkout")


@pytest.fixture(scope="module")
def python(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a fresh environment with cudafit's wheel and what it needs."""
    place = tmp_path_factory.mktemp("fresh") / "env"
    venv.create(place, with_pip=False)
    found = place / "bin" / "python"
    wheel = build(checkout, place / "wheel")
    done = quiet([*UV_INSTALL, "--python", str(found), str(wheel)], place)
    assert done.returncode == 0, done.stderr
    return found


@pytest.fixture
def cudafit(python: Path, tmp_path: Path) -> Program:
    def run(*words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        return quiet([str(python.parent / "cudafit"), *words], tmp_path, HOME=str(tmp_path), **environ)

    return run


def matrices(checkout: Path, target: Path, version: str, row: str) -> Path:
    """The package, of another day and with another row."""
    copy = shutil.copytree(checkout, target / "checkout")
    matrix = copy / "matrices" / "matrix.yaml"
    text = re.sub(r"version: .*", f"version: {version}", matrix.read_text(encoding="utf-8"))
    matrix.write_text(text, encoding="utf-8")
    with (copy / "matrices" / "frameworks" / "torch.yaml").open("a", encoding="utf-8") as file:
        file.write(row)
    return build(copy / "packages" / "cudafit-matrices", target / "wheel")


def install(python: Path, wheel: Path) -> None:
    words = ["--python", str(python), "--no-deps", "--no-index", "--reinstall", str(wheel)]
    done = quiet([*UV_INSTALL, *words], wheel.parent)
    assert done.returncode == 0, done.stderr


def test_an_update_brings_a_release_of_the_index_and_revert_takes_it_back(cudafit: Program, tmp_path: Path) -> None:
    shipped = cudafit("matrix", "list").stdout.splitlines()[0]
    with serving(Index({"torch": {NEW: torch("2.99.0")}})) as index:
        done = cudafit("matrix", "update", "torch", PIP_INDEX_URL=index.address)
    assert done.returncode == 0, done.stderr
    assert "torch 2.99.0 added: cu132 (linux-x86_64, needs driver 580.65.06)" in done.stdout
    machine = ["--gpu", "RTX 4090", "--driver", "610.10", "--platform", "linux-x86_64", "--python", "3.12"]
    fit = cudafit("resolve", "torch", *machine)
    assert "torch    2.99.0+cu132" in fit.stdout, fit.stdout + fit.stderr
    assert "torch as you read it on " in fit.stdout
    assert not (tmp_path / ".cache" / "cudafit" / "matrix").exists(), "nothing is compiled anew"
    assert cudafit("matrix", "revert").returncode == 0
    assert cudafit("matrix", "list").stdout.splitlines()[0] == shipped
    assert "2.99.0" not in cudafit("resolve", "torch", *machine).stdout


def test_the_package_of_facts_is_used_where_it_is_newer(
    cudafit: Program, python: Path, checkout: Path, tmp_path: Path
) -> None:
    shipped = cudafit("matrix", "list").stdout.splitlines()[0]
    install(python, matrices(checkout, tmp_path / "newer", "2099.1.1", ROW))
    shown = cudafit("matrix", "list").stdout
    assert shown.startswith("matrix 2099.1.1\n")
    assert "those of cudafit-matrices 2099.1.1" in shown
    assert "2.98.0" in cudafit("matrix", "show", "torch", "2.98").stdout
    install(python, matrices(checkout, tmp_path / "older", "2020.1.1", ROW))
    shown = cudafit("matrix", "list").stdout
    assert shown.splitlines()[0] == shipped
    assert f"cudafit-matrices 2020.1.1 is not used: cudafit itself has the facts of {shipped.split()[1]}" in shown
    assert cudafit("matrix", "show", "torch", "2.98").returncode == 1


def test_the_package_holds_data_and_the_licence_of_cudafit() -> None:
    package = TOP / "packages" / "cudafit-matrices"
    assert (package / "LICENSE").read_bytes() == (TOP / "LICENSE").read_bytes()
    (text,) = (package / "cudafit_matrices").rglob("*.py")
    assert [type(one) for one in ast.parse(text.read_bytes()).body] == [ast.Expr]
