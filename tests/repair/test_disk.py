"""A disk that is full: before, while the snapshot is taken, and while the change is made."""

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from cudafit.errors import CudafitError
from cudafit.repair.journal import interrupted
from cudafit.repair.rollback import recover, roll_back
from cudafit.repair.room import room_needed
from cudafit.repair.transaction import RolledBack, transaction
from tests.repair.chaos import killed, silent
from tests.repair.mounts import mounted
from tests.repair.trees import beside, change_env, make_env, reading

MIB = 1 << 20


@pytest.fixture
def env(tmp_path: Path) -> Iterator[Path]:
    """On a disk of 8 MiB."""
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=8m,nr_inodes=2000", "tmpfs") as disk:
        yield make_env(disk / ".venv")


def fill(folder: Path, but: int = 0) -> None:
    """All but so many bytes are taken."""
    room = os.statvfs(folder)
    with (folder / "filler").open("wb", buffering=0) as file:
        left = room.f_bavail * room.f_frsize - but
        while left > 0:
            left -= file.write(b"x" * min(left, MIB))


def fill_with_files(folder: Path) -> None:
    """As many files as the file system can have."""
    (folder / "fillers").mkdir(exist_ok=True)
    with suppress(OSError):
        for number in itertools.count(os.statvfs(folder).f_files):
            (folder / f"fillers/{number}").touch()


def test_what_a_snapshot_needs_is_known_before(env: Path) -> None:
    needed = room_needed(str(env))
    assert needed.enough
    assert needed.env_files == 18
    assert needed.env_bytes > 3 * 200 << 10
    assert MIB < needed.bytes < 2 * MIB  # a spare MiB for cudafit's own files
    assert 6 * MIB < needed.free_bytes < 8 * MIB
    before = os.statvfs(env).f_bfree
    with transaction(str(env), reason="repair"):
        taken = (before - os.statvfs(env).f_bfree) * os.statvfs(env).f_frsize
    assert taken <= needed.bytes
    fill(env.parent)
    assert not room_needed(str(env)).enough


def test_no_room_is_said_before_with_numbers(env: Path) -> None:
    old = reading(env)
    fill(env.parent, but=600 << 10)
    change = transaction(str(env), reason="repair")
    with pytest.raises(CudafitError, match=r"there is no room to change `.*` safely") as raised, change:
        pytest.fail("it was let in")
    (cause,) = raised.value.cause
    assert cause.startswith("a snapshot takes 1.1 MiB for 44 small files and folders; ")
    assert cause.endswith(f" KiB are free in `{env.parent}`")
    assert reading(env) == old
    assert not beside(env).exists()


@pytest.mark.parametrize("left", [0, 8 << 10, 40 << 10])
def test_a_disk_that_fills_while_the_snapshot_is_taken(env: Path, left: int, monkeypatch: pytest.MonkeyPatch) -> None:
    old = reading(env)
    monkeypatch.setattr("cudafit.repair.transaction.check_room", lambda *_: fill(env.parent, but=left))
    change = transaction(str(env), reason="repair")
    with (
        pytest.raises(CudafitError, match=r"`.*` could not be kept, so it was not changed") as raised,
        change,
    ):
        pytest.fail("it was let in")
    assert raised.value.cause[0].startswith("No space left on device")
    assert " are free" in raised.value.cause[1]
    assert raised.value.hint == "free some space, then try again"
    assert reading(env) == old
    assert not beside(env).exists()


def test_a_disk_that_fills_while_the_change_is_made(env: Path) -> None:
    old = reading(env)

    def act() -> None:
        change_env(env)
        (env / "more").write_bytes(b"x" * 9 * MIB)

    with pytest.raises(RolledBack) as raised, transaction(str(env), reason="repair"):
        act()
    assert raised.value.cause[0].startswith("No space left on device")
    assert reading(env) == old
    assert interrupted(str(env)) is None
    assert os.listdir(env.parent) == [".venv"]


@pytest.mark.parametrize("what", ["bytes", "files"])
def test_going_back_from_a_finished_change_needs_no_room(env: Path, what: str) -> None:
    old = reading(env)
    with transaction(str(env), reason="repair"):
        change_env(env)
    new = reading(env)
    no_room = fill if what == "bytes" else fill_with_files
    no_room(env.parent)
    roll_back(str(env), say=silent)
    assert reading(env) == old
    assert interrupted(str(env)) is None
    no_room(env.parent)
    roll_back(str(env), say=silent)  # and again the other way
    assert reading(env) == new


@pytest.mark.parametrize("what", ["bytes", "files"])
def test_without_room_set_aside_it_is_said_and_nothing_is_changed(env: Path, what: str) -> None:
    with transaction(str(env), reason="repair"):
        change_env(env)
    new = reading(env)
    shutil.rmtree(beside(env) / "reserve")
    (fill if what == "bytes" else fill_with_files)(env.parent)
    with pytest.raises(CudafitError, match="could not be brought back") as raised:
        roll_back(str(env), say=silent)
    assert raised.value.cause[0].startswith("No space left on device")
    assert reading(env) == new
    assert interrupted(str(env)) is None
    assert os.listdir(beside(env) / "generations") == ["1"]


def test_recovery_needs_no_room(env: Path) -> None:
    old = reading(env)

    def die() -> None:
        with transaction(str(env), reason="repair"):
            change_env(env)
            fill(env / "bin")
            os.kill(os.getpid(), 9)

    assert killed(die)
    fill(env.parent)
    assert interrupted(str(env)) is not None
    recover(str(env), say=silent)
    assert reading(env) == old
