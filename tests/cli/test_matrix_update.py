"""`cudafit matrix update`, the real command against an index on loopback."""

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.matrix.folders import GOOD, plant
from tests.matrix.harvest.server import Index, serving
from tests.matrix.harvest.test_harvest import FILES, LINUX


@pytest.fixture
def index() -> Iterator[Index]:
    with serving(Index({"torch": dict(FILES)})) as served:
        yield served


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return plant(tmp_path / "matrix", GOOD)


def arguments(index: Index, folder: str, *more: str) -> list[str]:
    given = ["--index", index.address, "--index-name", "pypi", "--folder", folder]
    return ["matrix", "update", "torch", "--since", "2.5", *given, *more]


def texts(folder: str) -> dict[str, str]:
    return {str(path): path.read_text(encoding="utf-8") for path in Path(folder).rglob("*.yaml")}


def test_the_difference_is_shown_and_nothing_written(cudafit: Run, index: Index, folder: str) -> None:
    before = texts(folder)
    done = cudafit(*arguments(index, folder))
    assert done.returncode == 0, done.stderr
    assert "--- old/frameworks/torch.yaml\n+++ new/frameworks/torch.yaml\n" in done.stdout
    assert "+- {version: 2.6.0, variant: cu124, platform: linux-x86_64, index: pypi, cuda: 12.4" in done.stdout
    assert "3 builds read, 0 not;" in done.stderr
    assert texts(folder) == before


def test_written_files_are_clean_and_a_second_run_finds_no_difference(cudafit: Run, index: Index, folder: str) -> None:
    # The cuDNN of the dummy wheels needs a row in the small matrix, as it has one in the packaged one.
    cudnn = "# Libraries.\n\nlibraries:\n- {package: nvidia-cudnn-cu12, version: 9.1.0.70, sources: doc}\n"
    drivers = (Path(folder) / "drivers.yaml").read_text(encoding="utf-8").replace("8.0 8.6", "7.5 8.0 8.6")
    plant(Path(folder), {"libraries.yaml": cudnn, "drivers.yaml": drivers})
    assert cudafit(*arguments(index, folder, "--write")).returncode == 0
    checked = cudafit("matrix", "check", folder)
    assert checked.returncode == 0, checked.stdout
    again = cudafit(*arguments(index, folder))
    assert (again.returncode, again.stdout) == (0, "")
    assert "0 files differ" in again.stderr


def test_a_matrix_that_was_read_as_a_whole_is_dated_anew(cudafit: Run, index: Index, folder: str) -> None:
    """By its version the newer of two is told; what was read in part keeps its own."""
    given = [word for word in arguments(index, folder, "--write") if word != "torch"]
    cudafit(*given)
    version = f"{(day := datetime.now(timezone.utc).date()).year}.{day.month}.{day.day}"
    assert (Path(folder) / "matrix.yaml").read_text(encoding="utf-8") == f"# A matrix for tests.\nversion: {version}\n"


def test_a_wheel_that_cannot_be_read_is_named_and_the_rest_goes_on(cudafit: Run, index: Index, folder: str) -> None:
    index.truncate = {LINUX}
    done = cudafit(*arguments(index, folder))
    assert done.returncode == 1
    assert f"not read: {LINUX}: the file is truncated or no wheel\n" in done.stderr
    assert "2 builds read, 1 not;" in done.stderr
    assert "2.6.0, variant: cpu, platform: windows-x86_64" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing"], "error: no reader for `nothing`"),
        (["torch", "--index", "http://127.0.0.1:9/"], "error: `--index` and `--index-name` go together"),
        (["torch", "--folder", "/no/such"], "error: no matrix folder to update: `/no/such`"),
        (["torch", "--workers", "0"], "error: invalid value for '--workers'"),
    ],
)
def test_wrong_input(words: list[str], said: str, cudafit: Run) -> None:
    done = cudafit("matrix", "update", *words)
    assert done.returncode == 2
    assert done.stderr.startswith(said)


def test_wrong_since(cudafit: Run, index: Index, folder: str) -> None:
    given = [word if word != "2.5" else "two" for word in arguments(index, folder)]
    assert "error: `--since two` is no version such as 2.14" in cudafit(*given).stderr


@pytest.mark.slow
def test_a_server_that_is_not_there_is_one_line(cudafit: Run, folder: str) -> None:
    given = ["--index", "http://user:hunter2@127.0.0.1:9/simple/", "--index-name", "pypi", "--folder", folder]
    done = cudafit("matrix", "update", "torch", *given)
    assert done.returncode == 1
    assert "not read: torch: its page at 127.0.0.1 cannot be read" in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


def test_without_since_nothing_older_than_the_matrix_is_read(cudafit: Run, index: Index, folder: str) -> None:
    index.packages["torch"]["torch-2.4.0-cp312-cp312-manylinux1_x86_64.whl"] = b"never asked for"
    given = [word for word in arguments(index, folder) if word not in ("--since", "2.5")]
    done = cudafit(*given)
    assert done.returncode == 0, done.stderr
    assert not any("2.4.0" in name for name in index.served)
