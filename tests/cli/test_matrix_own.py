"""`cudafit matrix update` into the user's own layer and `revert`, the real commands against an index on loopback."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run
from tests.matrix.harvest.server import Index, serving, wheel

NEW = "torch-2.99.0-cp312-cp312-manylinux_2_28_x86_64.whl"
NEWER = "torch-2.99.1-cp312-cp312-manylinux_2_28_x86_64.whl"
KERNELS = b"\0sm_75 sm_80 sm_86 sm_90 sm_120 compute_120\0"


def torch(version: str) -> bytes:
    return wheel(
        {
            "torch/version.py": f"__version__ = '{version}+cu132'\ncuda: Optional[str] = '13.2'\n",
            "torch/lib/libtorch_python.so": KERNELS,
        },
        version=version,
        requires="Requires-Dist: nvidia-cudnn-cu13 ==9.26.0.51 ; platform_system == 'Linux'",
    )


@pytest.fixture
def index() -> Iterator[Index]:
    with serving(Index({"torch": {NEW: torch("2.99.0")}})) as served:
        yield served


def update(cudafit: Run, index: Index, *more: str, **given: Any) -> Any:
    return cudafit(
        "matrix", "update", "torch", "--own", "--index", index.address, "--index-name", "pypi", *more, **given
    )


def newest(cudafit: Run) -> tuple[str, str]:
    shown = json.loads(cudafit("matrix", "list", "--json").stdout)
    return shown["version"], next(one["newest"] for one in shown["packages"] if one["name"] == "torch")


@pytest.fixture
def layer(environ: dict[str, str]) -> Path:
    return Path(environ["HOME"], ".local", "share", "cudafit", "matrix")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_an_update_brings_what_is_new_and_revert_takes_it_back(cudafit: Run, index: Index, layer: Path) -> None:
    before = newest(cudafit)
    done = update(cudafit, index)
    assert done.returncode == 0, done.stderr
    assert "torch 2.99.0 added: cu132 (linux-x86_64, needs driver 580.65.06)" in done.stdout
    assert f"written to {layer}" in done.stderr
    version, found = newest(cudafit)
    assert found == "2.99.0"
    assert version.startswith(f"{before[0]}+update.")
    fit = cudafit("resolve", "torch", "--gpu", "RTX 4090", "--driver", "610.10", "--platform", "linux-x86_64")
    assert "2.99.0" in fit.stdout, fit.stdout + fit.stderr
    back = cudafit("matrix", "revert")
    assert back.returncode == 0, back.stderr
    assert newest(cudafit) == before
    assert contents(layer) == {}
    again = cudafit("matrix", "revert")
    assert (again.returncode, again.stderr) == (2, "error: you have made no update that could be undone\n")


def test_the_same_again_is_nothing_new_and_writes_nothing(cudafit: Run, index: Index, layer: Path) -> None:
    assert update(cudafit, index).returncode == 0
    before, served = contents(layer), len(index.served)
    done = update(cudafit, index)
    assert (done.returncode, "nothing is new" in done.stderr) == (0, True)
    assert (contents(layer), len(index.served)) == (before, served)


@pytest.mark.slow
def test_updates_add_up_and_are_taken_back_one_after_the_other(cudafit: Run, index: Index) -> None:
    update(cudafit, index)
    index.packages["torch"][NEWER] = torch("2.99.1")
    assert "torch 2.99.1 added" in update(cudafit, index).stdout
    assert newest(cudafit)[1] == "2.99.1"
    cudafit("matrix", "revert")
    assert newest(cudafit)[1] == "2.99.0"


def test_a_dry_run_writes_nothing(cudafit: Run, index: Index, layer: Path) -> None:
    done = update(cudafit, index, "--dry-run")
    assert "torch 2.99.0 added" in done.stdout
    assert "nothing written" in done.stderr
    assert not layer.exists()


def test_what_cannot_be_read_is_named_and_makes_no_layer(cudafit: Run, index: Index, layer: Path) -> None:
    index.truncate = {NEW}
    done = update(cudafit, index)
    assert done.returncode == 1
    assert f"not read: {NEW}: the file is truncated or no wheel\n" in done.stderr
    assert not layer.exists()


def test_a_login_page_is_named(cudafit: Run, index: Index, layer: Path) -> None:
    index.login = True
    done = update(cudafit, index)
    assert done.returncode == 1
    assert "not read: torch: 127.0.0.1 answers with a page that lists no file: a login page?\n" in done.stderr
    assert not layer.exists()


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["manifest", "rows", "compiled", "name"])
def test_half_a_layer_is_not_used_and_an_update_makes_it_anew(
    broken: str, cudafit: Run, index: Index, layer: Path
) -> None:
    shipped = newest(cudafit)
    update(cudafit, index)
    name = (layer / "current").read_text(encoding="utf-8").strip()
    if broken == "name":
        (layer / "current").write_text("", encoding="utf-8")
    else:
        place = {
            "manifest": "layer.json",
            "rows": "rows/frameworks/torch.yaml",
            "compiled": "compiled/builds-torch.json",
        }[broken]
        content = (layer / name / place).read_bytes()
        (layer / name / place).write_bytes(content[: len(content) // 2])
    assert newest(cudafit) == shipped
    told = cudafit("matrix", "list").stdout
    assert "your own layer of facts is not used: it is " in told
    assert update(cudafit, index).returncode == 0
    assert newest(cudafit)[1] == "2.99.0"


def test_other_bytes_of_the_same_length_are_found_when_they_are_read(cudafit: Run, index: Index, layer: Path) -> None:
    update(cudafit, index)
    place = next(layer.glob("*/compiled/builds-torch.json"))
    place.write_bytes(place.read_bytes().replace(b"2.99.0", b"2.98.0"))
    done = cudafit("matrix", "show", "torch", "2.99")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "error: your own layer of facts is damaged: `builds-torch.json` is not what was written"
    )
    assert cudafit("matrix", "revert").returncode == 0
    assert cudafit("matrix", "show", "torch", "2.15").returncode == 0


@pytest.mark.slow
def test_a_layer_of_a_newer_cudafit_is_neither_used_nor_written_over(cudafit: Run, index: Index, layer: Path) -> None:
    shipped = newest(cudafit)
    update(cudafit, index)
    manifest = next(layer.glob("*/layer.json"))
    told = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps({**told, "schema": 999}), encoding="utf-8")
    assert newest(cudafit) == shipped
    before = contents(layer)
    done = update(cudafit, index)
    assert done.returncode == 2
    assert done.stderr.startswith("error: your own layer of facts has the schema 999, and this cudafit knows ")
    assert contents(layer) == before


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["link", "open"])
def test_what_others_may_have_made_is_not_used_and_not_changed(
    kind: str, cudafit: Run, index: Index, layer: Path, tmp_path: Path
) -> None:
    shipped = newest(cudafit)
    update(cudafit, index)
    if kind == "link":
        layer.rename(tmp_path / "elsewhere")
        layer.symlink_to(tmp_path / "elsewhere")
        reason = "is a link"
    else:
        layer.chmod(0o777)
        reason = "has the mode 0777"
    before = contents(layer)
    assert newest(cudafit) == shipped
    assert f"it {reason}" in cudafit("matrix", "list").stdout
    for words in (["matrix", "revert"], ["matrix", "update", "torch", "--own", "--index", index.address]):
        done = cudafit(*words, *(["--index-name", "pypi"] if "--own" in words else []))
        assert done.returncode == 2, done.stderr
        assert reason in done.stderr
    assert contents(layer) == before


@pytest.mark.slow
def test_a_full_disk_changes_nothing(cudafit: Run, index: Index, layer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    update(cudafit, index)
    before = contents(layer)
    index.packages["torch"][NEWER] = torch("2.99.1")

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("cudafit.matrix.own_writing._sync", full)
    done = update(cudafit, index)
    assert done.returncode == 1
    assert done.stderr.startswith("error: your own layer of facts cannot be written: No space left on device")
    assert contents(layer) == before
    monkeypatch.undo()
    assert newest(cudafit)[1] == "2.99.0"


def test_an_update_that_is_older_than_the_facts_is_not_used(cudafit: Run, index: Index, layer: Path) -> None:
    shipped = newest(cudafit)
    update(cudafit, index)
    manifest = next(layer.glob("*/layer.json"))
    told = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps({**told, "base": "2020.1.1", "date": "2020.1.2"}), encoding="utf-8")
    assert newest(cudafit) == shipped
    assert (
        f"your update of 2020.1.2 is not used: the facts of {shipped[0]} are newer" in cudafit("matrix", "list").stdout
    )


@pytest.mark.slow
def test_own_rows_lie_over_the_update(cudafit: Run, index: Index, environ: dict[str, str]) -> None:
    update(cudafit, index)
    place = Path(environ["HOME"], ".config", "cudafit", "matrices", "frameworks", "torch.yaml")
    place.parent.mkdir(parents=True)
    row = "- {version: 2.99.5, variant: cu132, platform: linux-x86_64, index: pypi, cuda: 13.2, sources: mine}"
    place.write_text(f"# Mine.\npackage: torch\n\nbuilds:\n{row}\n", encoding="utf-8")
    found = json.loads(cudafit("matrix", "show", "torch", "2.99", "--json").stdout)["builds"]
    assert [build["version"] for build in found] == ["2.99.0", "2.99.5"]


def test_both_ways_to_write_at_once_are_refused(cudafit: Run) -> None:
    assert "`--own` and `--write` exclude each other" in cudafit("matrix", "update", "--own", "--write").stderr


MACHINE = ["--gpu", "RTX 4090", "--driver", "610.10", "--platform", "linux-x86_64", "--python", "3.12"]


@pytest.mark.slow
def test_a_version_that_is_newer_than_the_facts_is_read_there_and_then(cudafit: Run, index: Index, layer: Path) -> None:
    done = cudafit("resolve", "torch>=2.99", *MACHINE, env={"PIP_INDEX_URL": index.address})
    assert done.returncode == 0, done.stderr
    assert "torch    2.99.0+cu132, CUDA 13.2" in done.stdout
    assert "torch 2.99.0 newer than those of 20" in done.stdout
    assert "`cudafit matrix update torch` keeps that" in done.stdout
    assert "do not hold torch>=2.99: asking the index\n" in done.stderr
    assert not layer.exists()


def test_offline_says_how_old_the_facts_are_and_asks_nobody(cudafit: Run, index: Index) -> None:
    done = cudafit("resolve", "torch==2.99.0", "--offline", *MACHINE, env={"PIP_INDEX_URL": index.address})
    assert done.returncode == 1
    assert "and what came later is not in them: `--offline` asks no index for it" in done.stderr
    assert index.served == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["torch==2.99.7"], "; the index has none either\n"),
        (["triton==99"], "; the index cannot be asked: triton: 127.0.0.1 has no such package\n"),
        (["flash-attn==99"], "; the index cannot be asked: flash-attn: there is no reader of its wheels\n"),
    ],
)
def test_what_the_index_has_not_is_told(words: list[str], said: str, cudafit: Run, index: Index) -> None:
    done = cudafit("resolve", *words, *MACHINE, env={"PIP_INDEX_URL": index.address})
    assert done.returncode == 1
    assert said in done.stderr


@pytest.mark.parametrize(
    "words", [["torch<1"], ["torch==0.3"], ["torch==2.15.0"], ["torch==2.14.1", "torchvision==0.20"]]
)
def test_what_is_old_or_held_asks_nobody(words: list[str], cudafit: Run) -> None:
    done = cudafit("resolve", *words, *MACHINE, env={"PIP_INDEX_URL": "http://127.0.0.1:9/"})
    assert "asking the index" not in done.stderr
    assert "the facts are of" not in done.stderr
