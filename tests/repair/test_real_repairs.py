"""Real environments, broken as people break them, repaired from the package index and brought back byte by byte."""

import hashlib
import json
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run
from tests.machines import FOLDER
from tests.real_venv import PYTHON, for_cpu_torch, installed, made, with_cpu_torch

pytestmark = [pytest.mark.online, pytest.mark.slow, pytest.mark.usefixtures("package_index")]


def versions(env: Path) -> dict[str, str]:
    """As the environment's own Python tells."""
    told = "{d.name.lower(): d.version for d in m.distributions()}"
    code = f"import importlib.metadata as m, json; print(json.dumps({told}))"
    done = subprocess.run([env / "bin/python", "-I", "-B", "-c", code], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def tree_hash(root: Path) -> str:
    """Of every name, kind, mode, link and byte: written here anew, not by the code that is tested.

    Trees are of gigabytes: SHA-1 is several times as fast as SHA-256, and one buffer as a new one for each file.
    """
    total = hashlib.sha1()
    room = memoryview(bytearray(1 << 20))
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted([*folders, *files]):
            path = os.path.join(folder, name)
            told = os.lstat(path)
            total.update(f"{os.path.relpath(path, root)} {told.st_mode}".encode())
            if stat.S_ISLNK(told.st_mode):
                total.update(os.readlink(path).encode())
            elif stat.S_ISREG(told.st_mode):
                total.update(f"{told.st_size} {told.st_mtime_ns}".encode())
                with open(path, "rb", buffering=0) as file:
                    while size := file.readinto(room):
                        total.update(room[:size])
    return total.hexdigest()


def repaired(cudafit: Run, env: Path, machine: str) -> dict[str, Any]:
    done = cudafit("repair", str(env), "--yes", "--json", "--machine", str(FOLDER / f"{machine}.json"), timeout=900)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["status"] == "done"
    return told


def cause(cudafit: Run, env: Path, machine: str) -> str | None:
    done = cudafit("doctor", "--env", str(env), "--machine", str(FOLDER / f"{machine}.json"), "--json")
    found: str | None = json.loads(done.stdout)["cause"]
    return found


def back(cudafit: Run, env: Path) -> None:
    done = cudafit("rollback", str(env), "--yes", timeout=300)
    assert done.returncode == 0, done.stderr


@for_cpu_torch
def test_a_cpu_torch_becomes_a_cuda_torch_and_comes_back(cudafit: Run, tmp_path: Path) -> None:
    env = with_cpu_torch(tmp_path / "e", "numpy", "requests", "rich")
    had, before = versions(env), tree_hash(env)
    told = repaired(cudafit, env, "h100x8-580")
    now = versions(env)
    assert {name: now[name] for name in had if name != "torch"} == {name: had[name] for name in had if name != "torch"}
    assert {step["package"] for step in told["steps"]} == {name for name in now if now[name] != had.get(name)}
    code = "import torch; print(torch.version.cuda)"
    shown = subprocess.run([env / "bin/python", "-I", "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "13.0"
    assert cause(cudafit, env, "h100x8-580") is None
    back(cudafit, env)
    assert tree_hash(env) == before
    assert cause(cudafit, env, "h100x8-580") == "torch.cpu_wheel"


def test_tensorflow_cpu_becomes_the_gpu_build(cudafit: Run, tmp_path: Path) -> None:
    env = made(tmp_path / "e", "tensorflow-cpu==2.20.0", "rich")
    had, before = versions(env), tree_hash(env)
    repaired(cudafit, env, "rtx4090-550")
    now = versions(env)
    assert now["tensorflow"] == "2.20.0"
    assert "tensorflow-cpu" not in {name.replace("_", "-") for name in now}
    assert now["rich"] == had["rich"]
    assert cause(cudafit, env, "rtx4090-550") is None
    back(cudafit, env)
    assert tree_hash(env) == before


def test_jax_gets_its_plugin(cudafit: Run, tmp_path: Path) -> None:
    env = made(tmp_path / "e", "jax==0.10.2", "rich")
    had, before = versions(env), tree_hash(env)
    repaired(cudafit, env, "h100x8-580")
    now = versions(env)
    assert any(name.startswith(("jax-cuda", "jax_cuda")) for name in now)
    assert {name: now[name] for name in had} == had
    assert cause(cudafit, env, "h100x8-580") is None
    back(cudafit, env)
    assert tree_hash(env) == before


def test_a_cuda_torch_that_was_changed_by_hand(cudafit: Run, tmp_path: Path) -> None:
    """An older cuDNN, then a second dist-info: each is put right, and each repair can be undone."""
    env = made(tmp_path / "e", "torch==2.15.0", "rich")
    right = versions(env)
    installed(env, "--no-deps", "nvidia-cudnn-cu13==9.13.0.50")
    before = tree_hash(env)
    told = repaired(cudafit, env, "h100x8-580")
    assert [step["package"] for step in told["steps"]] == ["nvidia-cudnn-cu13"]
    assert versions(env) == right
    back(cudafit, env)
    assert tree_hash(env) == before
    repaired(cudafit, env, "h100x8-580")
    site = env / f"lib/python{PYTHON}/site-packages"
    shutil.copytree(site / "torch-2.15.0.dist-info", site / "torch-2.14.0.dist-info")
    metadata = site / "torch-2.14.0.dist-info/METADATA"
    metadata.write_text(metadata.read_text().replace("Version: 2.15.0", "Version: 2.14.0"))
    assert cause(cudafit, env, "h100x8-580") == "dist.duplicate_install"
    repaired(cudafit, env, "h100x8-580")
    assert sorted(one.name for one in site.glob("torch-*")) == ["torch-2.15.0.dist-info"]
    assert versions(env) == right


def test_the_same_set_from_the_kept_lock(cudafit: Run, tmp_path: Path) -> None:
    words = ("--machine", str(FOLDER / "h100x8-580.json"))
    first, second = tmp_path / "first", tmp_path / "second"
    done = cudafit("create", str(first), "jax==0.10.2", "rich", *words, timeout=900)
    assert done.returncode == 0, done.stderr
    again = cudafit("create", str(second), "--from", str(first / "pylock.cudafit.toml"), *words, timeout=900)
    assert again.returncode == 0, again.stderr
    assert versions(first) == versions(second)


def test_two_onnxruntimes_become_one(cudafit: Run, tmp_path: Path) -> None:
    env = made(tmp_path / "e", "onnxruntime-gpu==1.23.2")
    installed(env, "onnxruntime==1.23.2", "rich")
    had, before = versions(env), tree_hash(env)
    repaired(cudafit, env, "rtx4090-550")
    now = versions(env)
    assert {name for name in had if name not in now} == {"onnxruntime"}
    assert now["rich"] == had["rich"]
    code = "import onnxruntime as o; print('CUDAExecutionProvider' in o.get_available_providers())"
    shown = subprocess.run([env / "bin/python", "-I", "-B", "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "True"
    back(cudafit, env)
    assert tree_hash(env) == before
