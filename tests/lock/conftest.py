"""One world for all the tests of locks in a process."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.lock.world import World, world

Resolve = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def lock_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> str:
    """conda's packages in a folder, as a channel has them."""
    from tests.lock.channel import make  # noqa: PLC0415 - py-rattler, for the tests that have it

    return make(tmp_path_factory.mktemp("channel"))


@pytest.fixture
def conda_resolve(cudafit: Run, lock_world: World, channel: str, folder: Path) -> Resolve:
    """`cudafit resolve` over that channel, in an empty folder."""

    def run(*words: str, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        given = {"CUDAFIT_CONDA_CHANNEL": channel, **(env or {})}
        return cudafit("resolve", *words, "--matrix", str(lock_world.matrix), "--python", "3.12", env=given)

    return run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in."""
    place = tmp_path / "project"
    place.mkdir()
    monkeypatch.chdir(place)
    return place
