"""File systems of a test's own; where the machine lets nobody mount one, the test is skipped with its reason."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def _system(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except FileNotFoundError:
        pytest.skip(f"there is no `{command[0]}` here")
    if done.returncode != 0:
        pytest.skip(f"`{' '.join(command[:4])}`: {done.stderr.strip()}")


def can_mount() -> bool:
    """Whether there can be file systems of one's own here at all."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
        try:
            done = subprocess.run(command, capture_output=True, timeout=20, check=False)
        except FileNotFoundError:
            return False
        if done.returncode == 0:
            subprocess.run(["umount", "--lazy", folder], check=True)
        return done.returncode == 0


@contextmanager
def mounted(place: Path, *how: str) -> Iterator[Path]:
    """`mount HOW PLACE`, and away again."""
    place.mkdir(exist_ok=True)
    _system("mount", *how, str(place))
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """The folder as it is, mounted once more over itself, read-only."""
    with mounted(folder, "--bind", str(folder)):
        _system("mount", "-o", "remount,ro,bind", str(folder))
        yield


@contextmanager
def immutable(folder: Path) -> Iterator[None]:
    _system("chattr", "+i", str(folder))
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", str(folder)], check=True)
