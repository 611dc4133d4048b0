"""A mirror or a channel that lacks the newest build: the next one that is there and fits is taken, and said."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.lock.world import DEFAULT, World, wheel, world
from tests.matrix.harvest.server import Index, serving
from tests.repair.conda_world import CondaWorld, conda_world

OLD = ("--gpu", "A100", "--driver", "580.65.06", "--glibc", "2.35", "--python", "3.11")


@pytest.fixture(scope="module")
def lacking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Whose default index has no torch of its own: what is on PyTorch's index is left."""
    packages = {**DEFAULT, "torch": dict([wheel("torch", "2.1.0")])}
    with world(tmp_path_factory.mktemp("world")) as made, serving(Index(packages)) as default:
        yield replace(made, default=default)


def test_a_mirror_without_the_newest_bounds_the_fit(
    cudafit: Run, lacking: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = (*OLD, "--matrix", str(lacking.matrix), "-o", "requirements.txt")
    shown = cudafit("resolve", "torch", *words[:-2])
    assert "2.15.0" in shown.stdout  # the facts alone know it
    done = cudafit("resolve", "torch", *words, env=lacking.env)
    assert done.returncode == 0, done.stderr
    assert "has no torch 2.15.0 (cu130), which the facts know: torch 2.14.1 (cu126) is the next" in done.stdout
    assert "torch-2.14.1%2Bcu126" in Path("requirements.txt").read_text()
    pinned = cudafit("resolve", "torch==2.15.0", *words, "--force", env=lacking.env)
    assert pinned.returncode == 1
    assert "has no torch 2.15.0 (cu130), which the facts know" in pinned.stderr


@pytest.mark.parametrize("asked", ["torch", "pytorch", "pytorch-gpu"])
def test_a_channel_without_the_newest_bounds_the_fit(
    cudafit: Run, channel: CondaWorld, tmp_path: Path, asked: str
) -> None:
    words = ("--prefix", str(tmp_path / "p"), asked, *OLD[:4], *channel.words, "--json")
    done = cudafit("create", *words, env=channel.env)
    assert done.returncode == 0, done.stderr
    text = "has no torch 2.13.0 (cu129), which the facts know: torch 2.12.0 (cu129) is the next"
    assert text in done.stderr
    assert text in "".join(json.loads(done.stdout)["notes"])
    versions = {one["name"]: one["version"] for one in json.loads(done.stdout)["packages"]}
    assert versions["pytorch"] == "2.12.0"
    assert ("pytorch-gpu" in versions) == (asked == "pytorch-gpu")


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> CondaWorld:
    """Whose newest pytorch is older than the newest that the facts know."""
    pytest.importorskip("rattler", reason="py-rattler is not installed: pip install 'cudafit[conda]'")
    made = conda_world(tmp_path_factory.mktemp("conda"), lambda add: add("pytorch-gpu", "2.12.0", "cuda129_h0"))
    path = made.channel / "linux-64" / "repodata.json"
    listed = json.loads(path.read_text())
    for table in ("packages", "packages.conda"):
        listed[table] = {name: one for name, one in listed[table].items() if not name.startswith("pytorch-2.13")}
    path.write_text(json.dumps(listed))
    for other in path.parent.glob("repodata.json.*"):
        other.unlink()
    return made


def test_a_conda_lock_is_of_what_the_channel_has(
    cudafit: Run, channel: CondaWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = cudafit("resolve", "torch", "--conda", *OLD[:4], *channel.words, "-o", "explicit.txt", env=channel.env)
    assert done.returncode == 0, done.stderr
    assert "torch 2.12.0 (cu129) is the next that is there and fits" in done.stdout
    assert "pytorch-2.12.0-cuda129" in Path("explicit.txt").read_text()
