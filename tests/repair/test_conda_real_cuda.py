"""conda prefixes with torch for CUDA, made of the package index's wheels: broken, repaired, and brought back."""

import platform
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.lock.world import FACTS
from tests.machines import FOLDER
from tests.real_venv import for_cpu_torch
from tests.repair.conda_world import CondaWorld
from tests.repair.real_channel import (
    PYTHON,
    SITE,
    TORCH,
    Channel,
    add_cuda_torch,
    add_python,
    add_wheels,
    cpu_wheels,
    cuda_torch,
)
from tests.repair.test_conda_create import packages, told
from tests.repair.test_real_repairs import tree_hash

pytest.importorskip("rattler", reason="py-rattler is not installed: pip install 'cudafit[conda]'")
pytestmark = [
    pytest.mark.xdist_group("conda-cuda"),  # the channel is large, so it is made once
    pytest.mark.online,
    pytest.mark.slow,
    pytest.mark.skipif(
        (platform.system(), platform.machine()) != ("Linux", "x86_64"), reason="the channel is for Linux on x86_64"
    ),
    for_cpu_torch,
]
CUDA = "13.0"  # of the torch that the package index has without a local version
OLDER, CUDA_12 = "2.10.0", "12.8"  # and of the last one there for CUDA 12
KERNELS = {CUDA: "sm_75 sm_80 sm_90", CUDA_12: "sm_75 sm_80 sm_90 sm_120"}
NO_GPU = ("--machine", str(FOLDER / "no-gpu.json"))
DRIVER_570 = ("--machine", str(FOLDER / "rtx5090-570.json"))
OLD_DRIVER = ("--machine", str(FOLDER / "rtx4090-550.json"))
GPU = ("--machine", str(FOLDER / "h100x8-580.json"))
ASKED = ("torch", "numpy", "--python", PYTHON)
CPU_BUILD = f"{TORCH} cpu_generic_0"
CUDA_BUILD = f"{TORCH} cuda130_generic_200"
COMPUTE = "import torch; print(torch.__version__, torch.version.cuda, int((torch.ones(3) + 1).sum()))"
COMPUTED = f"{TORCH}+cu130 {CUDA} 6"
# The packages, uv's cache of them, a prefix before and after a repair, and what the tests beside these fill.
ROOM = 35 << 30


@pytest.fixture(scope="module")
def channel(package_index: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Channel]:
    """This Python, and torch for the CPU and for two CUDAs, each with all that it needs."""
    folder = tmp_path_factory.mktemp("cuda")
    if shutil.disk_usage(folder).free < ROOM:
        pytest.skip(f"less than {ROOM >> 30} GiB are free at {folder}")
    (folder / "wheels").mkdir()
    wheels = cpu_wheels(folder / "wheels")
    made = Channel(folder / "conda-forge", "linux-64")
    add_python(made)
    add_wheels(made, wheels)
    for version, cuda in ((TORCH, CUDA), (OLDER, CUDA_12)):
        unpacked = cuda_torch(folder / "unpacked", version)
        add_cuda_torch(made, unpacked, cuda)
        shutil.rmtree(unpacked)  # 5 GB where uv's cache is on another file system
    made.finish()
    yield made
    shutil.rmtree(folder)


@pytest.fixture
def newest(channel: Channel, tmp_path: Path) -> CondaWorld:
    """Facts of the newest build alone."""
    return with_facts(channel, tmp_path, (TORCH, CUDA))


def with_facts(channel: Channel, folder: Path, *builds: tuple[str, str]) -> CondaWorld:
    shutil.copytree(FACTS, folder / "matrix")
    (folder / "matrix/conda.yaml").write_text("# conda.\n\nconda_builds:\n" + "".join(map(row, builds)))
    return CondaWorld(channel.folder, folder / "matrix")


def row(build: tuple[str, str]) -> str:
    version, cuda = build
    return (
        f"- {{feedstock: pytorch-cpu, version: {version}, cuda: {cuda}, platform: linux-x86_64, "
        f"kernels: {KERNELS[cuda]}, sources: doc}}\n"
    )


