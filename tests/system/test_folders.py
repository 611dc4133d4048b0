"""Folders of cudafit's own: which are taken, and how they are emptied."""

import os
import resource
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cudafit.system import folders
from cudafit.system.folders import UntrustedError, make_file, make_own, open_folder, open_own, read_own, remove_tree
from tests.repair.mounts import mounted
from tests.repair.trees import make_env, reading

NOBODY = 65534


@contextmanager
def descriptor(folder: Path) -> Iterator[int]:
    found = open_folder(str(folder))
    try:
        yield found
    finally:
        os.close(found)


def remove(path: Path) -> None:
    with descriptor(path.parent) as at:
        remove_tree(path.name, at)


def test_one_that_is_made_is_ours(tmp_path: Path) -> None:
    with descriptor(tmp_path) as at:
        os.close(make_own("own", at))
        os.close(make_own("own", at))
    assert stat.S_IMODE((tmp_path / "own").stat().st_mode) == 0o700


def link(place: Path) -> None:
    (place.parent / "elsewhere").mkdir(mode=0o700)
    place.symlink_to("elsewhere")


def readable(place: Path) -> None:
    place.mkdir(mode=0o750)
    place.chmod(0o750)


def given_away(place: Path) -> None:
    place.mkdir(mode=0o700)
    try:
        os.chown(place, NOBODY, NOBODY)
    except PermissionError:
        pytest.skip("only root can give a folder away")


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (link, "it is a link to `elsewhere`"),
        (Path.touch, "it is not a folder"),
        (os.mkfifo, "it is not a folder"),
        (readable, "its mode is 0750, so that others may have written in it"),
        (given_away, "it belongs to "),
    ],
)
def test_one_that_is_not_ours_is_not_opened(build: Callable[[Path], None], reason: str, tmp_path: Path) -> None:
    build(tmp_path / "own")
    with descriptor(tmp_path) as at:
        for take in (make_own, open_own):
            with pytest.raises(UntrustedError) as caught:
                take("own", at)
            assert (caught.value.strerror or "").startswith(reason)


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("mine")
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "nowhere").symlink_to("not there")
    with descriptor(tmp_path) as at:
        for name in ("target", "link", "nowhere", "new"):
            make_file(name, b"ours", at)
    assert (tmp_path / "target").read_text() == "mine"
    assert not (tmp_path / "not there").exists()
    assert (tmp_path / "new").read_text() == "ours"


@pytest.mark.parametrize("kind", ["link", "fifo", "large"])
def test_what_cannot_be_a_file_of_ours_is_not_read(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    if kind == "link":
        (tmp_path / "target").write_text("{}")
        path.symlink_to("target")
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.write_bytes(b"x" * 101)
    with pytest.raises(OSError, match=r"symbolic links|plain file|larger than 100 bytes"):
        read_own(str(path), 100)


def test_a_file_of_terabytes_is_refused_by_its_size(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OSError, match="larger than"):
        read_own(str(tmp_path / "file"), 1 << 60 >> 21)  # a limit that could not be read into memory either


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 100)
    assert read_own(str(tmp_path / "file"), 100) == b"x" * 100


def test_a_tree_with_sealed_folders_is_removed(tmp_path: Path) -> None:
    env = make_env(tmp_path / "env")
    (env / "share/sealed").chmod(0)
    remove(env)
    assert not env.exists()


def test_removing_follows_no_link(tmp_path: Path) -> None:
    outside = make_env(tmp_path / "outside")
    before = reading(outside)
    env = make_env(tmp_path / "env")
    (env / "link").symlink_to(outside)
    remove(env)
    (tmp_path / "link").symlink_to(outside)
    remove(tmp_path / "link")
    assert reading(outside) == before
    assert not (tmp_path / "link").is_symlink()


def test_a_folder_that_is_exchanged_for_a_link_meanwhile_leads_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at an entry and its opening, as whoever may write around it could."""
    outside = make_env(tmp_path / "outside")
    before = reading(outside)
    env = make_env(tmp_path / "env")
    (env / "share/sealed").chmod(0o755)
    real = folders._open_to_empty

    def exchanged(name: str, at: int) -> int:
        if name == "sealed":
            (env / "share/sealed").rename(tmp_path / "was")
            (env / "share/sealed").symlink_to(outside)
        return real(name, at)

    monkeypatch.setattr(folders, "_open_to_empty", exchanged)
    with pytest.raises(OSError, match="sealed"):
        remove(env)
    assert reading(outside) == before
    monkeypatch.undo()
    remove(env)
    assert not env.exists()


def test_a_tree_deeper_than_there_are_descriptors_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "deep"
    path.mkdir()
    with descriptor(path) as at:
        here = os.dup(at)
        for _ in range(400):
            os.mkdir("d", dir_fd=here)
            make_file("f", b"x", here)
            below = open_folder("d", here)
            os.close(here)
            here = below
        os.close(here)
    few, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, most))
    try:
        remove(path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, most))
    assert not path.exists()


def test_another_file_system_inside_is_not_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "env/mine").mkdir(parents=True)
    with mounted(tmp_path / "env/mine", "-t", "tmpfs", "-o", "size=1m", "tmpfs") as place:
        (place / "file").write_text("x")
        with pytest.raises(OSError, match="another file system is mounted inside"):
            remove(tmp_path / "env")
        monkeypatch.setattr(folders, "mounts_below", lambda _: ())  # where there is no table of mounts
        with pytest.raises(OSError, match="another file system is mounted here"):
            remove(tmp_path / "env")
