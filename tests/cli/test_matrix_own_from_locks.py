"""`cudafit matrix update --from-locks --own`: anybody's lock, in the user's own layer."""

import json
import re
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.conftest import Run

FILE = "torchvision-0.24.1%2Bcpu-cp312-cp312-manylinux_2_28_x86_64.whl"
BASE = "https://download.pytorch.org/whl"


def lock(folder: Path, package: str, version: str, index: str, file: str) -> str:
    path = folder / "uv.lock"
    path.write_text(
        f'version = 1\n\n[[package]]\nname = "{package}"\nversion = "{version}"\n'
        f'source = {{ registry = "{BASE}/{index}" }}\n'
        f'wheels = [{{ url = "{BASE}/{index}/{file}", hash = "sha256:{"ab" * 32}" }}]\n'
    )
    return str(path)


def evidence(cudafit: Run) -> tuple[str, bool]:
    builds = json.loads(cudafit("matrix", "show", "torchvision", "0.24.1", "--json").stdout)["builds"]
    (row,) = [one for one in builds if (one["index"], one["platforms"]) == ("pytorch-cpu", ["linux-x86_64"])]
    return row["evidence"], row["verified"]


@pytest.mark.slow
def test_a_lock_confirms_a_row_and_revert_takes_it_back(cudafit: Run, tmp_path: Path) -> None:
    words = ("matrix", "update", "--own", "--from-locks", lock(tmp_path, "torchvision", "0.24.1+cpu", "cpu", FILE))
    before = evidence(cudafit)
    assert before == ("pairing", False)
    assert cudafit(*words, "--dry-run").returncode == 0
    assert evidence(cudafit) == before
    done = cudafit(*words)
    assert done.returncode == 0, done.stderr
    assert evidence(cudafit) == ("lock", True)
    again = cudafit(*words)
    assert "quoted files: 1 confirmed" in again.stderr
    forged = tmp_path / "forged.uv.lock"
    forged.write_text((tmp_path / "uv.lock").read_text().replace("ab" * 32, "cd" * 32))
    refused = cudafit("matrix", "update", "--own", "--from-locks", str(forged))
    assert refused.returncode == 1
    assert "neither is taken" in refused.stderr
    assert evidence(cudafit) == ("lock", True)
    assert cudafit("matrix", "revert").returncode == 0
    assert evidence(cudafit) == before


def test_a_hash_that_contradicts_what_is_known_is_refused(cudafit: Run, tmp_path: Path) -> None:
    file = "torch-2.9.1%2Bcu130-cp312-cp312-manylinux_2_28_x86_64.whl"
    path = lock(tmp_path, "torch", "2.9.1+cu130", "cu130", file)
    done = cudafit("matrix", "update", "--own", "--from-locks", path)
    assert done.returncode == 1
    assert f"sha256 {'ab' * 6}… by uv.lock@" in done.stderr
    assert cudafit("matrix", "list").stdout.count("+update.") == 0


@pytest.mark.slow
def test_what_conda_installed_confirms_a_build_and_is_kept_in_the_layer(cudafit: Run, tmp_path: Path) -> None:
    meta = tmp_path / "prefix" / "conda-meta"
    meta.mkdir(parents=True)
    names = {"name": "pytorch", "version": "2.99.0", "build": "cuda130_mkl_py312_h0_300"}
    stem = "-".join(names.values())
    url = f"https://conda.anaconda.org/conda-forge/linux-64/{stem}.conda"
    record = {
        **names,
        "subdir": "linux-64",
        "url": url,
        "sha256": "ab" * 32,
        "depends": ["libcudnn >=9.10.2.21,<10.0a0"],
    }
    (meta / f"{stem}.json").write_text(json.dumps(record))
    words = ("matrix", "update", "--own", "--from-locks", str(meta.parent))
    assert "quoted files: 1 added" in cudafit(*words).stderr
    found = cudafit("resolve", "torch==2.99.0", "--conda", "--gpu", "RTX 4090", "--driver", "580.65.06", "--json")
    assert json.loads(found.stdout)["picks"][0]["requirement"] == "pytorch=2.99.0=cuda130*"
    assert "quoted files: 1 confirmed" in cudafit(*words[:-1], str(meta)).stderr
    assert cudafit("matrix", "revert").returncode == 0
    (meta / f"{stem}.json").write_text("{")
    broken = cudafit(*words)
    assert broken.returncode == 2
    assert "cannot be read as a conda-meta folder" in broken.stderr


def day() -> str:
    today = datetime.now(timezone.utc)
    return f"{today.year}.{today.month}.{today.day}"


@pytest.mark.slow
def test_a_version_that_is_not_known_is_held_against_the_day_of_the_update(cudafit: Run, tmp_path: Path) -> None:
    words = ("torchvision==99", "--cpu", "--platform", "linux-x86_64", "--offline")
    days = {day()}
    path = lock(tmp_path, "torchvision", "0.24.1+cpu", "cpu", FILE)
    assert cudafit("matrix", "update", "--own", "--from-locks", path).returncode == 0
    after = re.search(r"the facts are of (\S+),", cudafit("resolve", *words).stderr)
    assert after
    assert after[1] in days | {day()}, "of this day, or of that on which the test began"
    assert f"+update.{after[1]}" in cudafit("matrix", "list").stdout
