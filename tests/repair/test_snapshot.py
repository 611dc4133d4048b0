"""What a snapshot holds, and what it does where a file system cannot do something."""

import errno
import fcntl
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from cudafit.repair.manifest import Manifest, compare, manifest_of, read_manifest, write_manifest
from cudafit.repair.snapshot import LINKED_FROM, take_snapshot
from cudafit.repair.walk import walk
from cudafit.system.folders import open_folder
from tests.repair.trees import LARGE, change_env, make_env, reading

PACKAGES = "lib/python3.12/site-packages"


@pytest.fixture
def env(tmp_path: Path) -> Path:
    return make_env(tmp_path / "env")


def take(env: Path) -> Path:
    tree = env.parent / "tree"
    found = walk(str(env))
    assert found.problems == ()
    manifest = take_snapshot(str(env), found.entries, str(tree))
    assert manifest == manifest_of(found)
    return tree


def test_the_same_tree(env: Path) -> None:
    assert LARGE >= LINKED_FROM
    assert reading(take(env)) == reading(env)


def test_extended_attributes(env: Path) -> None:
    for place in (env / "pyvenv.cfg", env / "bin"):
        try:
            os.setxattr(place, "user.note", b"value")
        except OSError as error:
            pytest.skip(f"no extended attributes here: {error.strerror}")
    tree = take(env)
    assert os.getxattr(tree / "pyvenv.cfg", "user.note") == b"value"
    assert os.getxattr(tree / "bin", "user.note") == b"value"


def test_pipes_and_sockets_are_linked(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(env)
    os.mkfifo("pipe", 0o640)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        tree = take(env)
    assert (tree / "pipe").samefile(env / "pipe")
    assert (tree / "socket").samefile(env / "socket")
    assert reading(tree) == reading(env)


def test_owners_are_kept(env: Path) -> None:
    try:
        for place in (env / "pyvenv.cfg", env / "bin", env / "bin/python", env / PACKAGES / "lib1.so"):
            os.chown(place, 12, 34, follow_symlinks=False)
    except PermissionError:
        pytest.skip("only root can give files away")
    tree = take(env)
    for name in ("pyvenv.cfg", "bin", "bin/python", f"{PACKAGES}/lib1.so"):
        status = (tree / name).lstat()
        assert (status.st_uid, status.st_gid) == (12, 34)


@pytest.mark.parametrize("number", [errno.EPERM, errno.EMLINK, errno.EXDEV, errno.EOPNOTSUPP])
def test_what_cannot_be_linked_is_copied(env: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(source: str, target: str, **_: Any) -> None:
        raise OSError(number, os.strerror(number), source)

    monkeypatch.setattr(os, "link", link)
    tree = take(env)
    assert reading(tree) == reading(env)
    assert not (tree / PACKAGES / "lib1.so").samefile(env / PACKAGES / "lib1.so")


def test_blocks_are_shared_where_the_file_system_can(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FICLONE as a file system with reflinks does it: the bytes are there, in a file of its own."""
    asked = []

    def ioctl(target: int, request: int, source: int) -> int:
        asked.append(request)
        os.write(target, os.pread(source, 1 << 20, 0))
        return 0

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    tree = take(env)
    assert asked == [0x40049409] * 3  # two names of one file are one clone and one link
    assert reading(tree) == reading(env)
    assert not (tree / PACKAGES / "lib1.so").samefile(env / PACKAGES / "lib1.so")
    assert (tree / PACKAGES / "lib0.so").samefile(tree / PACKAGES / "lib0.so.1")


def test_what_vanishes_meanwhile_was_never_there(env: Path) -> None:
    found = walk(str(env))
    (env / "bin/tool").unlink()
    (env / PACKAGES / "lib1.so").unlink()
    (env / "share/empty/deep").rmdir()
    (env / "bin/nowhere").unlink()
    tree = env.parent / "tree"
    manifest = take_snapshot(str(env), found.entries, str(tree))
    assert "bin/tool" not in manifest.items
    assert f"{PACKAGES}/lib1.so" not in manifest.items
    assert compare(manifest, walk(str(tree))).lost == ()


def test_a_file_that_is_written_meanwhile_is_read_again(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, writes = os.read, [b"second\n", b"third\n"]

    def read(descriptor: int, size: int) -> bytes:
        data = real(descriptor, size)
        if data == b"home = /usr/bin\n" or data == b"second\n":
            (env / "pyvenv.cfg").write_bytes(writes.pop(0))
        return data

    monkeypatch.setattr(os, "read", read)
    tree = env.parent / "tree"
    take_snapshot(str(env), walk(str(env)).entries, str(tree))
    assert (tree / "pyvenv.cfg").read_bytes() == b"third\n"


def test_a_file_that_is_written_again_and_again(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.read

    def read(descriptor: int, size: int) -> bytes:
        with (env / "pyvenv.cfg").open("a") as file:
            file.write("more\n")
        return real(descriptor, size)

    monkeypatch.setattr(os, "read", read)
    (env / "pyvenv.cfg").write_text("x")
    with pytest.raises(OSError, match="again and again") as raised:
        take_snapshot(str(env), [one for one in walk(str(env)).entries if "/" not in one.path], f"{env.parent}/tree")
    assert raised.value.filename == f"{env}/pyvenv.cfg"


def test_a_manifest_tells_every_kind_of_change(env: Path, tmp_path: Path) -> None:
    folder = open_folder(str(tmp_path))
    assert write_manifest(manifest_of(walk(str(env))), folder) == (tmp_path / "manifest.json").stat().st_size
    os.close(folder)
    manifest = read_manifest(str(tmp_path), "make it anew")
    assert manifest == manifest_of(walk(str(env)))
    assert compare(manifest, walk(str(env))) == compare(Manifest({}), walk_nothing())
    change_env(env)
    found = compare(manifest, walk(str(env)))
    assert found.lost == (
        *("bin/python", "lib/python3.12/site-packages/new", "lib/python3.12/site-packages/new/lib.so"),
        *("lib/python3.12/site-packages/new/link", "lib/python3.12/site-packages/small2.py", "lib64"),
        *("share/empty/deep", "share/sealed/file"),
    )
    assert found.written == (f"{PACKAGES}/lib1.so", f"{PACKAGES}/small1.py", "pyvenv.cfg")
    assert found.modes == ("bin/tool", f"{PACKAGES}/lib2.so", "share/sealed")
    assert "share/empty" in found.times


def walk_nothing() -> Any:
    return type("Nothing", (), {"entries": ()})()
