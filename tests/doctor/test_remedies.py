"""No remedy makes things worse: each is applied on paper, and doctor looks again."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cudafit.doctor.diagnose import diagnose
from cudafit.doctor.paper import changed
from cudafit.doctor.remedy import drawbacks
from cudafit.doctor.world import World
from cudafit.model.finding import INFO, Finding, Fix, Report
from cudafit.model.machine import Machine
from tests.doctor.every_world import elsewhere, every_world
from tests.doctor.worlds import CU126, CU132, CUDA_LIBRARIES, FACTS, environment, machine, tensorflow, torch, tree
from tests.elf_files import library

_WITH_VALUE = ("--python", "--reinstall-package", "--torch-backend")


def told(commands: Sequence[Sequence[str]]) -> tuple[list[str], list[str]]:
    """What the commands that are shown install and remove, read from their words."""
    install: list[str] = []
    remove: list[str] = []
    for command in commands:
        words = list(command[3:])
        plain = [one for at, one in enumerate(words) if not one.startswith("-") and words[at - 1] not in _WITH_VALUE]
        if command[:3] == ("uv", "pip", "install"):
            install += plain
        elif command[:3] == ("uv", "pip", "uninstall"):
            remove += plain
    return install, remove


def tried(worlds: Iterator[tuple[str, World]]) -> tuple[Counter[str], list[tuple[str, str, list[str]]]]:
    count: Counter[str] = Counter()
    worse = []
    for name, world in worlds:
        found = diagnose(world).findings
        fixes = [one for one in found if one.severity != INFO and one.explained_by is None and is_of_packages(one.fix)]
        count["worlds"] += 1
        count["with a fix"] += bool(fixes)
        for one in fixes:
            assert one.fix
            now = changed(world, *told(one.fix.commands))
            if against := drawbacks(one, found, world, diagnose(now).findings, now):
                worse.append((name, one.id, against))
    return count, worse


def is_of_packages(fix: Fix | None) -> bool:
    return bool(fix and fix.automatic and fix.change)


def test_in_every_world_the_fix_makes_it_better(tmp_path: Path) -> None:
    count, worse = tried(every_world(tmp_path))
    assert worse == []
    assert count["with a fix"] >= 90, count


@pytest.mark.slow
def test_in_every_world_on_every_machine(tmp_path: Path) -> None:
    own = [(name, world) for name, world in every_world(tmp_path) if world.environment and world.environment.places]
    count, worse = tried(elsewhere(iter(own)))
    assert worse == []
    assert count["with a fix"] >= 2000, count


def seen(
    folder: Path, files: dict[str, str | bytes], dists: Sequence[str], on: Machine | None = None, **more: Any
) -> Report:
    made = environment(tree(folder / "e", files, dists, **more))
    return diagnose(World(on or machine(), made, FACTS))


def the(report: Report, name: str) -> Finding:
    return next(one for one in report.findings if one.id == name)


def fix(report: Report, name: str) -> Fix:
    found = the(report, name).fix
    assert found is not None
    return found


def shown(one: Fix) -> str:
    return " ".join(word for command in one.commands for word in command)


def test_onnxruntime_comes_in_place_of_the_build_for_the_cpu_and_for_the_cuda_of_the_driver(tmp_path: Path) -> None:
    """1.27 and later are for CUDA 13, which driver 550 does not run."""
    found = fix(seen(tmp_path, {}, ["onnxruntime==1.20.0"]), "ext.cpu_only")
    install, remove = told(found.commands)
    assert remove == ["onnxruntime"]
    (one,) = install
    assert re.fullmatch(r"onnxruntime-gpu==1\.2[0-6]\.\d", one), one


def test_cupy_is_taken_for_a_cuda_that_the_driver_runs(tmp_path: Path) -> None:
    """The system has CUDA 13's libraries too, which driver 535 does not run."""
    from cudafit.model.machine import Library  # noqa: PLC0415 - for this world alone

    both = tuple(Library("cudart", f"{n}.0", f"/usr/local/cuda-{n}/libcudart.so.{n}", "ld.so.conf") for n in (12, 13))
    report = seen(tmp_path, {}, ["cupy-cuda11x==13.6.0"], replace(machine("a100x8-535"), libraries=both))
    install, remove = told(fix(report, "lib.mixed_cuda_major").commands)
    assert remove == ["cupy-cuda11x"]
    assert install[0].startswith("cupy-cuda12x==")


