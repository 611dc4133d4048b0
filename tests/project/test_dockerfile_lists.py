"""What a Dockerfile installs by a requirement file that is copied into the image."""

import os
from pathlib import Path

import pytest

from cudafit.model.installs import installs
from cudafit.project.dockerfile import parse_dockerfile
from cudafit.project.dockerfile_lists import with_lists

HEAD = 'FROM python:3.12-slim\nCOPY ["requirements.txt", "/opt/lock/"]\n'
LISTED = "--index-url https://mirror.test/whl/cu126\ntorch==2.9.1 \\\n    --hash=sha256:ab\nnumpy>=2\n"


def asked(line: str, folder: Path) -> tuple[list[str], list[str], str | None]:
    """Names, indexes, and the file that they were read from."""
    file = with_lists(parse_dockerfile(f"{HEAD}RUN {line}\n", "Dockerfile"), str(folder))
    (install,) = installs(file.stages[0].commands)
    return [one.name for one in install.wanted], install.option("--index-url"), install.command.listed


@pytest.mark.parametrize(
    "line",
    [
        "pip install --no-deps --require-hashes -r /opt/lock/requirements.txt",
        "pip install -rrequirements.txt",
        "uv pip install --requirement=requirements.txt --system",
        "python3 -m pip install -r requirements.txt",
    ],
)
def test_its_lines_are_put_in_the_place_of_its_name(line: str, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(LISTED)
    names, indexes, listed = asked(line, tmp_path)
    assert names == ["torch", "numpy"]
    assert indexes == ["https://mirror.test/whl/cu126"]
    assert listed == "requirements.txt"


@pytest.mark.parametrize(
    "line", ["pip install -r ../requirements.txt", "pip install -r a.txt -r b.txt", "pip install x"]
)
def test_what_lies_elsewhere_or_is_not_there_stays_as_it_is_written(line: str, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(LISTED)
    folder = tmp_path / "below"
    folder.mkdir()
    assert asked(line, folder)[2] is None


def test_a_file_that_cannot_be_read_stays_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(b"torch\0")
    assert asked("pip install -r requirements.txt", tmp_path)[2] is None
    (tmp_path / "requirements.txt").unlink()
    os.mkfifo(tmp_path / "requirements.txt")
    assert asked("pip install -r requirements.txt", tmp_path)[2] is None
