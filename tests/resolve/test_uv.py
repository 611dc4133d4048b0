"""What is picked really resolves: uv compiles it, and its CUDA packages are those of the matrix."""

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cudafit.matrix.load import open_matrix
from cudafit.resolve.pins import requirements
from cudafit.resolve.versions import admits_any
from tests.conftest import Run

pytestmark = [
    pytest.mark.online,
    pytest.mark.slow,
    pytest.mark.usefixtures("package_index"),
    pytest.mark.skipif(importlib.util.find_spec("uv") is None, reason="uv is not installed"),
]
PLATFORMS = {"linux-x86_64": "x86_64-manylinux_2_28", "linux-aarch64": "aarch64-manylinux_2_28"}
Compile = Callable[..., dict[str, str]]


@pytest.fixture
def compile_(tmp_path: Path) -> Compile:
    """Package -> version, as uv resolves requirements for another machine."""

    def run(wanted: list[str], platform: str, python: str) -> dict[str, str]:
        command = [sys.executable, "-m", "uv", "pip", "compile", "-", "--no-annotate", "--no-header", "--quiet"]
        command += ["--python-version", python, "--python-platform", PLATFORMS[platform]]
        done = subprocess.run(
            command, input="\n".join(wanted), cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
        lines = [line.split(" ")[0] for line in done.stdout.splitlines() if "==" in line]
        return {re.sub(r"\[.*", "", name): version for name, _, version in (line.partition("==") for line in lines)}

    return run


def clashes(packages: dict[str, str]) -> list[str]:
    """Places that two of the packages would both fill."""
    places = open_matrix(environ={"HOME": str(Path.home())}).facts("places").places
    return [place.place for place in places if sum(package in packages for package in place.packages) > 1]


@pytest.mark.parametrize(
    ("wanted", "gpu", "driver", "platform", "python"),
    [
        (["torch"], "A100", "580.65.06", "linux-x86_64", "3.12"),
        (["torch"], "GH200", "580.65.06", "linux-aarch64", "3.12"),
        (["torch==2.9.*", "torchvision"], "A100", "550.54.15", "linux-x86_64", "3.11"),
        (["tensorflow"], "A100", "580.65.06", "linux-x86_64", "3.12"),
        (["jax"], "A100", "535.183.01", "linux-x86_64", "3.12"),
        (["jax"], "V100", "535.183.01", "linux-x86_64", "3.11"),
        (["jax"], "GTX 980", "535.183.01", "linux-x86_64", "3.12"),
        (["jax", "tensorflow"], "A100", "580.65.06", "linux-x86_64", "3.12"),
        (["torch", "jax"], "A100", "580.65.06", "linux-x86_64", "3.12"),
        (["torch", "cupy", "onnxruntime-gpu"], "A100", "580.65.06", "linux-x86_64", "3.12"),
    ],
)
def test_picks_on_the_default_index_resolve_to_the_libraries_of_the_matrix(
    cudafit: Run, compile_: Compile, wanted: list[str], gpu: str, driver: str, platform: str, python: str
) -> None:
    machine = ("--gpu", gpu, "--driver", driver, "--platform", platform, "--python", python)
    done = cudafit("resolve", *wanted, *machine, "--json")
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert {pick["index_name"] for pick in answer["picks"]} == {"pypi"}
    assert "--torch-backend" not in answer["command"]
    found = compile_(answer["command"][3:], platform, python)

    book = open_matrix(environ={"HOME": str(Path.home())})
    compared = 0
    for pick in answer["picks"]:
        assert found[pick["name"]] == pick["version"]
        (build,) = (
            row
            for row in book.builds(pick["name"])
            if (row.version, row.variant, row.index) == (pick["version"], pick["variant"], "pypi")
            and row.platform in (platform, "any")
        )
        for need in requirements(build, ["with-cuda"]):
            if need.name.startswith("nvidia-") and build.name != "cuda-toolkit":
                assert admits_any(need.specifier, found[need.name]), f"{need.name} {found[need.name]}"
                compared += 1
        if pick["cudnn"] and pick["cudnn"].count(".") == 3:
            assert pick["cudnn"] in (found.get("nvidia-cudnn-cu12"), found.get("nvidia-cudnn-cu13"))
    assert compared, "some CUDA packages were compared"
    for constraint in answer["constraints"]:
        name, _, bound = constraint["requirement"].partition("<")
        assert admits_any(f"<{bound}", found[name])
    assert clashes(found) == []


def test_what_a_package_solver_alone_makes_of_two_frameworks_is_broken_on_disk(compile_: Compile) -> None:
    """The reason for the rule: uv finds an answer in which two packages fill one folder with different files."""
    found = compile_(["torch==2.15.0", "tensorflow[and-cuda]==2.21.0"], "linux-x86_64", "3.12")
    assert {"nvidia/cudnn", "nvidia/nccl"} <= set(clashes(found))