def test_a_library_of_cuda_11_comes_from_its_package(tmp_path: Path) -> None:
    """`nvidia-cuda-nvrtc` alone is CUDA 13's."""
    files: dict[str, str | bytes] = {"SITE/ctranslate2/x.so": library(["libnvrtc.so.11.2"], kernels=["sm_86", "sm_89"])}
    report = seen(tmp_path, files, ["ctranslate2==3.24.0"], replace(machine(), libraries=()))
    found = [one.fix for one in report.findings if one.id == "ext.cuda_libs_missing" and one.fix]
    assert found
    assert "nvidia-cuda-nvrtc" not in re.findall(r"nvidia-[\w-]+", shown(found[0]) + found[0].text)


def test_a_torch_that_is_right_is_not_moved_for_its_companion(tmp_path: Path) -> None:
    dists = ["torch==2.14.1", "torchvision==0.21.0; needs torch==2.6.0", "xformers==0.0.35; needs torch>=2.10"]
    report = seen(tmp_path, torch("2.14.1+cu126", "12.6", CU126), dists)
    install, _ = told(fix(report, "torch.companion_mismatch").commands)
    assert [one.partition("==")[0] for one in install] == ["torchvision"]


def test_nor_for_one_that_was_built_for_the_cpu(tmp_path: Path) -> None:
    files = {**torch("2.6.0+cu124", "12.4", CU126), "SITE/torchvision/version.py": "__version__ = '0.21.0+cpu'\n"}
    dists = ["torch==2.6.0", "torchvision==0.21.0; needs torch==2.6.0"]
    report = seen(tmp_path, files, dists, machine("h100x8-580"))
    install, _ = told(fix(report, "torch.companion_mismatch").commands)
    assert [one.partition("==")[0] for one in install] == ["torchvision"], install


def test_flash_attn_is_not_installed_plainly(tmp_path: Path) -> None:
    """The default index has a source archive, which compiles for an hour or fails."""
    files = {**torch("2.14.1+cu126", "12.6", CU126)}
    report = seen(tmp_path, files, ["torch==2.14.1", "flash-attn==2.7.0; needs torch==2.5.1"])
    found = fix(report, "ext.abi_mismatch")
    assert found.commands == ()
    assert "github.com/Dao-AILab/flash-attention" in found.text


def test_no_extra_before_there_was_one(tmp_path: Path) -> None:
    """tensorflow[and-cuda] came with 2.14."""
    report = seen(
        tmp_path, tensorflow("11.8", "8"), ["tensorflow==2.13.0"], machine("v100-535", libraries=()), python="3.11"
    )
    install, _ = told(fix(report, "tf.cuda_libs_missing").commands)
    assert all("and-cuda" not in one or one.partition("==")[2][:4] >= "2.14" for one in install), install
    assert install


def test_jax_and_its_plugin_come_in_one_version(tmp_path: Path) -> None:
    dists = ["jax==0.4.35", "jaxlib==0.4.34", "jax-cuda12-plugin==0.4.31", "jax-cuda12-pjrt==0.4.31"]
    report = seen(tmp_path, {}, dists)
    install, _ = told(fix(report, "jax.plugin_version_skew").commands)
    # jax 0.4.35 itself, in its extra, asks for jaxlib 0.4.34.
    parts = ("jaxlib", "jax-cuda12-plugin", "jax-cuda12-pjrt")
    assert install == ["jax[cuda12]==0.4.35", *(f"{one}==0.4.34" for one in parts)]


def test_a_package_that_is_called_after_its_cuda_moves_along(tmp_path: Path) -> None:
    dists = [
        "torch==2.15.0; needs nvidia-nccl-cu13==2.29",
        "nvidia-nccl-cu13==2.29",
        "cupy-cuda13x==14.0.0; needs nvidia-nccl-cu13",
    ]
    report = seen(tmp_path, torch("2.15.0+cu132", "13.2", CU132), dists)
    install, remove = told(fix(report, "driver.too_old_for_runtime").commands)
    assert {one.partition("==")[0] for one in install} >= {"torch", "cupy-cuda12x"}
    assert "cupy-cuda13x" in remove


def test_where_nothing_helps_that_is_said(tmp_path: Path) -> None:
    """Whoever needs CUDA 13's NCCL by name stays, and no torch for CUDA 12 goes beside it."""
    dists = ["torch==2.15.0; needs nvidia-nccl-cu13==2.29", "nvidia-nccl-cu13==2.29", "mine==1; needs nvidia-nccl-cu13"]
    report = seen(tmp_path, {**torch("2.15.0+cu132", "13.2", CU132), **CUDA_LIBRARIES}, dists)
    found = fix(report, "driver.too_old_for_runtime")
    assert not found.automatic
    assert found.text.startswith("no change of packages in this environment helps")
    assert found.commands == (("cudafit", "create", "NEW", "torch"),)
    assert report.repair == ()
