"""A Python of its own prefix that is in no environment, as in a container: its standard library is linked, its packages
are its own."""

import os
import shutil
import site
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repair.world import CPU, DEFAULT, PYTHON

_UV = [sys.executable, "-m", "uv"]


def bare_python(prefix: Path) -> Path:
    """Its interpreter, named as a distribution names it."""
    if any(path.endswith("dist-packages") for path in site.getsitepackages([sys.base_prefix])):
        pytest.skip("the Python of these tests is Debian's, which looks for packages of a prefix in other folders")
    real = Path(os.path.realpath(sys.executable))
    library = Path(os.__file__).resolve().parent
    own = prefix / "lib" / library.name
    (own / "site-packages").mkdir(parents=True)
    for one in library.iterdir():
        if one.name not in ("site-packages", "dist-packages", "EXTERNALLY-MANAGED"):
            (own / one.name).symlink_to(one)
    for one in real.parent.parent.glob("lib/libpython*"):
        (prefix / "lib" / one.name).symlink_to(one)
    (prefix / "bin").mkdir()
    python = prefix / "bin" / f"python{PYTHON}"
    shutil.copy2(real, python)
    for name in ("python3", "python"):
        (prefix / "bin" / name).symlink_to(python.name)
    return python


def site_of(prefix: Path) -> Path:
    return next(prefix.glob("lib/python3*/site-packages"))


def with_cpu_torch(prefix: Path, wheels: Path, *, into: Path | None = None) -> Path:
    """One with torch for the CPU, numpy and rich, none of them the newest; with `into` they lie below that prefix."""
    python = bare_python(prefix)
    put(python, wheels, dict(CPU), into=into or prefix)
    return python


def put(python: Path, wheels: Path, torch: dict[str, bytes], *, into: Path) -> None:
    wheels.mkdir(exist_ok=True)
    files = {**torch, **{name: data for one in DEFAULT.values() for name, data in one.items()}}
    for name, data in files.items():
        if not name.startswith("torch-2.99"):
            (wheels / name).write_bytes(data)
    command = [*_UV, "pip", "install", "--quiet", "--no-index", "--find-links", str(wheels), "--python", str(python)]
    words = ["--prefix", str(into), "torch", "numpy==2.1.0", "rich==13.9.4"]
    subprocess.run([*command, *words], check=True, timeout=120)
