"""`cudafit matrix show` and `list --missing` for people: one table a package, its evidence, and what is missing."""

import json
from pathlib import Path

import pytest

from cudafit.matrix.load import open_matrix
from cudafit.model.matrix import Build
from cudafit.render.matrix_table import python_range, table_rows
from tests.conftest import Run

TORCH = (
    Build("torch", "2.14.1", "cpu", "macos-aarch64", "pypi", pythons=("3.12",)),
    Build(
        "torch",
        "2.14.1",
        "cu130",
        "linux-x86_64",
        "pytorch-cu130",
        cuda="13.0",
        kernels=("sm_75", "sm_80", "sm_120", "compute_120"),
        pythons=("3.10", "3.11", "3.12", "3.12t"),
    ),
    Build("torch", "2.15.0", "cu12", "linux-aarch64", "pypi", verified=False),
)


def test_one_table_a_package() -> None:
    assert [f"{row.label.ljust(7)}  {row.value}" for row in table_rows(TORCH)] == [
        "version  build  CUDA  GPUs       Python      for    from",
        "2.14.1   cpu                     3.12        mac    pypi",
        "         cu130  13.0  7.5-12.0+  3.10-3.12t  linux  pytorch",
        "2.15.0   cu12?  12.x                         arm    pypi",
        "         arm is Linux on aarch64",
        "         + also newer GPUs, compiled by the driver",
        "         t also free-threaded",
        "         ? not known, or not settled by its source",
    ]


@pytest.mark.parametrize(
    ("pythons", "requires", "told"),
    [
        (("3.9", "3.10", "3.12"), None, "3.9-3.10,3.12"),
        (("3.9+",), None, "3.9+"),
        ((), ">=3.10", ">=3.10"),
        ((), None, ""),
        (("3.14", "3.14t"), None, "3.14t"),
    ],
)
def test_pythons_in_few_letters(pythons: tuple[str, ...], requires: str | None, told: str) -> None:
    build = Build("x", "1", "cpu", "any", "pypi", pythons=pythons, requires_python=requires)
    assert python_range(build) == told


def test_no_package_needs_more_than_80_columns(compiled: Path) -> None:
    book = open_matrix(environ={"XDG_CACHE_HOME": str(compiled.parents[2]), "XDG_CONFIG_HOME": "/none"})
    for name in book.packages:
        rows = table_rows(book.builds(name))
        label = max(len(row.label) for row in rows)
        assert max(label + 2 + len(row.value) for row in rows) <= 80, name


def test_a_version_is_named_as_in_a_requirement(cudafit: Run) -> None:
    plain, asked = cudafit("matrix", "show", "torch", "2.14.1"), cudafit("matrix", "show", "torch==2.14.1")
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout == plain.stdout
    assert "kernels  cu130 " in asked.stdout
    newest = json.loads(cudafit("matrix", "show", "torch>=2.15", "--json").stdout)["builds"]
    assert {build["version"] for build in newest} == {"2.15.0"}


def test_what_stands_behind_a_version(cudafit: Run) -> None:
    done = cudafit("matrix", "show", "--sources", "torch==2.14.1")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    at = lines.index("build       2.14.1 cu130, linux-x86_64, from pypi")
    assert lines[at + 1] == "stands on   the bytes of its wheel"
    assert lines[at + 2].startswith("wheel       torch-2.14.1-cp3")
    assert lines[at + 3].startswith("sha256      ")
    shown = json.loads(cudafit("matrix", "show", "--sources", "torch==2.14.1", "--json").stdout)
    assert {name for build in shown["builds"] for name in build["sources"]} == {one["name"] for one in shown["sources"]}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["show", "torchvison"], 1, "hint: `cudafit matrix show torchvision`"),
        (["show", "pytorch"], 1, "hint: `cudafit matrix show torch`"),
        (["show", "torch==2.14", "2.15"], 2, "error: `torch==2.14` names a version, and `2.15` another one"),
        (["show", "torch=>2"], 2, "error: `torch=>2` is not a requirement"),
        (["show", "torch>=99"], 1, "error: the matrix has no torch>=99; its newest is 2."),
        (["list", "-r", "x"], 2, "error: `-r` is about `--missing`"),
        (["list", "--missing", "-r", "nowhere.txt"], 2, "error: cannot read `nowhere.txt`"),
    ],
)
def test_wrong_input(words: list[str], code: int, said: str, cudafit: Run) -> None:
    done = cudafit("matrix", *words)
    assert done.returncode == code
    assert said in done.stderr


def test_what_a_project_asks_for_and_the_matrix_lacks(
    cudafit: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    empty = cudafit("matrix", "list", "--missing")
    assert empty.returncode == 2
    assert empty.stderr.startswith("error: no file here asks for anything\n")
    (tmp_path / "requirements.txt").write_text("torch>=2\nmadeup-gpu==1.2\nnumpy\n", encoding="utf-8")
    done = cudafit("matrix", "list", "--missing")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == [
        "madeup-gpu  madeup-gpu==1.2  [requirements.txt:2]",
        "numpy       numpy  [requirements.txt:3]",
        "covered     1 of 3 that are asked for: torch",
    ]
    shown = json.loads(cudafit("matrix", "list", "--missing", "-r", "requirements.txt", "--json").stdout)
    assert [one["name"] for one in shown["missing"]] == ["madeup-gpu", "numpy"]
