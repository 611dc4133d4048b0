"""Builds `cudafit.pyz`: cudafit, its facts and all that it needs in one file for any Python from 3.10 on.

    python packages/pyz/build.py FOLDER

What cudafit needs comes from the package index, in the versions that run with Python 3.10. Compiled modules are left
out, as each has a twin in Python; uv is left out whole, and `cudafit.cli.main` says so where it is wanted.
The same files give the same bytes.
"""

import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement

TOP = Path(__file__).resolve().parent.parent.parent
OLDEST = "3.10"
LEFT_OUT = {"uv"}  # a program
_COMPILED = {".so", ".pyd", ".dylib", ".pyc"}
_OF_THE_INSTALLATION = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}
_DAY = (1980, 1, 1, 0, 0, 0)


def needed_files() -> Iterator[tuple[str, bytes]]:
    """All that cudafit needs, in the versions for the oldest Python; compiled modules are left out."""
    wanted = [one for one in requires("cudafit") or () if Requirement(one).name not in LEFT_OUT]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-config", "--only-binary", ":all:"]
        command += ["--target", folder, "--python-version", OLDEST, "--python-platform", "linux"]
        subprocess.run([*command, *(one for one in wanted if "extra" not in one)], check=True)
        for path in Path(folder).rglob("*"):
            name = path.relative_to(folder).as_posix()
            left_out = path.suffix in _COMPILED or path.name in _OF_THE_INSTALLATION or name.startswith(("bin/", "."))
            if path.is_file() and not left_out:
                yield name, path.read_bytes()


def own_files() -> Iterator[tuple[str, bytes]]:
    """Those of the wheel, with the facts compiled."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        subprocess.run(command, cwd=TOP, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if not name.endswith("/RECORD") and ".data/" not in name:  # manual pages are for folders of a system
                    yield name, archive.read(name)


def packed(files: dict[str, bytes], method: int) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method, compresslevel=9) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _DAY), files[name], method)
    return target.getvalue()


def build() -> bytes:
    content = packed({**dict(needed_files()), **dict(own_files())}, zipfile.ZIP_DEFLATED)
    start = (Path(__file__).parent / "start.py").read_text(encoding="utf-8")
    start = start.replace("@KEY@", hashlib.sha256(content).hexdigest()[:32])
    # In a zip of its own: Python reads the list of a zip that it starts from anew each time.
    outer = {"__main__.py": start.encode(), "content.zip": content}
    return b"#!/usr/bin/env python3\n" + packed(outer, zipfile.ZIP_STORED)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "cudafit.pyz"
    path.write_bytes(build())
    path.chmod(0o755)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
