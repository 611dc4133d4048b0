"""The locks of a machine with driver 580, from the package index, for real."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Run

pytestmark = [
    pytest.mark.online,
    pytest.mark.slow,
    pytest.mark.usefixtures("package_index"),
    pytest.mark.skipif(importlib.util.find_spec("uv") is None, reason="uv is not installed"),
]


def test_torch_and_numpy_are_accepted_by_uv_and_pip(
    cudafit: Run, folder: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    words = ("torch", "numpy", "--gpu", "A100", "--driver", "580.65.06", "--glibc", "2.28", "--python", python)
    outputs = ("requirements.txt", "pylock.toml", "environment.yml", "Dockerfile")
    done = cudafit("resolve", *words, *(word for one in outputs for word in ("-o", one)))
    assert done.returncode == 0, done.stderr
    env = {**os.environ, "HOME": environ["HOME"]}
    uv = [sys.executable, "-m", "uv", "pip"]
    place = str(tmp_path / "env")
    subprocess.run([sys.executable, "-m", "venv", place], check=True, timeout=300)
    there = f"{place}/bin/python"
    for command in (
        [*uv, "install", "--python", there, "--dry-run", "--require-hashes", "-r", "requirements.txt"],
        [*uv, "sync", "--python", there, "--dry-run", "pylock.toml"],
        [there, "-m", "pip", "install", "--dry-run", "--require-hashes", "-r", "requirements.txt"],
    ):
        ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=900, check=False)
        assert ran.returncode == 0, ran.stderr
        assert "torch" in ran.stdout + ran.stderr
    answer = json.loads(cudafit("resolve", *words, "--json").stdout)
    text = Path("requirements.txt").read_text()
    for pick in answer["picks"]:
        assert f"{pick['name']}=={pick['version']} \\\n    --hash=sha256:" in text
    assert "://" not in text, "the default index is spelt nowhere"
    for name in outputs[:3]:
        assert cudafit("resolve", *words, "--check", "-o", name).returncode == 0
