"""conda prefixes of real content: this Python, and torch from its wheel; broken as people break them, and repaired."""

import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.lock.world import CONDA, FACTS
from tests.machines import FOLDER
from tests.real_venv import for_cpu_torch
from tests.repair.conda_world import CondaWorld, conda_world
from tests.repair.real_channel import PYTHON, SITE, TORCH, Channel, add_python, add_wheels, cpu_wheels
from tests.repair.test_conda_create import intact, packages
from tests.repair.test_real_repairs import tree_hash
from tests.repair.trees import Reading, reading
from tests.repair.world import CPU as CPU_WHEELS
from tests.repair.world import DEFAULT, world

pytest.importorskip("rattler", reason="py-rattler is not installed: pip install 'cudafit[conda]'")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        (platform.system(), platform.machine()) != ("Linux", "x86_64"), reason="the channel is for Linux on x86_64"
    ),
]
MACHINE = ("--machine", str(FOLDER / "no-gpu.json"))
COMPUTE = "import torch; print(torch.__version__, int((torch.ones(3) + 1).sum()))"
KILLS = 60


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> CondaWorld:
    """Python alone."""
    folder = tmp_path_factory.mktemp("real")
    channel = Channel(folder / "conda-forge", "linux-64")
    add_python(channel)
    channel.finish()
    shutil.copytree(FACTS, folder / "matrix")
    (folder / "matrix/conda.yaml").write_text(CONDA)
    return CondaWorld(channel.folder, folder / "matrix")


@pytest.fixture(scope="module")
def with_torch(package_index: None, real: CondaWorld, tmp_path_factory: pytest.TempPathFactory) -> CondaWorld:
    """And torch for the CPU, with all that it needs."""
    wheels = cpu_wheels(tmp_path_factory.mktemp("wheels"))
    folder = tmp_path_factory.mktemp("torch")
    channel = Channel(folder / "conda-forge", "linux-64")
    add_python(channel)
    add_wheels(channel, wheels)
    channel.finish()
    return CondaWorld(channel.folder, real.matrix)