def computes(prefix: Path) -> str:
    """Without a GPU; the last line of the error where it does not."""
    done = subprocess.run(
        [prefix / "bin/python", "-I", "-B", "-c", COMPUTE], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def made(cudafit: Run, world: CondaWorld, prefix: Path, *words: str) -> Path:
    matrix = ("--matrix", str(world.matrix))
    done = cudafit("create", "--prefix", str(prefix), *ASKED, *words, *matrix, env=world.env, timeout=600)
    assert done.returncode == 0, done.stderr
    return prefix


def repaired(cudafit: Run, world: CondaWorld, prefix: Path) -> dict[str, tuple[str, str]]:
    """Package -> what was done, and why."""
    words = ("--yes", "--json", *GPU, "--matrix", str(world.matrix))
    done = cudafit("repair", "--conda", str(prefix), *words, env=world.env, timeout=600)
    assert done.returncode == 0, done.stderr
    return {step["package"]: (step["action"], step["why"]) for step in told(done, "repair-1")["steps"]}


def back(cudafit: Run, prefix: Path) -> None:
    done = cudafit("rollback", str(prefix), "--yes", timeout=300)
    assert done.returncode == 0, done.stderr


def test_the_cpu_build_without_a_gpu_becomes_the_cuda_build_with_one(
    cudafit: Run, newest: CondaWorld, tmp_path: Path
) -> None:
    prefix = made(cudafit, newest, tmp_path / "e", "pytorch-cpu", *NO_GPU)
    had, before = packages(prefix), tree_hash(prefix)
    assert had["pytorch"] == CPU_BUILD
    assert computes(prefix) == f"{TORCH}+cpu None 6"
    steps = repaired(cudafit, newest, prefix)
    assert steps.pop("pytorch") == ("replace", "torch.cpu_conda")
    assert steps.pop("pytorch-cpu") == ("remove", "asks for another build of pytorch")
    assert set(steps.values()) == {("install", "goes with pytorch")}
    now = packages(prefix)
    assert (now["pytorch"], now["cuda-version"]) == (CUDA_BUILD, f"{CUDA} h0")
    assert {name: now.get(name) for name in had if not name.startswith("pytorch")} == {
        name: build for name, build in had.items() if not name.startswith("pytorch")
    }
    assert computes(prefix) == COMPUTED
    back(cudafit, prefix)
    assert tree_hash(prefix) == before
    assert computes(prefix) == f"{TORCH}+cpu None 6"


def test_the_builds_for_no_gpu_and_for_a_driver_of_cuda_12(cudafit: Run, channel: Channel, tmp_path: Path) -> None:
    world = with_facts(channel, tmp_path, (OLDER, CUDA_12), (TORCH, CUDA))
    prefix = made(cudafit, world, tmp_path / "none", *NO_GPU)
    assert packages(prefix)["pytorch"] == CPU_BUILD
    assert computes(prefix) == f"{TORCH}+cpu None 6"
    shutil.rmtree(prefix)
    prefix = made(cudafit, world, tmp_path / "with", *DRIVER_570)
    assert packages(prefix)["pytorch"] == f"{OLDER} cuda128_generic_200"
    assert packages(prefix)["cuda-version"] == f"{CUDA_12} h0"
    assert computes(prefix) == f"{OLDER}+cu128 {CUDA_12} 6"


def test_the_cuda_build_is_broken_repaired_and_brought_back(cudafit: Run, newest: CondaWorld, tmp_path: Path) -> None:
    old = cudafit("create", "--prefix", str(tmp_path / "e"), *ASKED, *OLD_DRIVER, "--matrix", str(newest.matrix))
    assert (old.returncode, f"`torch {TORCH}+cu130` needs driver 580" in old.stderr) == (1, True)
    prefix = made(cudafit, newest, tmp_path / "e", "pytorch-gpu", *GPU)
    had, whole = packages(prefix), names(prefix)
    assert (had["pytorch"], had["pytorch-gpu"]) == (CUDA_BUILD, CUDA_BUILD)
    assert computes(prefix) == COMPUTED
    (prefix / SITE / "torch/lib/libtorch_cuda.so").unlink()
    (prefix / SITE / "nvidia/cusparselt/lib/libcusparseLt.so.0").unlink()
    library = prefix / SITE / "nvidia/cudnn/lib/libcudnn.so.9"
    content = library.read_bytes()
    library.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))  # of the same size: only the hash tells
    broken = tree_hash(prefix)
    assert computes(prefix).startswith("ImportError: libtorch_cuda.so: cannot open shared object file")
    steps = repaired(cudafit, newest, prefix)
    assert steps == dict.fromkeys(("cudnn", "cusparselt", "pytorch"), ("reinstall", "conda.files_damaged"))
    assert computes(prefix) == COMPUTED
    assert library.read_bytes() == content
    assert (packages(prefix), names(prefix)) == (had, whole)
    back(cudafit, prefix)
    assert tree_hash(prefix) == broken


def names(prefix: Path) -> set[str]:
    return {path.relative_to(prefix).as_posix() for path in prefix.rglob("*")}
