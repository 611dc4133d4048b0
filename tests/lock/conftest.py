"""One world for all the tests of locks in a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lock.world import World, world


@pytest.fixture(scope="session")
def lock_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in."""
    place = tmp_path / "project"
    place.mkdir()
    monkeypatch.chdir(place)
    return place
