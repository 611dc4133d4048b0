"""The project as others get it: the wheel, the sdist, the set-up, and the rule of imports."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from tests.older import tomllib

TOP = Path(__file__).parent.parent
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(cache_dir=None))"


def quiet(command: list[str], folder: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    given = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environ}
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist, built from a copy of the files that git would give others."""
    folder = tmp_path_factory.mktemp("built")
    source = copy_of_checkout(folder / "source")
    done = quiet([sys.executable, "-m", "hatchling", "build", "-d", str(folder / "dist")], source)
    assert done.returncode == 0, done.stderr
    return folder / "dist"


def copy_of_checkout(target: Path) -> Path:
    skipped = shutil.ignore_patterns(
        ".*_cache", ".venv*", ".nox", ".hypothesis", ".git", "__pycache__", "build", "dist"
    )
    shutil.copytree(TOP, target, ignore=skipped)
    return target


def shared_files() -> set[str]:
    return {
        str(path.relative_to(TOP))
        for name in ("matrices", "templates", "docs/findings")
        for path in (TOP / name).rglob("*.*")
    }


@pytest.mark.slow
def test_wheel_carries_matrices_templates_and_schemas(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"cudafit/_shipped/{path}" for path in shared_files()} <= names
    assert {"cudafit/schemas/machine-1.json", "cudafit/schemas/matrix-1.json"} <= names
    assert {"cudafit/_shipped/compiled/index.json", "cudafit/_shipped/compiled/builds-torch.json"} <= names
    assert {"cudafit/py.typed", "cudafit/completion/words.tsv", "cudafit/completion/scripts/bash"} <= names
    assert not any(name.startswith("tests/") for name in names)
    assert any(name.endswith(".data/data/share/man/man1/cudafit-resolve.1") for name in names)


@pytest.mark.slow
def test_sdist_carries_all_that_the_tests_need(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert shared_files() <= names
    assert {"pyproject.toml", "README.md", "LICENSE", "Makefile", "tests/fake_nvml/fake_nvml.c"} <= names


def size_without_uv(place: Path) -> int:
    """Of what an installer puts into the environment, in bytes."""
    (packages,) = place.glob("lib/python3*/site-packages")
    files = [path for path in packages.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return sum(path.stat().st_size for path in files if not path.relative_to(packages).parts[0].startswith("uv"))


def test_each_dependency_has_its_reason() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.match(r"[\w-]+", line)[0] for line in project["dependencies"]}  # type: ignore[index]
    page = (TOP / "docs" / "decisions" / "0036-a-light-core.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([\w-]+)`", page, re.M)) == names


@pytest.mark.slow
@pytest.mark.online
@pytest.mark.usefixtures("package_index")
def test_wheel_works_in_a_fresh_environment_elsewhere(built: Path, tmp_path: Path) -> None:
    place = tmp_path / "a place with spaces"
    venv.create(place, with_pip=False)
    (wheel,) = built.glob("*.whl")
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(place / "bin" / "python")]
    done = quiet([*install, str(wheel)], tmp_path)
    assert done.returncode == 0, done.stderr
    assert wheel.stat().st_size < 3_000_000
    assert size_without_uv(place) < 25_000_000
    program = [str(place / "bin" / "cudafit"), "inspect"]
    done = quiet(program, tmp_path)
    assert done.returncode in (0, 3), done.stderr
    assert done.stdout.startswith("this machine\n")
    shown = quiet([str(place / "bin" / "cudafit"), "matrix", "show", "torch", "2.15"], tmp_path, HOME=str(tmp_path))
    assert "13.2" in shown.stdout, shown.stderr
    assert not (tmp_path / ".cache").exists(), "the wheel carries the matrix compiled"
    code = "import os; from cudafit import shipped; print(os.path.join(shipped.folder('matrices'), 'README.md'))"
    path = quiet([str(place / "bin" / "python"), "-c", code], tmp_path).stdout.strip()
    assert str(place) in path
    assert Path(path).is_file()


@pytest.mark.slow
@pytest.mark.online
@pytest.mark.usefixtures("package_index")
@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_demo_sets_itself_up_once_and_then_needs_no_network(tmp_path: Path) -> None:
    checkout = copy_of_checkout(tmp_path / "a clone with spaces")
    first = quiet(["make", "demo"], checkout)
    assert first.returncode == 0 or "Error 3" in first.stderr, first.stderr
    assert "this machine\n" in first.stdout
    cut_off = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "http_proxy": "x", "https_proxy": "x"}
    second = quiet(["make", "demo"], checkout, **cut_off)
    assert second.returncode == first.returncode, second.stderr
    assert "pip install" not in second.stdout
    assert "this machine\n" in second.stdout


# What is written at the top of a module, and how it is told.
BREAKING = {
    "import cudafit.files": ("model/versions.py", "cudafit.model.versions -> cudafit.files"),
    "import os": ("model/versions.py", "cudafit.model.versions -> os"),
    "import cudafit.cli.main": ("machine/pci.py", "cudafit.machine.pci -> cudafit.cli.main"),
    "import subprocess": ("machine/pci.py", "cudafit.machine.pci -> subprocess"),
    "import rich": ("cli/inspect.py", "cudafit.cli.inspect -> rich"),
    "import cudafit.errors": ("new_room.py", "cudafit.new_room"),
}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is said of a checkout in which all of that was written."""
    copy = copy_of_checkout(tmp_path_factory.mktemp("broken") / "copy")
    for line, (room, _) in BREAKING.items():
        path = copy / "src" / "cudafit" / room
        path.write_text(line + "\n" + (path.read_text(encoding="utf-8") if path.exists() else ""), encoding="utf-8")
    done = quiet([sys.executable, "-c", LINT], copy, PYTHONPATH=str(copy / "src"))
    assert done.returncode == 1, done.stdout
    return done.stdout


@pytest.mark.slow
@pytest.mark.xdist_group("import direction")
@pytest.mark.parametrize("line", BREAKING)
def test_breaking_the_import_direction_is_found(broken: str, line: str) -> None:
    assert "BROKEN" in broken
    assert BREAKING[line][1] in broken, broken


@pytest.mark.slow
def test_import_direction_holds_as_it_stands(tmp_path: Path) -> None:
    copy = copy_of_checkout(tmp_path / "copy")
    done = quiet([sys.executable, "-c", LINT], copy, PYTHONPATH=str(copy / "src"))
    assert done.returncode == 0, done.stdout
