"""The rows of the inspect screen."""

from dataclasses import replace

import pytest

from cudafit.machine.saved import load
from cudafit.model.machine import (
    DeviceNode,
    Ecc,
    Gpu,
    Machine,
    OperatingSystem,
    Override,
    PcieLink,
    Problem,
    RemappedRows,
    Skipped,
    Toolkit,
)
from cudafit.render.machine_rows import machine_rows
from tests.machines import FOLDER

BARE = Machine(
    OperatingSystem("linux", "x86_64", "glibc 2.36", "debian 12", wsl=False, container=None),
    driver=None,
    gpus=(),
    problems=(),
    pci=(),
)
CARD = Gpu(0, "NVIDIA A100", "GPU-1", "8.0", 40960, mig=False, compute_mode="default", visible=True, via="nvml")


def value(machine: Machine, label: str) -> str:
    return next(row.value for row in machine_rows(machine) if row.label == label)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "no NVIDIA GPU on this machine"),
        ({"os": replace(BARE.os, container="docker")}, "no NVIDIA GPU in this docker container"),
        ({"os": replace(BARE.os, system="macos")}, "none: macOS has no NVIDIA driver"),
        ({"live": False}, "none found in its files (a disk that is not running shows none)"),
        ({"undetermined": "NVML: Unknown Error (999)"}, "could not be determined"),
    ],
)
def test_no_gpu_is_told_apart(change: dict[str, object], said: str) -> None:
    assert value(replace(BARE, **change), "GPU") == said  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({"visible": False}, "hidden"),
        ({"mig": True}, "MIG on, no slices"),
        ({"bound_driver": "vfio-pci"}, "held by vfio-pci"),
        ({"via": "pci"}, "no driver bound"),
        ({"compute_mode": "prohibited"}, "compute mode prohibited"),
        ({"virtualization": "vgpu"}, "vGPU"),
        ({"throttle_reasons": ("gpu_idle", "hw_thermal_slowdown")}, "slowed: hw_thermal_slowdown"),
        ({"pcie": PcieLink(1, 4, 8, 16)}, "PCIe x8 of x16"),
        ({"ecc": Ecc(True, 3)}, "3 uncorrected memory errors"),
        ({"ecc": Ecc(True, 0, RemappedRows(0, 1, pending=True, failed=False))}, "row remapping waits for a reset"),
        ({"unread": {"handle": "GPU is lost (15)"}}, "GPU is lost (15)"),
    ],
)
def test_what_is_out_of_the_ordinary_is_flagged(change: dict[str, object], flag: str) -> None:
    ordinary = value(replace(BARE, gpus=(CARD,)), "GPU 0")
    assert ordinary == "NVIDIA A100 · sm_80 · 40960 MiB"
    assert value(replace(BARE, gpus=(replace(CARD, **change),)), "GPU 0") == f"{ordinary} · {flag}"  # type: ignore[arg-type]


def test_an_idle_link_is_no_flag() -> None:
    assert "PCIe" not in value(replace(BARE, gpus=(replace(CARD, pcie=PcieLink(1, 4, 16, 16)),)), "GPU 0")


def test_unknown_values_say_so() -> None:
    gpu = replace(CARD, name=None, compute_capability=None, memory_mib=None)
    assert value(replace(BARE, gpus=(gpu,)), "GPU 0") == "NVIDIA GPU, name not known · capability not known"
    assert "not known" in value(replace(BARE, toolkits=(Toolkit(None, "/usr/local/cuda", "nvvm"),)), "toolkits")


def test_problems_skipped_probes_overrides_and_closed_devices_are_rows() -> None:
    node = DeviceNode("/dev/nvidia0", "0660", "root", "vglusers", access=False, error="Permission denied")
    machine = replace(
        BARE,
        problems=(Problem("nvml", "broken"),),
        skipped=(Skipped("pci", "not here"),),
        overrides=(Override("CONDA_OVERRIDE_CUDA", "driver.cuda", ""),),
        device_nodes=(node,),
    )
    assert value(machine, "problem") == "broken"
    assert value(machine, "not asked") == "not here"
    assert value(machine, "override") == "driver.cuda = none"
    said = "/dev/nvidia0 cannot be opened: Permission denied (root:vglusers 0660)"
    assert value(machine, "device file") == said


def test_mig_slices_and_selection_are_rows() -> None:
    texts = [row.value for row in machine_rows(load(str(FOLDER / "a100-mig-550.json")))]
    assert "MIG 2g.10gb · MIG-a1111111-2222-3333-4444-555566667777 · 9856 MiB · hidden" in texts
    assert "MIG-b2222222-2222-3333-4444-555566667777 (CUDA_VISIBLE_DEVICES=MIG-b2222222)" in texts
