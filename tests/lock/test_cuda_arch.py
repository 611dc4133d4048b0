"""`__cuda_arch` (CEP 46): over a channel with builds for 6.1, 7.5 and 8.9, no machine gets what its GPUs cannot run."""

import re
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import yaml

from cudafit.conda.solver import Question, solve
from cudafit.lock.conda_solve import virtual_of
from cudafit.lock.conda_virtual import overridden
from cudafit.model.fit import Target
from cudafit.system.toml import read_toml

rattler = pytest.importorskip("rattler", reason="py-rattler is not installed: pip install 'cudafit[conda]'")
pytest.importorskip("conda_lock", reason="conda-lock is not installed: pip install 'cudafit[conda]'")
Resolve = Callable[..., "subprocess.CompletedProcess[str]"]

DRIVER = ("--driver", "580.65.06")
SNAPSHOTS = Path(__file__).parents[1] / "machines"
MIXED = ("--gpu", "GTX 1080 Ti", "--gpu", "RTX 4090")
MACHINES = {
    "6.1": ("--gpu", "GTX 1080 Ti"),
    "7.5": ("--gpu", "sm_75"),
    "8.9": ("--gpu", "RTX 4090"),
}


@pytest.fixture
def resolve(conda_resolve: Resolve) -> Resolve:
    return partial(conda_resolve, "torch")


def solved_for(channel: str, cuda: str | None, arch: str | None, spec: str = "kernels") -> dict[str, str]:
    virtual = virtual_of(Target("linux-x86_64", "glibc 2.35", cuda, arch))
    (records,) = solve([Question((channel,), "linux-64", (spec,), virtual)])
    return {record.name: record.build if record.name == "kernels" else record.version for record in records}


@pytest.mark.parametrize(
    ("arch", "build", "newest"),
    [
        ("6.1", "cuda129_arch61_h0_0", "6.1"),
        ("7.0", "cuda129_arch61_h0_0", "6.1"),
        ("7.5", "cuda129_arch75_h0_1", "7.5"),
        ("8.6", "cuda129_arch75_h0_1", "7.5"),
        ("8.9", "cuda129_arch89_h0_2", "8.9"),
        ("12.0", "cuda129_arch89_h0_2", "8.9"),  # a version, and no number: 12.0 is more than 8.9
        (None, "cuda129_arch89_h0_2", "8.9"),  # nobody told: what was given to every machine before
    ],
)
def test_the_build_for_each_capability(channel: str, arch: str | None, build: str, newest: str) -> None:
    assert solved_for(channel, "13.0", arch) == {"kernels": build, "cuda-arch": newest}


def packages(path: str = "conda-lock.yml") -> dict[str, str]:
    return {row["name"]: row["url"].rpartition("/")[2] for row in yaml.safe_load(Path(path).read_text())["package"]}


def read_back(path: str) -> dict[str, str]:
    """By py-rattler, which reads conda-lock's format."""
    lock = rattler.LockFile.from_path(Path(path))
    (platform,) = lock.default_environment().platforms()
    return {one.name: str(one.location).rpartition("/")[2] for one in lock.default_environment().packages(platform)}


@pytest.mark.parametrize(
    ("machine", "arch"), [*((words, arch) for arch, words in MACHINES.items()), (MIXED, "6.1")], ids=str
)
def test_every_lock_has_the_build_for_the_least_gpu(resolve: Resolve, machine: tuple[str, ...], arch: str) -> None:
    files = ("conda-lock.yml", "explicit.txt", "pixi.toml")
    done = resolve("kernels", *machine, *DRIVER, *(word for name in files for word in ("-o", name)))
    assert done.returncode == 0, done.stderr
    built = f"kernels-1.0-cuda129_arch{arch.replace('.', '')}"
    assert packages()["kernels"].startswith(built)
    assert packages()["cuda-arch"] == f"cuda-arch-{arch}-h0.tar.bz2"
    assert read_back("conda-lock.yml") == packages()
    metadata = yaml.safe_load(Path("conda-lock.yml").read_text())["metadata"]
    assert f"__cuda=13.0 __cuda_arch={arch}" in metadata["custom_metadata"]["virtual_packages_linux-64"]
    assert f"/linux-64/{built}" in Path("explicit.txt").read_text()
    (platform,) = read_toml(Path("pixi.toml").read_text())["workspace"]["platforms"]
    assert platform["cuda"] == {"driver": "13.0", "arch": arch}
    assert platform["platform"] == "linux-64"
    assert platform["name"] != "linux-64"  # pixi refuses a table of that name
    as_locked = rattler.LockPlatform("p1", rattler.Subdir("linux-64"), [f"__cuda_arch={platform['cuda']['arch']}=0"])
    assert as_locked.virtual_packages == [f"__cuda_arch={arch}=0"]
    for name in files:
        assert f"GPUs from sm_{arch.replace('.', '')}" in Path(name).read_text()


