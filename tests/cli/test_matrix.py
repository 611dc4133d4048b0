"""`cudafit matrix`, the real command over the packaged matrix."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cudafit import shipped
from cudafit.matrix.folder import read_folder
from cudafit.matrix.linters import check
from tests.conftest import Run
from tests.matrix.folders import GOOD, TORCH, plant
from tests.schemas import validate


def builds(cudafit: Run, *words: str) -> list[dict[str, Any]]:
    done = cudafit("matrix", "show", *words, "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["schema"] == "cudafit.matrix/1"
    validate(shown, "matrix-1")
    found: list[dict[str, Any]] = shown["builds"]
    return found


@pytest.mark.slow
def test_packaged_matrix_is_clean() -> None:
    flaws = check(read_folder(str(shipped.folder("matrices"))), date(2026, 11, 21))
    assert [str(flaw) for flaw in flaws if flaw.severity == "error"] == []


@pytest.mark.slow
def test_check_says_so(cudafit: Run) -> None:
    done = cudafit("matrix", "check")
    assert done.returncode == 0
    assert " 0 errors" in done.stdout.splitlines()[-1]


def test_list_names_packages_and_rows(cudafit: Run) -> None:
    shown = json.loads(cudafit("matrix", "list", "--json").stdout)
    assert len(shown["packages"]) >= 14
    assert shown["rows"] >= 900
    assert shown["rows"] == sum(package["builds"] for package in shown["packages"])
    screen = cudafit("matrix", "list").stdout
    assert f"{len(shown['packages'])} packages, {shown['rows']} builds, read {shown['read']}" in screen


def test_torch_215_as_its_wheels_tell(cudafit: Run) -> None:
    found = [build for build in builds(cudafit, "torch", "2.15") if build["index"] == "pypi"]
    by_platform = {build["platforms"][0]: build for build in found}
    linux = by_platform["linux-x86_64"]
    assert (linux["cuda"], linux["cudnn"], linux["variant"]) == ("13.2", "9.26.0.51", "cu132")
    assert linux["kernels"] == ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"]
    assert {"3.11", "3.12", "3.13", "3.14"} <= set(linux["pythons"])
    windows = by_platform["windows-x86_64"]
    assert (windows["variant"], windows["cuda"], windows["kernels"]) == ("cpu", None, [])


def test_tensorflow_221_as_its_wheels_tell(cudafit: Run) -> None:
    by_platform = {build["platforms"][0]: build for build in builds(cudafit, "tensorflow", "2.21")}
    linux = by_platform["linux-x86_64"]
    assert (linux["cuda"], linux["cudnn"]) == ("12.5.1", "9")
    assert linux["kernels"] == ["sm_60", "sm_70", "sm_80", "sm_89", "compute_90"]
    assert by_platform["linux-aarch64"]["variant"] == "cpu"


@pytest.mark.parametrize(
    ("words", "count"), [(["torch", "2.1"], {"2.1.0", "2.1.1", "2.1.2"}), (["Torch", "2.15.0"], {"2.15.0"})]
)
def test_a_version_stands_for_its_line(words: list[str], count: set[str], cudafit: Run) -> None:
    assert {build["version"] for build in builds(cudafit, *words)} == count


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["show", "nothing"], 1, "error: the matrix has no package `nothing`"),
        (["show", "torch", "9.9"], 1, "error: the matrix has no torch 9.9; its newest is 2."),
        (["show", "torch", "--matrix", "/no/such"], 2, "error: `--matrix /no/such`: there is no such folder"),
        (["show", "torch", "--matrix-version", "1"], 2, "error: matrix 1 was asked for, but this one is 20"),
        (["check", "/no/such"], 2, "error: cannot check `/no/such`: there is no such folder"),
        (["check", "/usr/bin"], 2, "error: cannot check `/usr/bin`: there is no matrix file in it"),
        (["diff", "/no/such", "/no/such"], 2, "error: cannot read the matrix `/no/such`"),
        (["nonsense"], 2, "error: no such command 'nonsense'"),
    ],
)
def test_wrong_input(words: list[str], code: int, said: str, cudafit: Run) -> None:
    done = cudafit("matrix", *words)
    assert done.returncode == code
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr


def test_check_names_all_flaws_with_file_and_line(cudafit: Run, tmp_path: Path) -> None:
    path = plant(tmp_path / "m", {**GOOD, "frameworks/torch.yaml": TORCH.replace("index: pypi", "index: gone")})
    done = cudafit("matrix", "check", path)
    assert done.returncode == 1
    assert "frameworks/torch.yaml:5: no index is called `gone` [references]" in done.stdout
    assert "frameworks/torch.yaml:6: no index is called `gone` [references]" in done.stdout


def test_diff_in_the_words_of_users(cudafit: Run, tmp_path: Path) -> None:
    old = plant(tmp_path / "old", GOOD)
    new = plant(tmp_path / "new", {**GOOD, "frameworks/torch.yaml": TORCH.replace("2.6.0", "2.6.1")})
    done = cudafit("matrix", "diff", old, new)
    assert (done.returncode, done.stdout) == (1, "torch 2.6.1 added: cpu (windows-x86_64)\ntorch 2.6.0 removed\n")
    assert cudafit("matrix", "diff", old, old).stdout == "no difference\n"


@pytest.mark.slow
def test_own_rows_are_used_and_named_in_the_version(cudafit: Run, tmp_path: Path) -> None:
    own = plant(tmp_path / "own", {"frameworks/torch.yaml": TORCH.replace("2.6.0", "99.0")})
    done = cudafit("matrix", "show", "torch", "99.0", "--json", "--matrix", own)
    assert json.loads(done.stdout)["version"].partition("+")[2].startswith("own.")


def test_linters_are_listed(cudafit: Run) -> None:
    assert "canonical" in cudafit("matrix", "check", "--list-linters").stdout
