"""`cudafit matrix update --from-locks`, the real command."""

from pathlib import Path

import pytest

from tests.conftest import Run
from tests.lock.quoted.test_quoted import HASH, INDEX, UV
from tests.matrix.folders import GOOD, INDEXES, plant

TORCH = """# Builds of torch.
package: torch

builds:
- {version: 2.9.1, variant: cu124, platform: linux-x86_64, index: pytorch-cu130, cuda: 12.4, pythons: 3.11, \
evidence: release notes, sources: doc}
"""


@pytest.fixture
def matrix(tmp_path: Path) -> Path:
    indexes = f"{INDEXES}- {{name: pytorch-cu130, kind: extra, url: '{INDEX}', sources: doc}}\n"
    return Path(plant(tmp_path / "matrix", {**GOOD, "indexes.yaml": indexes, "frameworks/torch.yaml": TORCH}))


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "uv.lock"
    path.write_text(UV)
    return path


def texts(folder: Path) -> dict[str, str]:
    return {str(path): path.read_text(encoding="utf-8") for path in folder.rglob("*.yaml")}


def test_the_difference_is_shown_then_written_and_then_there_is_none(cudafit: Run, matrix: Path, lock: Path) -> None:
    before = texts(matrix)
    words = ("matrix", "update", "--from-locks", str(lock), "--folder", str(matrix))
    shown = cudafit(*words)
    assert shown.returncode == 0, shown.stderr
    assert "pythons: 3.11 3.12, tags: manylinux_2_28_x86_64" in shown.stdout
    assert "evidence: lock" in shown.stdout
    assert texts(matrix) == before
    assert cudafit(*words, "--write").returncode == 0
    assert HASH in (matrix / "wheels.yaml").read_text()
    checked = cudafit("matrix", "check", str(matrix))
    assert checked.returncode == 0, checked.stdout
    again = cudafit(*words)
    assert (again.returncode, again.stdout) == (0, "")
    assert "quoted files: 1 confirmed" in again.stderr


def test_a_forged_lock_is_named_and_nothing_is_written(cudafit: Run, matrix: Path, lock: Path, tmp_path: Path) -> None:
    assert cudafit("matrix", "update", "--from-locks", str(lock), "--folder", str(matrix), "--write").returncode == 0
    before = texts(matrix)
    forged = tmp_path / "forged" / "uv.lock"
    forged.parent.mkdir()
    forged.write_text(UV.replace(HASH, "ef" * 32))
    done = cudafit("matrix", "update", "--from-locks", str(forged), "--folder", str(matrix), "--write")
    assert done.returncode == 1
    assert f"sha256 {HASH[:12]}… by uv.lock@" in done.stderr
    assert f"sha256 {'ef' * 6}… by uv.lock@" in done.stderr
    assert "neither is taken" in done.stderr
    assert texts(matrix) == before


def test_one_file_that_is_none_stops_all(cudafit: Run, matrix: Path, lock: Path, tmp_path: Path) -> None:
    before = texts(matrix)
    page = tmp_path / "page.lock"
    page.write_text("<html>")
    for other in (page, tmp_path / "missing.lock"):
        done = cudafit("matrix", "update", "--from-locks", str(lock), str(other), "--folder", str(matrix), "--write")
        assert done.returncode == 2
        assert other.name in done.stderr
        assert texts(matrix) == before
