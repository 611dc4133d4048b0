"""What the project in a folder asks for."""

from pathlib import Path

import pytest

from cudafit.errors import InputError
from cudafit.project.nearby import read_nearby

PROJECT = '[project]\nname = "x"\nversion = "1"\n'


def asked(folder: Path) -> tuple[tuple[str, ...], list[str]] | None:
    found = read_nearby(str(folder))
    return (tuple(Path(name).name for name in found.files), [one.text for one in found.wanted]) if found else None


def test_nothing_there(tmp_path: Path) -> None:
    assert asked(tmp_path) is None
    assert asked(tmp_path / "nowhere") is None
    (tmp_path / "requirements.txt").write_text("# nothing yet\n")
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\n")
    assert asked(tmp_path) is None


def test_the_projects_own_dependencies_come_first(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("jax\n")
    (tmp_path / "requirements-dev.txt").write_text("pytest\n")
    assert asked(tmp_path) == (("requirements.txt",), ["jax"])
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    assert asked(tmp_path) == (("requirements.txt",), ["jax"])
    (tmp_path / "pyproject.toml").write_text(PROJECT + 'dependencies = ["torch>=2"]\n')
    assert asked(tmp_path) == (("pyproject.toml",), ["torch>=2"])


def test_every_requirement_file_where_none_is_the_main_one(tmp_path: Path) -> None:
    (tmp_path / "requirements-gpu.txt").write_text("torch\n")
    (tmp_path / "requirements-dev.txt").write_text("pytest\n-e .\n")
    assert asked(tmp_path) == (("requirements-dev.txt", "requirements-gpu.txt"), ["pytest", "torch"])


@pytest.mark.parametrize(
    "text", ["[project", "project = 3", '[project]\ndependencies = "torch"', "[project]\ndependencies = [1]"]
)
def test_a_project_that_cannot_be_read_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(InputError, match=r"pyproject\.toml"):
        read_nearby(str(tmp_path))
