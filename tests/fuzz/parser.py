"""What reads foreign text, and how it is given some."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cudafit.errors import CudafitError

Pump = tuple[str, str, str]  # what stands first, what is repeated, what stands last
Read = Callable[[bytes, Path], object]


@dataclass(frozen=True)
class Parser:
    """`read` is given the bytes and a folder of its own, and may raise nothing but `errors`.

    `words` are what its texts are made of, `pumps` what may take it longer than by length.
    """

    name: str
    read: Read
    seeds: Callable[[], Sequence[bytes]]
    words: str = ""
    pumps: tuple[Pump, ...] = ()
    errors: tuple[type[Exception], ...] = (CudafitError,)

    def tokens(self) -> list[bytes]:
        """The words, with `\\n`, `\\t` and `\\0` for what they stand for."""
        return [one.encode().decode("unicode_escape").encode("latin-1") for one in self.words.split()]


def text(read: Callable[[str], object]) -> Read:
    """Of a function of a text that somebody has decoded."""
    return lambda data, _: read(data.decode("utf-8", "replace"))


def binary(read: Callable[[bytes], object]) -> Read:
    return lambda data, _: read(data)


def file(name: str, read: Callable[[str], object]) -> Read:
    """Of a function of the path of a file."""

    def at(data: bytes, folder: Path) -> object:
        path = folder / name
        path.write_bytes(data)
        return read(str(path))

    return at


def folder(name: str, read: Callable[[str], object]) -> Read:
    """Of a function of a folder in which there is such a file."""

    def at(data: bytes, place: Path) -> object:
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return read(str(place))

    return at


def tree(files: Callable[[], dict[str, bytes]], name: str, read: Callable[[Path], object]) -> Read:
    """Of a function of the root of a tree, in which one file is another at each time."""

    def at(data: bytes, place: Path) -> object:
        root = place / "root"
        if not root.exists():
            for path, content in files().items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_bytes(content)
        (root / name).write_bytes(data)
        return read(root)

    return at


def name_of(path: str) -> str:
    """A path as part of the name of a parser."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", os.path.basename(path)).strip("-").lower()
