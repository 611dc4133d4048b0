"""The matrix that is answered from: compiled once, laid over, pinned."""

import json
import os
from pathlib import Path

import pytest

from cudafit.errors import InputError
from cudafit.matrix import load
from cudafit.matrix.compiled import FORMAT, Compiled, compile_matrix, open_compiled, shape
from cudafit.matrix.load import open_matrix
from tests.conftest import Run
from tests.matrix.folders import GOOD, TORCH, folder, plant

OWN_ROW = """# Own rows.
package: torch

builds:
- {version: 2.5.0, variant: cu124, platform: linux-x86_64, index: pypi, cuda: 12.4, kernels: sm_90, sources: doc}
- {version: 2.5.1, variant: cu124, platform: linux-x86_64, index: pypi, cuda: 12.4, sources: doc}
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CACHE_HOME": str(tmp_path / "cache"), "XDG_CONFIG_HOME": str(tmp_path / "config")}


@pytest.fixture
def whole(tmp_path: Path) -> str:
    return plant(tmp_path / "whole", GOOD)


def test_compiled_matrix_is_the_folder(tmp_path: Path) -> None:
    matrix = folder(tmp_path / "m").matrix()
    compiled = compile_matrix(matrix, "1", str(tmp_path / "c"))
    assert compiled.matrix() == matrix
    again = open_compiled(compiled.path)
    assert again is not None
    assert again.matrix() == matrix


def test_a_question_about_one_package_reads_its_rows_only(whole: str, environ: dict[str, str]) -> None:
    compiled = open_matrix([whole], environ=environ)
    for name in os.listdir(compiled.path):
        if name not in ("index.json", "builds-torch.json"):
            os.unlink(os.path.join(compiled.path, name))
    assert [build.version for build in compiled.builds("torch")] == ["2.5.0", "2.6.0"]
    assert compiled.builds("tensorflow") == ()


def test_it_is_compiled_once_and_anew_when_a_file_changes(whole: str, environ: dict[str, str]) -> None:
    first = open_matrix([whole], environ=environ)
    stamp = os.stat(first.path).st_mtime_ns
    again = open_matrix([whole], environ=environ)
    assert (again.path, os.stat(again.path).st_mtime_ns) == (first.path, stamp)
    path = Path(whole) / "frameworks" / "torch.yaml"
    path.write_text(TORCH.replace("2.6.0", "2.6.1"), encoding="utf-8")
    changed = open_matrix([whole], environ=environ)
    assert changed.path != first.path
    assert changed.builds("torch")[-1].version == "2.6.1"


def test_own_rows_replace_and_add(whole: str, environ: dict[str, str], tmp_path: Path) -> None:
    own = plant(tmp_path / "own", {"frameworks/torch.yaml": OWN_ROW})
    compiled = open_matrix([whole, own], environ=environ)
    kernels = {build.version: build.kernels for build in compiled.builds("torch")}
    assert kernels == {"2.5.0": ("sm_90",), "2.6.0": None, "2.5.1": None}
    assert compiled.version.startswith("2026.1.1+own.")


@pytest.mark.slow
def test_rows_of_the_config_folder_are_laid_over_the_packaged_matrix(environ: dict[str, str], tmp_path: Path) -> None:
    plant(tmp_path / "config" / "cudafit" / "matrices", {"frameworks/mine.yaml": OWN_ROW.replace("torch", "mine")})
    compiled = open_matrix(environ=environ)
    assert len(compiled.builds("mine")) == 2
    assert "+own." in compiled.version


def test_another_version_than_the_pinned_one_is_refused(whole: str, environ: dict[str, str]) -> None:
    assert open_matrix([whole], "2026.1.1", environ).version == "2026.1.1"
    with pytest.raises(InputError, match=r"matrix 2025\.1\.1 was asked for, but this one is 2026\.1\.1"):
        open_matrix([whole], "2025.1.1", environ)


def test_a_flawed_folder_is_refused_with_its_first_flaw(whole: str, environ: dict[str, str]) -> None:
    (Path(whole) / "frameworks" / "torch.yaml").write_text(TORCH.replace("variant: cpu, ", ""), encoding="utf-8")
    with pytest.raises(InputError, match=r"frameworks/torch.yaml:6: `variant` is missing \[schema\]"):
        open_matrix([whole], environ=environ)


def test_missing_folder(environ: dict[str, str]) -> None:
    with pytest.raises(InputError, match="there is no such folder"):
        open_matrix(["/no/such"], environ=environ)


def test_a_cache_that_cannot_be_written_is_no_obstacle(whole: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    compiled = open_matrix([whole], environ={"XDG_CACHE_HOME": str(tmp_path / "file"), "XDG_CONFIG_HOME": "/none"})
    assert len(compiled.builds("torch")) == 2


def test_what_is_compiled_beside_such_a_cache_does_not_stay(cudafit: Run, whole: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    (tmp_path / "scratch").mkdir()
    env = {"XDG_CACHE_HOME": str(tmp_path / "file"), "TMPDIR": str(tmp_path / "scratch")}
    done = cudafit("matrix", "list", "--matrix", whole, env=env, process=True)
    assert "torch" in done.stdout
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_compiled_matrix_of_another_format_is_made_anew(whole: str, environ: dict[str, str]) -> None:
    compiled = open_matrix([whole], environ=environ)
    index = Path(compiled.path) / "index.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), "format": 0}), encoding="utf-8")
    assert open_compiled(compiled.path) is None


def test_old_compiled_matrices_are_forgotten(whole: str, environ: dict[str, str], tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "cudafit" / "matrix"
    for number in range(12):
        (cache / f"old{number}").mkdir(parents=True)
        os.utime(cache / f"old{number}", (number, number))
    compiled: Compiled = open_matrix([whole], environ=environ)
    left = sorted(os.listdir(cache))
    assert len(left) == load._KEPT
    assert os.path.basename(compiled.path) in left
    assert "old0" not in left


def test_the_schema_is_raised_with_every_field() -> None:
    """Facts also come from other releases: whoever adds a field or a list raises `FORMAT`, and writes both here."""
    assert (FORMAT, shape()) == (9, "80cdb0bd")
