"""Real environments of the package index, for the tests that need them.

uv unpacks a wheel once, for all of them (`kept_wheels` in the conftest), and links its files: none may be written in
place.
"""

import subprocess
import sys
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
    """By pip, which alone finds that build; the test is skipped where it does not.

    Nothing is compiled, which would take longer than all the rest.
    """
    made(path)
    command = [sys.executable, "-m", "pip", "--python", str(path), "install", "--quiet", "--no-compile"]
    done = subprocess.run(
        [*command, f"torch=={CPU_TORCH}", *words], capture_output=True, text=True, timeout=900, check=False
    )
    if (
        done.returncode != 0
        or not (path / f"lib/python{PYTHON}/site-packages/torch-{CPU_TORCH}+cpu.dist-info").exists()
    ):
        pytest.skip(f"pip finds no CPU build of torch {CPU_TORCH} here: {done.stderr.strip()[-200:]}")
    return path
