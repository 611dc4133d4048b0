"""Reported failures below the frameworks: cards, drivers, device files, containers, WSL and Slurm.

Each is a machine with what the thread tells of it, and nothing else that is out of order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cudafit.doctor.diagnose import diagnose
from cudafit.doctor.world import World
from cudafit.model.environment import VENV, Environment, Ran
from cudafit.model.finding import ERROR, INFO, WARNING, Report
from cudafit.model.frozen import frozen
from cudafit.model.machine import (
    Compiler,
    DeviceNode,
    Ecc,
    Fabric,
    FabricManager,
    GpuProcess,
    Library,
    Limits,
    Machine,
    MigDevice,
    PciDevice,
    PcieLink,
    RemappedRows,
    Skipped,
)
from tests.doctor.test_cases import CU124, CU128, GONE, NODES, ORIN, WSL, loaded, there
from tests.doctor.worlds import FACTS, environment, machine, torch, tree

NO_ENVIRONMENT = Environment("/venv", VENV, "3.12", None)
TORCH = torch("2.9.1+cu128", "12.8", CU128)
UBUNTU = "/usr/lib/x86_64-linux-gnu"
WSL_LIBCUDA = Library("libcuda", None, "/usr/lib/wsl/lib/libcuda.so.1", "WSL")
SLEPT = ("nvidia-uvm: Loaded the UVM driver, major device number 511.", "PM: suspend exit")
UNSAVED = {"PreserveVideoMemoryAllocations": "0", "UseKernelSuspendNotifiers": "0"}
SWITCHES = tuple(PciDevice(f"0000:0{n}:00.0", "10de:22a3", "0x068000", "nvidia-nvswitch") for n in range(5, 9))
UNKNOWN = (
    "RuntimeError: CUDA unknown error - this may be due to an incorrectly set up environment, e.g. changing env "
    "variable CUDA_VISIBLE_DEVICES after program start. Setting the available devices to be zero."
)
NOT_READY = "RuntimeError: Unexpected error from cudaGetDeviceCount(). Error 802: system not yet initialized"


@frozen
class Seen:
    """A machine, what lies in the environment, and what its framework said when it was run."""

    id: str
    finding: str
    source: str
    machine: Machine
    severity: str = ERROR
    files: Mapping[str, str | bytes] | None = None
    dists: Sequence[str] = ()
    said: str | None = None  # the error of `--deep`
    program: str | None = None  # where the interpreter's links lead to
    never: Sequence[str] = ()


def closed(error: str) -> tuple[DeviceNode, ...]:
    return tuple(replace(node, access=False, error=error) for node in NODES)


def linked(state: str, *gpus: str, **changes: Any) -> Machine:
    """Cards whose NVLink fabric is in this state."""
    base = there(*gpus, **changes)
    return replace(base, gpus=tuple(replace(gpu, fabric=Fabric(state)) for gpu in base.gpus))


def sliced(count: int) -> Machine:
    """Cards in MIG mode, with a slice each."""
    base = there(*["A100"] * count, driver="550.54.15")
    return replace(
        base,
        gpus=tuple(replace(gpu, mig=True, mig_devices=(MigDevice(f"MIG-{gpu.index}a11b"),)) for gpu in base.gpus),
    )


def on_wsl(*libraries: Library, container: str | None = None, **changes: Any) -> Machine:
    return replace(WSL, libraries=libraries, os=replace(WSL.os, container=container), **changes)


def widths(*lanes: int) -> Machine:
    base = there(*["RTX 3090"] * len(lanes))
    gpus = tuple(
        replace(gpu, pcie=PcieLink(4, 4, width, 16), utilization_percent=96)
        for gpu, width in zip(base.gpus, lanes, strict=True)
    )
    return replace(base, gpus=gpus)


CASES = (
    Seen(  # the thread gives no versions: these are of two branches of its time
        "K05",
        "driver.lib_kernel_mismatch",
        "https://github.com/Syllo/nvtop/issues/125",
        replace(
            loaded("465.31", "460.91.03"),
            libraries=tuple(
                Library(name, version, f"{UBUNTU}/{name}.so.{version}", "file name")
                for version in ("460.91.03", "465.31")
                for name in ("libcuda", "libnvidia-ml")
            ),
        ),
    ),
    Seen(
        "K10",
        "driver.module_missing_for_kernel",
        "https://github.com/CachyOS/linux-cachyos/issues/118",
        replace(
            there(
                **GONE,
                pci=(PciDevice("0000:01:00.0", "10de:2204", "0x030000", None),),
                kernel_modules=("6.2.2-arch1-1",),
            ),
            os=replace(there().os, distro="cachyos", kernel="6.2.2-1-cachyos"),
        ),
        never=["driver.not_loaded", "driver.secureboot_rejected"],
    ),
    Seen(  # the message's hint at CUDA_VISIBLE_DEVICES leads nowhere
        "K12",
        "driver.uvm_stale",
        "https://github.com/pytorch/pytorch/issues/88639",
        there(driver="525.60.13", kernel_log=SLEPT, module_options=UNSAVED, services=()),
        files=torch("1.13.0+cu117", "11.7", "sm_37 sm_50 sm_60 sm_70 sm_75 sm_80 sm_86"),
        dists=["torch==1.13.0"],
        said=UNKNOWN,
        never=["env.cvd_invalid", "env.cvd_empty"],
    ),
    Seen(  # by files alone: a card may wake up sound, so it is no error before a framework was run
        "K14",
        "driver.uvm_stale",
        "https://github.com/ultralytics/ultralytics/issues/7716",
        there(kernel_log=SLEPT, module_options=UNSAVED, services=()),
        WARNING,
        files=TORCH,
        dists=["torch==2.9.1"],
    ),
    Seen(
        "K17",
        "gpu.fabric_not_ready",
        "https://github.com/huggingface/huggingface_hub/issues/4134",
        linked("in_progress", "H200", driver="580.126.09", os={"container": "docker"}, nvswitches=()),
        files=torch("2.9.1+cu130", "13.0", CU128),
        dists=["torch==2.9.1"],
        said=NOT_READY,
        never=["driver.uvm_hmm_bug"],
    ),
    Seen(  # the thread names no card: by four of them in one job, and the error, a system with NVSwitches
        "K18",
        "gpu.fabric_not_ready",
        "https://github.com/MiniMax-AI/MiniMax-M2.5/issues/9",
        linked(
            "not_started",
            *["H100"] * 4,
            driver="580.126.20",
            nvswitches=SWITCHES,
            fabric_manager=FabricManager("580.126.20", running=False),
        ),
    ),
    Seen(  # no NVSwitch: the Fabric Manager is not the remedy. gpu-burn said it there, torch says the same.
        "K19",
        "driver.uvm_hmm_bug",
        "https://github.com/wilicc/gpu-burn/issues/133",
        linked("not_supported", "RTX 3090", nvswitches=(), module_options={"uvm_disable_hmm": "N"}),
        files=TORCH,
        dists=["torch==2.9.1"],
        said=NOT_READY,
        never=["gpu.fabric_not_ready"],
    ),
    Seen(
        "K38",
        "driver.stub_libcuda",
        "https://github.com/xmake-io/xmake/issues/4686",
        on_wsl(
            Library("libcuda", None, "/usr/local/cuda/lib64/stubs/libcuda.so.1", "LD_LIBRARY_PATH"),
            WSL_LIBCUDA,
            container="docker",
            environment={"LD_LIBRARY_PATH": "/usr/local/cuda/lib64/stubs"},
        ),
        never=["wsl.linux_driver_installed", "wsl.libcuda_unreachable"],
    ),
    Seen(
        "L03",
        "container.cgroup_revoked",
        "https://github.com/NVIDIA/nvidia-docker/issues/1678",
        there("V100", os={"container": "kubernetes"}, device_nodes=closed("Operation not permitted")),
        never=["dev.permission", "driver.not_loaded"],
    ),
    Seen(  # several cards in MIG mode: torch counts them by NVML, CUDA shows one slice
        "L11",
        "gpu.mig_needs_selection",
        "https://github.com/pytorch/pytorch/issues/131650",
        sliced(2),
        files=torch("2.4.0", "12.4", CU124),
        dists=["torch==2.4.0"],
        never=["info.mig_single_visible"],
    ),
    Seen(
        "L15",
        "container.no_gpu_exposed",
        "https://github.com/zzzyuqing/DreamMat/issues/14",
        there(**GONE, os={"container": "docker"}, pci=()),
        files=TORCH,
        dists=["torch==2.9.1"],
        never=["driver.not_loaded", "torch.cpu_wheel"],
    ),
    Seen(
        "M03",
        "wsl.linux_driver_installed",
        "https://github.com/microsoft/WSL/issues/9092",
        on_wsl(Library("libcuda", None, f"{UBUNTU}/libcuda.so.1", "/etc/ld.so.conf"), WSL_LIBCUDA),
        never=["wsl.no_dxg", "gpu.memory_held"],
    ),
    Seen(  # libcuda is Windows' own, and nvidia-smi works with a Linux copy of NVML
        "M05",
        "wsl.linux_driver_installed",
        "https://github.com/microsoft/WSL/issues/9272",
        on_wsl(
            WSL_LIBCUDA,
            Library("libnvidia-ml", "525.60.13", f"{UBUNTU}/libnvidia-ml.so.1", "file name"),
            driver=replace(WSL.driver, version="522.25", cuda="11.8") if WSL.driver else None,
        ),
        never=["driver.lib_kernel_mismatch"],
    ),
    Seen(
        "M06",
        "wsl.libcuda_unreachable",
        "https://github.com/NixOS/nixpkgs/issues/230214",
        on_wsl(WSL_LIBCUDA, loader_knows_wsl=False, environment={}),
        files=torch("2.6.0+cu124", "12.4", CU124),
        dists=["torch==2.6.0"],
        program="/nix/store/8w6mm5q1n7i7cs1933im5vkbgvjlglfn-python3-3.12.4/bin/python3.12",
        never=["wsl.linux_driver_installed", "wsl.no_dxg", "torch.cpu_wheel"],
    ),
    Seen(
        "P13",
        "triton.no_c_compiler",
        "https://github.com/open-edge-platform/physical-ai-studio/pull/583",
        there(
            os={"container": "docker"},
            compilers=(Compiler("gcc", "/usr/bin/gcc", "PATH", (f"{UBUNTU}/crt1.o",)),),
        ),
        WARNING,
        files=TORCH,
        dists=["torch==2.9.1"],
    ),
    Seen(
        "R04",
        "dev.permission",
        "https://github.com/dusty-nv/jetson-containers/issues/1136",
        replace(
            ORIN,
            os=replace(ORIN.os, container="docker"),
            device_nodes=tuple(
                DeviceNode(f"/dev/{name}", "0660", "root", "video", access=False, error="Permission denied")
                for name in ("nvhost-as-gpu", "nvhost-ctrl-gpu", "nvhost-gpu", "nvmap")
            ),
        ),
        never=["container.no_gpu_exposed", "container.cgroup_revoked", "driver.uvm_node_missing"],
    ),
    Seen(  # Slurm closes the device files of what was not asked for
        "S02",
        "slurm.no_gres",
        "https://github.com/ComparativeGenomicsToolkit/cactus/issues/884",
        there(
            **{**GONE, "device_nodes": closed("Operation not permitted")},
            os={"container": "singularity"},
            environment={"SLURM_JOB_ID": "81"},
            limits=Limits(slurm={"SLURM_JOB_ID": "81"}),
        ),
        never=["container.cgroup_revoked", "dev.permission"],
    ),
    Seen(
        "X03",
        "gpu.exclusive_mode",
        "https://github.com/NVIDIA/DIGITS/issues/2005",
        there(
            "sm_35",
            "sm_35",
            driver="375.26",
            gpu={
                "name": "Tesla K40m",
                "compute_mode": "exclusive_process",
                "processes": (GpuProcess(1187, "compute", "python2", 74),),
                "memory_mib": 11439,
                "memory_used_mib": 74,
            },
        ),
        WARNING,
        never=["gpu.memory_held"],
    ),
    Seen(  # the processes are others', or of another PID namespace
        "X04",
        "gpu.memory_held",
        "https://github.com/PaddlePaddle/PaddleOCR/issues/2074",
        there(gpu={"memory_mib": 24576, "memory_used_mib": 23800, "processes": ()}),
        WARNING,
    ),
    Seen(
        "AA2",
        "perf.throttled",
        "https://github.com/l4rz/reverse-engineering-dell-idrac-to-get-rid-of-gpu-throttling/issues/3",
        there(
            "A100",
            gpu={"power_limit_w": 240.0, "power_limit_default_w": 400.0, "throttle_reasons": ("sw_power_cap",)},
        ),
        WARNING,
        never=["info.power_capped"],
    ),
    Seen(  # a riser with one lane, a slot of the chipset with four
        "AA6",
        "perf.pcie_degraded",
        "https://github.com/noonghunna/club-3090/pull/895",
        widths(16, 4, 1),
        WARNING,
        never=["ok.pcie_idle_downshift"],
    ),
    Seen(
        "W07",
        "info.ecc_recovered",
        "https://github.com/leptonai/gpud/pull/108",
        there("A100", gpu={"ecc": Ecc(True, 1, RemappedRows(0, 1, pending=False, failed=False))}),
        INFO,
        never=["gpu.ecc_error"],
    ),
    Seen(
        "W08",
        "gpu.ecc_error",
        "https://github.com/nagadit/DeepFaceLab_Linux/issues/89",
        there("RTX 4090", gpu={"ecc": Ecc(True, 1)}),
        never=["info.ecc_recovered"],
    ),
)


def looked(one: Seen, folder: Path) -> Report:
    made = None
    if one.files is not None:
        made = environment(tree(folder, one.files, one.dists))
        ran = (Ran("torch", None, error=one.said, imported=True),) if one.said else None
        made = replace(made, ran=ran, program=one.program or made.program)
    return diagnose(World(one.machine, made, FACTS))


@pytest.mark.parametrize("one", CASES, ids=[one.id for one in CASES])
def test_the_cause_of_a_real_case(one: Seen, tmp_path: Path) -> None:
    found = looked(one, tmp_path / "env")
    ids = [finding.id for finding in found.findings]
    mine = next((finding for finding in found.findings if finding.id == one.finding), None)
    assert mine is not None, (ids, found.skipped)
    assert (mine.severity, mine.explained_by) == (one.severity, None)
    assert found.cause == (one.finding if one.severity == ERROR else None), ids
    assert not set(one.never) & set(ids)


@pytest.mark.parametrize("one", [one for one in CASES if one.said], ids=[one.id for one in CASES if one.said])
def test_what_a_framework_said_is_explained(one: Seen, tmp_path: Path) -> None:
    found = looked(one, tmp_path / "env")
    assert [finding.explained_by for finding in found.findings if finding.id.startswith("run.")] == [one.finding]


def test_a_log_that_a_container_may_not_read_has_not_been_found_clean() -> None:
    """W05, marin-community/marin issue 7344: a run hangs in a pod, and the host's dashboard has the Xid."""
    why = "a container sees no kernel log"
    seen = machine("t4-kubernetes-535", kernel_log=None, live=True, skipped=(Skipped("kernel-log", why),))
    report = diagnose(World(seen, None, FACTS))
    (said,) = (one.reason for one in report.skipped if "kernel log" in one.reason)
    assert said == f"errors of the GPU that only the kernel log tells: {why}"
    assert not {"info.kernel_log_unreadable", "gpu.ecc_error", "gpu.fallen_off_bus"} & {
        one.id for one in report.findings
    }
    failed = replace(NO_ENVIRONMENT, ran=(Ran("jax", None, error="INTERNAL: NCCL operation failed", imported=True),))
    (told,) = (one for one in diagnose(World(seen, failed, FACTS)).findings if one.id == "info.kernel_log_unreadable")
    assert (told.severity, told.evidence[0].fact) == (INFO, why)