def computes(prefix: Path) -> str:
    done = subprocess.run(
        [prefix / "bin/python", "-I", "-B", "-c", COMPUTE], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or done.stderr


def test_this_python_as_a_package(cudafit: Run, real: CondaWorld, tmp_path: Path) -> None:
    prefix = tmp_path / "e"
    words = (f"python=={PYTHON}.*", "--python", PYTHON, *MACHINE, "--matrix", str(real.matrix))
    done = cudafit("create", "--prefix", str(prefix), *words, env=real.env, timeout=300)
    assert done.returncode == 0, done.stderr
    code = "import sys, ssl, sqlite3, json; print(sys.prefix)"
    shown = subprocess.run([prefix / "bin/python", "-I", "-c", code], capture_output=True, text=True, check=False)
    assert shown.stdout.strip() == str(prefix), shown.stderr
    pip = subprocess.run([prefix / "bin/pip", "--version"], capture_output=True, text=True, check=False)
    assert f"{prefix}/{SITE}/pip" in pip.stdout, pip.stderr
    intact_but_links(prefix)


def intact_but_links(prefix: Path) -> None:
    """Links have no hash; what Python compiled since is not listed."""
    for path in prefix.glob("conda-meta/*.json"):
        assert path.stat().st_size > 0
    assert packages(prefix)


def test_a_framework_of_pip_alone_is_repaired_as_in_a_venv(cudafit: Run, real: CondaWorld, tmp_path: Path) -> None:
    prefix = tmp_path / "e"
    asked = (f"python=={PYTHON}.*", "--python", PYTHON, *MACHINE, "--matrix", str(real.matrix))
    done = cudafit("create", "--prefix", str(prefix), *asked, env=real.env, timeout=300)
    assert done.returncode == 0, done.stderr
    for name, data in {**CPU_WHEELS, **DEFAULT["numpy"]}.items():
        (tmp_path / name).write_bytes(data)
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-index", "--find-links", str(tmp_path)]
    subprocess.run([*install, "--python", str(prefix), "torch==2.14.1+cpu", "numpy==2.1.0"], check=True, timeout=120)
    before = tree_hash(prefix)
    (tmp_path / "world").mkdir()
    with world(tmp_path / "world") as small:
        done = cudafit("repair", str(prefix), "--yes", *small.words, env=small.env, timeout=120)
    assert done.returncode == 0, done.stderr
    site = prefix / SITE
    assert sorted(one.name for one in site.glob("torch-*.dist-info")) == ["torch-2.14.1+cu126.dist-info"]
    assert sorted(one.name for one in site.glob("numpy-*.dist-info")) == ["numpy-2.1.0.dist-info"]
    back = cudafit("rollback", str(prefix), "--yes")
    assert back.returncode == 0, back.stderr
    assert tree_hash(prefix) == before


@pytest.mark.online
@for_cpu_torch
def test_torch_computes_is_broken_repaired_locked_and_brought_back(
    cudafit: Run, with_torch: CondaWorld, tmp_path: Path
) -> None:
    prefix, env = tmp_path / "e", with_torch.env
    words = (*MACHINE, "--matrix", str(with_torch.matrix))
    asked = ("torch", "numpy", "--cpu", "--python", PYTHON)
    done = cudafit("create", "--prefix", str(prefix), *asked, *words, env=env, timeout=600)
    assert done.returncode == 0, done.stderr
    assert computes(prefix) == f"{TORCH}+cpu 6"
    library = prefix / SITE / "torch/lib/libtorch_cpu.so"
    library.unlink()
    (prefix / SITE / "torch/functional.py").write_text("raise SystemExit\n")
    broken = tree_hash(prefix)
    assert "6" not in computes(prefix)
    machine = (*MACHINE, "--matrix", str(with_torch.matrix))
    repaired = cudafit("repair", "--conda", str(prefix), "--yes", *machine, env=env, timeout=600)
    assert repaired.returncode == 0, repaired.stderr
    assert computes(prefix) == f"{TORCH}+cpu 6"
    back = cudafit("rollback", str(prefix), "--yes", timeout=300)
    assert back.returncode == 0, back.stderr
    assert tree_hash(prefix) == broken
    forth = cudafit("rollback", str(prefix), "--yes", timeout=300)
    assert forth.returncode == 0, forth.stderr
    pip = [str(prefix / "bin/python"), "-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps"]
    subprocess.run([*pip, f"torch=={TORCH}"], check=True, timeout=600)
    seen = cudafit("doctor", "--env", str(prefix), "--json", *machine)
    assert "conda.pip_over_conda" in seen.stdout
    again = cudafit("repair", str(prefix), "--yes", *machine, env=env, timeout=600)
    assert again.returncode == 0, again.stderr
    assert computes(prefix) == f"{TORCH}+cpu 6"
    lock = tmp_path / "explicit.txt"
    done = cudafit("resolve", *asked, *words, "-o", str(lock), env=env)
    assert done.returncode == 0, done.stderr
    second = tmp_path / "second"
    done = cudafit("create", "--prefix", str(second), "--from", str(lock), *words, env=env, timeout=600)
    assert done.returncode == 0, done.stderr
    assert packages(second) == packages(prefix)
    assert computes(second) == f"{TORCH}+cpu 6"


def content(found: Reading) -> Reading:
    """Without times, the history and what tells when a package was linked."""
    kept = {name: value for name, value in found.items() if not name.startswith("conda-meta/history")}
    return {name: (value[0], value[-1] if value[0] != "folder" else None) for name, value in kept.items()}


def test_kill_9_of_a_repair_leaves_the_old_or_the_new_prefix(
    cudafit: Run, environ: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "c").mkdir()
    world = conda_world(tmp_path / "c")
    prefix = tmp_path / "e"
    done = cudafit("create", "--prefix", str(prefix), "torch", "rich", "--cpu", *world.words, env=world.env)
    assert done.returncode == 1, done.stderr
    old = reading(prefix)
    command = [sys.executable, "-m", "cudafit", "repair", str(prefix), "--yes", *world.words[:4], *world.words[-2:]]
    start = time.monotonic()
    subprocess.run(command, env={**environ, **world.env}, capture_output=True, check=True, timeout=60)
    took = time.monotonic() - start
    new = content(reading(prefix))
    assert cudafit("rollback", str(prefix), "--yes").returncode == 0
    found = {"old": 0, "new": 0}
    for trial in range(KILLS):
        victim = subprocess.Popen(
            command, env={**environ, **world.env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(random.uniform(0.3, 1.0) * took)
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        if list(tmp_path.glob(".cudafit-e/journal.json")) or not prefix.exists():
            back = cudafit("rollback", str(prefix), "--yes")
            assert back.returncode == 0, back.stderr
            assert reading(prefix) == old, f"trial {trial}"
        now = reading(prefix)
        which = "old" if now == old else "new"
        assert now == old or content(now) == new, f"trial {trial} is neither old nor new"
        found[which] += 1
        if which == "new":
            assert cudafit("rollback", str(prefix), "--yes").returncode == 0
            assert reading(prefix) == old
    assert found["old"] > 0, found


def test_a_hundred_starts_without_a_crash_at_exit(cudafit: Run, tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    world = conda_world(tmp_path / "c")
    codes = [
        cudafit("create", "--prefix", str(tmp_path / "e"), "torch", "--dry-run", *world.words, env=world.env).returncode
        for _ in range(100)
    ]
    assert codes == [0] * 100
    done = cudafit("create", "--prefix", str(tmp_path / "e"), "torch", *world.words, env=world.env)
    assert done.returncode == 0
    intact(tmp_path / "e")
