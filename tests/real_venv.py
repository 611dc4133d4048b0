"""Real environments of the package index, for the tests that need them.

uv unpacks a wheel once, for all of them (`kept_wheels` in the conftest), and links its files: none may be written in
place.
"""

import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
UV = [sys.executable, "-m", "uv"]
# The CPU build that pip finds where these tests are written.
CPU_TORCH = "2.13.0"
for_cpu_torch = pytest.mark.skipif(PYTHON != "3.11", reason="the CPU build of torch that pip finds here is for 3.11")


def made(path: Path, *words: str) -> Path:
    """With these packages, as `uv pip install` takes them."""
    subprocess.run([*UV, "venv", "--quiet", "--python", sys.executable, path], check=True, timeout=120)
    if words:
        installed(path, *words)
    return path


def installed(path: Path, *words: str) -> None:
    command = [*UV, "pip", "install", "--quiet", "--python", str(path), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr


def uninstalled(path: Path, package: str) -> None:
    command = [*UV, "pip", "uninstall", "--quiet", "--python", str(path), package]
    subprocess.run(command, check=True, timeout=120)


def with_cpu_torch(path: Path, *words: str) -> Path:
    """The test is skipped where pip, which alone finds that build, does not find it."""
    return made(path, str(cpu_torch()), *words)


def cpu_torch() -> Path:
    """Its wheel, likewise."""
    wheel = _cpu_torch()
    if isinstance(wheel, str):
        pytest.skip(f"pip finds no CPU build of torch {CPU_TORCH} here: {wheel}")
    return wheel


@functools.cache
def _cpu_torch() -> Path | str:
    """Its wheel, or why there is none.

    It is kept between runs, for uv unpacks a file once for as long as it is the same one in the same place.
    """
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "cudafit-tests")
    wheels = f"torch-{CPU_TORCH}+cpu-cp{sys.version_info.major}{sys.version_info.minor}-*.whl"
    if found := sorted(kept.glob(wheels)):
        return found[0]
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept) as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        done = subprocess.run(
            [*command, f"torch=={CPU_TORCH}"], capture_output=True, text=True, timeout=900, check=False
        )
        fetched = sorted(Path(folder).glob(wheels)) if done.returncode == 0 else []
        if not fetched:
            return done.stderr.strip()[-200:] or "it finds another one"
        place = kept / fetched[0].name
        if not place.exists():  # another worker may have been quicker
            fetched[0].rename(place)
    return place
