"""Repairs from uv's cache: nothing that lies there is downloaded again, and with it no index is needed."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run
from tests.machines import FOLDER
from tests.real_venv import for_cpu_torch, with_cpu_torch
from tests.repair.world import World, broken_env, world

# Nobody listens at the port of "discard", so with this proxy no index is reached.
CUT = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), "http://127.0.0.1:9") | {"NO_PROXY": "", "no_proxy": ""}


class Cached:
    """A world whose packages are in uv's cache, and an environment that was repaired once and is broken again."""

    def __init__(self, made: World, env: Path, cache: Path, cudafit: Run) -> None:
        self.world, self.env, self.cache, self._cudafit = made, env, cache, cudafit
        self._environ = {**made.env, "UV_CACHE_DIR": str(cache), "UV_HTTP_RETRIES": "0"}

    def repair(self, **environ: str) -> "subprocess.CompletedProcess[str]":
        words = ("repair", str(self.env), *self.world.words, "--yes", "--json")
        return self._cudafit(*words, env={**self._environ, **environ})


def told(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    shown: dict[str, Any] = json.loads(done.stdout)
    assert shown["status"] == "done"
    return shown


@pytest.fixture
def cached(cudafit: Run, tmp_path: Path) -> Iterator[Cached]:
    (tmp_path / "wheels").mkdir()
    env = broken_env(tmp_path / "e", tmp_path / "wheels")
    with world(tmp_path / "world") as made:
        one = Cached(made, env, tmp_path / "cache", cudafit)
        told(one.repair())
        assert cudafit("rollback", str(env), "--yes").returncode == 0
        yield one


def test_wheels_that_lie_in_the_cache_are_not_downloaded(cached: Cached) -> None:
    indexes = (cached.world.pytorch, cached.world.default)
    wheels = sum(len(content) for index in indexes for name in ("torch", "nvidia-cudnn-cu12")
                 for content in index.packages.get(name, {}).values())  # fmt: skip
    for index in indexes:
        index.sent = 0
    shown = told(cached.repair())
    assert {step["package"] for step in shown["steps"]} == {"torch", "nvidia-cudnn-cu12"}
    assert sum(index.sent for index in indexes) < wheels / 4


def test_without_an_index_the_cache_is_enough_and_that_is_said(cached: Cached) -> None:
    shown = told(cached.repair(**CUT))
    assert any("no index answers" in warning for warning in shown["warnings"])
    assert list(cached.env.glob("lib/python3*/site-packages/nvidia_cudnn_cu12-9.10.2.21.dist-info"))


def test_without_an_index_and_a_cache_the_index_is_the_reason(cached: Cached) -> None:
    shutil.rmtree(cached.cache)
    done = cached.repair(**CUT)
    assert done.returncode == 1
    assert "a package index did not deliver what is needed" in done.stderr


def _cut() -> str | None:
    """Why no program can be started without a network here."""
    if shutil.which("unshare") is None:
        return "there is no 'unshare' command"
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else "a network namespace of one's own needs root"


@pytest.mark.slow
@pytest.mark.online
@pytest.mark.usefixtures("package_index")
@pytest.mark.skipif(_cut() is not None, reason=_cut() or "")
@for_cpu_torch
def test_a_cuda_torch_comes_back_with_the_network_cut(cudafit: Run, environ: dict[str, str], tmp_path: Path) -> None:
    env = with_cpu_torch(tmp_path / "e", "numpy")
    words = ("repair", str(env), "--yes", "--json", "--machine", str(FOLDER / "h100x8-580.json"))
    told(cudafit(*words, timeout=900))
    assert cudafit("rollback", str(env), "--yes", timeout=300).returncode == 0
    command = ["unshare", "--net", sys.executable, "-P", "-m", "cudafit", *words]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=900, check=False)
    assert any("no index answers" in warning for warning in told(done)["warnings"])
