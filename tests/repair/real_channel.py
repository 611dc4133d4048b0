"""A conda channel of real content: this Python as a package, and wheels repackaged, as tar and bzip2."""

import hashlib
import io
import json
import os
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.lock.channel import write

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
SITE = f"lib/python{PYTHON}/site-packages"
# What a Python needs not: tests, and packages of whoever uses it.
_LEFT_OUT = re.compile(rf"(^|/)(test|tests|__pycache__|idlelib|tkinter|turtledemo)(/|$)|^{SITE}/(?!pip(-|/))|\.a$")
Content = tuple[str, bytes, int, str | None]  # path, bytes, mode, target of a link


class Channel:
    """Packages are added one by one; `finish` writes the lists."""

    def __init__(self, folder: Path, subdir: str) -> None:
        self.folder = folder
        self.subdir = subdir
        self.listed: dict[str, dict[str, Any]] = {"noarch": {}, subdir: {}}
        (folder / subdir).mkdir(parents=True)

    def add(self, index: dict[str, Any], files: Iterator[Content], placeholder: str | None = None) -> None:
        name = f"{index['name']}-{index['version']}-{index['build']}.tar.bz2"
        index = {"build_number": 0, "constrains": [], "subdir": self.subdir, "license": "MIT", **index}
        path = self.folder / self.subdir / name
        paths = []
        with tarfile.open(path, "w:bz2", compresslevel=1) as archive:
            for inside, content, mode, target in files:
                paths.append(_entry(inside, content, target, placeholder))
                _put(archive, inside, content, mode, target)
            told = {"paths_version": 1, "paths": paths}
            _put(archive, "info/paths.json", json.dumps(told).encode())
            _put(archive, "info/files", "".join(f"{one['_path']}\n" for one in paths).encode())
            _put(archive, "info/index.json", json.dumps(index).encode())
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self.listed[self.subdir][name] = {**index, "sha256": digest, "size": path.stat().st_size}

    def finish(self) -> str:
        return write(self.folder, self.listed)


def _entry(path: str, content: bytes, target: str | None, placeholder: str | None) -> dict[str, Any]:
    if target is not None:
        return {"_path": path, "path_type": "softlink"}
    entry = {"_path": path, "path_type": "hardlink", "sha256": hashlib.sha256(content).hexdigest()}
    if placeholder and placeholder.encode() in content and b"\0" not in content:
        entry |= {"prefix_placeholder": placeholder, "file_mode": "text"}
    return {**entry, "size_in_bytes": len(content)}


def _put(archive: tarfile.TarFile, path: str, content: bytes, mode: int = 0o644, target: str | None = None) -> None:
    info = tarfile.TarInfo(path)
    info.mode = mode
    if target is not None:
        info.type, info.linkname = tarfile.SYMTYPE, target
        archive.addfile(info)
        return
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def this_python() -> Iterator[Content]:
    base = Path(sys.base_prefix)
    for folder, folders, names in os.walk(base):
        folders.sort()
        for name in sorted([*names, *(one for one in folders if os.path.islink(os.path.join(folder, one)))]):
            path = Path(folder, name)
            inside = path.relative_to(base).as_posix()
            if _LEFT_OUT.search(inside) or not inside.startswith(("bin/", "lib/", "include/")):
                continue
            if path.is_symlink():
                yield inside, b"", 0o777, os.readlink(path)
            else:
                yield inside, path.read_bytes(), path.stat().st_mode & 0o777, None


def of_wheel(wheel: Path, installer: str = "conda") -> Iterator[Content]:
    with zipfile.ZipFile(wheel) as archive:
        for item in archive.infolist():
            if not item.is_dir() and ".data/" not in item.filename:
                mode = item.external_attr >> 16 & 0o777 or 0o644
                yield f"{SITE}/{item.filename}", archive.read(item), mode, None
                if item.filename.endswith(".dist-info/METADATA"):
                    info = item.filename.rpartition("/")[0]
                    yield f"{SITE}/{info}/INSTALLER", f"{installer}\n".encode(), 0o644, None


def add_python(channel: Channel) -> None:
    version = ".".join(map(str, sys.version_info[:3]))
    index = {"name": "python", "version": version, "build": "h0_cpython", "depends": []}
    channel.add(index, this_python(), sys.base_prefix)


def add_wheels(channel: Channel, wheels: Sequence[Path]) -> None:
    """torch as conda calls it; the others under their own names, each needing Python alone but torch all of them."""
    named = {wheel: wheel.name.split("-")[0].lower().replace("_", "-") for wheel in wheels}
    for wheel, name in named.items():
        version = wheel.name.split("-")[1].partition("%2B")[0].partition("+")[0]
        needs = [other for other in named.values() if other != "torch"] if name == "torch" else []
        index = {
            "name": "pytorch" if name == "torch" else name,
            "version": version,
            "build": "cpu_generic_0" if name == "torch" else "0",
            "depends": [f"python >={PYTHON},<{PYTHON}.99", *needs],
        }
        channel.add(index, of_wheel(wheel))
