"""What many tests need: the real command, in an environment that says nothing of the machine that the tests run on."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import fake_nvml

Run = Callable[..., "subprocess.CompletedProcess[str]"]

# What would change an answer if it were set where the tests run.
_FOREIGN = ("CUDA", "NVIDIA_", "SLURM_", "CONDA_", "MAMBA_", "UV_", "LD_LIBRARY_PATH", "NO_COLOR", "XDG_", "WSL_")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """This process's environment without what would change an answer, and with a home of the test's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    home = tmp_path / "home"
    home.mkdir()
    return {**kept, "HOME": str(home), "COLUMNS": "100"}


@pytest.fixture
def cudafit(environ: dict[str, str]) -> Run:
    """Runs the real command: `cudafit("inspect", "--json")`, its environment extended by `env`."""

    def run(
        *arguments: str, env: dict[str, str] | None = None, stdin: str = "", timeout: float = 60
    ) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "cudafit", *arguments]
        given = {**environ, **(env or {})}
        return subprocess.run(
            command, env=given, input=stdin, capture_output=True, text=True, timeout=timeout, check=False
        )

    return run


@pytest.fixture(scope="session")
def package_index() -> None:
    """Skips where the package index that pip is set up for does not answer."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir", "--dest"]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([*command, folder, "six"], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        pytest.skip(f"no package index answers here: {done.stderr.strip().splitlines()[-1][:200]}")


@pytest.fixture
def nvml(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """The variables under which the real command finds the test NVML that a spec describes."""
    if fake_nvml.compiler() is None:
        pytest.skip("the test NVML needs a C compiler (cc or gcc)")

    def variables(spec: str) -> dict[str, str]:
        made = fake_nvml.environment(spec, tmp_path / "nvml", {})
        return {name: made[name] for name in ("LD_LIBRARY_PATH", "FAKE_NVML")}

    return variables