def test_cudnn_stays_below_the_version_without_kernels(resolve: Resolve) -> None:
    files = ("conda-lock.yml", "explicit.txt", "environment.yml", "pixi.toml")
    done = resolve("libcudnn", *MIXED, *DRIVER, *(word for name in files for word in ("-o", name)))
    assert done.returncode == 0, done.stderr
    assert packages()["libcudnn"] == "libcudnn-9.10.2.21-h0_0.tar.bz2"
    assert "libcudnn-9.10.2.21" in Path("explicit.txt").read_text()
    assert "libcudnn<9.11" in Path("environment.yml").read_text()
    assert read_toml(Path("pixi.toml").read_text())["dependencies"]["libcudnn"] == "<9.11"
    newer = resolve("--gpu", "RTX 4090", *DRIVER, "-o", "conda-lock.yml")
    assert newer.returncode == 0, newer.stderr
    assert packages()["libcudnn"] == "libcudnn-9.13.1.26-h0_0.tar.bz2"


def test_the_least_of_several_machines(resolve: Resolve) -> None:
    machines = (SNAPSHOTS / f"{name}.json" for name in ("rtx4090-550", "gtx1080ti-535", "h200-580"))
    done = resolve("kernels", *(word for path in machines for word in ("--machine", str(path))), "-o", "pixi.toml")
    assert done.returncode == 0, done.stderr
    (platform,) = read_toml(Path("pixi.toml").read_text())["workspace"]["platforms"]
    assert platform["cuda"] == {"driver": "12.2", "arch": "6.1"}


def test_a_hidden_gpu_does_not_count(resolve: Resolve) -> None:
    done = resolve("kernels", "--machine", str(SNAPSHOTS / "mixed-1080ti-3090-580.json"), "-o", "conda-lock.yml")
    assert done.returncode == 0, done.stderr
    assert packages()["cuda-arch"] == "cuda-arch-7.5-h0.tar.bz2"  # of the 3090, 8.6


def test_without_a_gpu_there_is_none(resolve: Resolve) -> None:
    done = resolve("--cpu", "--platform", "linux-x86_64", "-o", "pixi.toml")
    assert done.returncode == 0, done.stderr
    platforms = read_toml(Path("pixi.toml").read_text())["workspace"]["platforms"]
    assert platforms == ["linux-64"]


# The user's own word.


@pytest.mark.parametrize(
    ("environ", "cuda", "arch"),
    [
        ({}, "13.0", "6.1"),
        ({"CONDA_OVERRIDE_CUDA_ARCH": "8.9"}, "13.0", "8.9"),
        ({"CONDA_OVERRIDE_CUDA_ARCH": ""}, "13.0", None),
        ({"CONDA_OVERRIDE_CUDA_ARCH": "sm_89"}, "13.0", "6.1"),  # not as conda takes it
        ({"CONDA_OVERRIDE_CUDA": "12.8"}, "12.8", "6.1"),
        ({"CONDA_OVERRIDE_CUDA": ""}, None, None),  # not without `__cuda`
        ({"CONDA_OVERRIDE_CUDA": "", "CONDA_OVERRIDE_CUDA_ARCH": "8.9"}, None, None),
    ],
)
def test_the_override(environ: dict[str, str], cuda: str | None, arch: str | None) -> None:
    virtual = virtual_of(Target("linux-x86_64", "glibc 2.35", "13.0", "6.1"))
    found, told = overridden(virtual, environ)
    assert dict(found).get("__cuda") == cuda
    assert dict(found).get("__cuda_arch") == arch
    assert bool(told) == bool(environ)
    assert all(re.search(r"CONDA_OVERRIDE_CUDA|__cuda_arch", line) for line in told)


def test_a_driver_without_a_gpu_that_is_told() -> None:
    assert "__cuda_arch" not in dict(virtual_of(Target("linux-x86_64", "glibc 2.35", "13.0", None)))
    assert "__cuda_arch" not in dict(virtual_of(Target("linux-x86_64", "glibc 2.35", "13.0", "6.1"), cuda=False))
