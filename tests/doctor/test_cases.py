"""Failures that people reported, as worlds with their versions, drivers and cards: each must name the right cause.

`SOURCES` has the thread of each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cudafit.doctor.diagnose import diagnose
from cudafit.doctor.world import World
from cudafit.machine.described import Description, described
from cudafit.model.finding import Report
from cudafit.model.frozen import frozen
from cudafit.model.machine import (
    DeviceNode,
    GpuProcess,
    Library,
    Limits,
    Machine,
    PciDevice,
    PcieLink,
    Problem,
    VisibleDevices,
)
from cudafit.model.project import Project
from cudafit.model.requirement import wanted
from tests.doctor.worlds import CUDA_LIBRARIES, FACTS, environment, machine, tensorflow, torch, tree

CU118 = "sm_37 sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90"
CU124 = "sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90"
CU128 = "sm_75 sm_80 sm_86 sm_90 sm_100 sm_120"
NODES = tuple(
    DeviceNode(f"/dev/{name}", "0666", "root", "root", access=True) for name in ("nvidia0", "nvidiactl", "nvidia-uvm")
)
GPU_OF = {"P4": "1bb3", "GTX 1050": "1c81", "GTX 950M": "139a", "RTX 5090": "2b85", "V100": "1db6", "GTX 1070": "1b81"}
GONE: dict[str, Any] = {"driver": None, "gpus": (), "device_nodes": ()}


def there(
    *gpus: str,
    driver: str | None = "580.65.06",
    platform: str = "linux-x86_64",
    gpu: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Machine:
    """A described machine with all its parts read: nothing is unknown."""
    base = described(Description(driver or "none", gpus or ("RTX 3090",), platform, "2.35"), None, "", FACTS.book.facts)
    system = replace(base.os, distro="ubuntu 22.04", kernel="6.5.0-44-generic", **changes.pop("os", {}))
    cards = tuple(
        PciDevice(f"0000:0{n}:00.0", f"10de:{GPU_OF[name]}", "0x030000", changes.pop("bound", "nvidia"))
        for n, name in enumerate(gpus)
        if name in GPU_OF
    )
    if gpu:
        base = replace(base, gpus=(replace(base.gpus[0], **gpu), *base.gpus[1:]))
    if base.driver and (told := changes.pop("module", None)):
        base = replace(base, driver=replace(base.driver, module=told))
    read: dict[str, Any] = {
        "os": system,
        "pci": cards or (PciDevice("0000:01:00.0", "10de:2204", "0x030000", "nvidia"),),
        "device_nodes": NODES if platform.startswith("linux") else None,
        "libraries": (),
        "toolkits": (),
        "kernel_log": (),
        "kernel_modules": (),
        "live": True,
    }
    return replace(base, **{**read, **changes})


@frozen
class Reported:
    """A machine, and what lies in the environment."""

    id: str
    finding: str
    machine: Machine
    files: Mapping[str, str | bytes]
    dists: Sequence[str]
    conda: Sequence[str] = ()
    cause: bool = True  # whether it is the root cause, too
    never: Sequence[str] = ()
    wants: Sequence[str] = ()  # in the project's requirement file
    bang: Sequence[str] = ()
    python: str = "3.12"


def case(
    name: str, finding: str, machine: Machine, *dists: str, files: Mapping[str, str | bytes] | None = None, **more: Any
) -> Reported:
    return Reported(name, finding, machine, files or {}, dists, **more)


def nodes(mode: str, group: str, error: str) -> tuple[DeviceNode, ...]:
    return tuple(DeviceNode(node.path, mode, "root", group, access=False, error=error) for node in NODES)


def loaded(kernel: str, library: str) -> Machine:
    base = machine("library-mismatch")
    return replace(base, driver=replace(base.driver, version=kernel, kernel=kernel, library=library))  # type: ignore[type-var]


def visible(value: str, *order: int, gpus: int = 1) -> Machine:
    made = there(*["RTX 3090"] * gpus, environment={"CUDA_VISIBLE_DEVICES": value})
    return replace(made, visible_devices=VisibleDevices(value, order))


def library(name: str, path: str, version: str | None = None, via: str = "LD_LIBRARY_PATH", **more: Any) -> Machine:
    folder = path.rpartition("/")[0]
    return there(libraries=(Library(name, version, path, via),), environment={"LD_LIBRARY_PATH": folder}, **more)


WINDOWS = there("RTX 3090", platform="windows-x86_64", pci=None, libraries=None)
GB10 = there("GB10", platform="linux-aarch64")
ORIN = there("Orin", platform="linux-aarch64")
WSL = machine("wsl2-560")
CPU = torch("2.7.0+cpu", None)
GOOD = torch("2.9.1+cu128", "12.8", CU128)
TF215 = {**tensorflow("12.2", "8"), **CUDA_LIBRARIES}

CASES = [
    case(
        "A01",
        "torch.cpu_wheel",
        WINDOWS,
        "torch==2.4.0",
        "vllm==0.6.3; needs torch==2.4.0",
        files=torch("2.4.0+cpu", None),
    ),
    case("A02", "torch.cpu_wheel", there(*["RTX 3090"] * 4), "torch==2.7.1", files=torch("2.7.1+cpu", None)),
    case(
        "A04",
        "torch.cpu_wheel",
        WINDOWS,
        "torch==2.3.0",
        "torchaudio==2.3.0",
        files={**torch("2.3.0+cpu", None), "SITE/torchaudio/version.py": "__version__ = '2.3.0+cu118'\n"},
    ),
    case("A05", "torch.cpu_wheel", GB10, "torch==2.9.1", files=torch("2.9.1+cpu", None)),
    case("A08", "torch.cpu_conda", there(), files=CPU, conda=["pytorch-2.7.0-cpu_mkl_py312_h0_0"]),
    case("A10", "torch.cpu_wheel", there(), "torch==2.7.0", files=CPU),
    case("A13", "torch.cpu_wheel", WINDOWS, "torch==2.7.0", files=CPU),
    case(
        "GG5",
        "torch.cpu_wheel",
        there(),
        "torch==2.7.0",
        "accelerate==1.10.0",
        files=CPU,
        never=["env.accelerate_use_cpu"],
    ),
    case(
        "B01",
        "driver.too_old_for_runtime",
        there(driver="535.183.01"),
        "torch==2.10.0",
        files=torch("2.10.0+cu130", "13.0", CU128),
    ),
    case(
        "B02",
        "driver.too_old_for_runtime",
        there(driver="570.124.06"),
        "torch==2.9.0",
        files=torch("2.9.0+cu130", "13.0", CU128),
    ),
    case(
        "B05",
        "driver.too_old_for_runtime",
        there(driver="384.130"),
        "torch==1.2.0",
        files=torch("1.2.0", "10.0", CU118),
    ),
    case(
        "L17",
        "driver.too_old_for_runtime",
        there(driver="418.56", os={"container": "docker"}),
        "torch==2.1.0",
        files=torch("2.1.0+cu118", "11.8", CU118),
        never=["container.no_gpu_exposed"],
    ),
    case(
        "D01",
        "torch.arch_unsupported_new",
        there("RTX 5090", "RTX 5090", driver="570.124.06"),
        "torch==2.7.0",
        files=torch("2.7.0.dev20250310+cu124", "12.4", CU124),
    ),
    case(
        "D02",
        "torch.arch_unsupported_new",
        there("RTX 5090"),
        "torch==2.6.0",
        files=torch("2.6.0+cu124", "12.4", CU124),
    ),
    case(
        "D04",
        "torch.arch_unsupported_new",
        there("RTX 5090"),
        "torch==2.0.1",
        files=torch("2.0.1+cu118", "11.8", CU118),
    ),
    case(
        "D07",
        "torch.arch_unsupported_old",
        there("GTX 1080"),
        "torch==2.8.0",
        files=torch("2.8.0+cu128", "12.8", CU128),
    ),
    case(
        "D09",
        "torch.arch_unsupported_old",
        there("GTX 980"),
        "torch==2.15.0",
        files=torch("2.15.0+cu132", "13.2", CU128),
    ),
    case(
        "D10",
        "torch.arch_unsupported_old",
        there("GTX 1070 Ti"),
        "torch==1.9.0",
        files=torch("1.9.0+cu111", "11.1", "sm_70 sm_75 sm_80 sm_86"),
    ),
    case(
        "D18",
        "torch.arch_mixed_gpus",
        there("sm_35", "RTX 3090", driver="470.256.02"),
        "torch==1.13.1",
        files=torch("1.13.1+cu117", "11.7", CU118),
        cause=False,
    ),
    case(
        "E01",
        "lib.cudnn_shadowed",
        library("cudnn", "/opt/cudnn/libcudnn.so.9", "9.1.0"),
        "torch==2.12.1",
        "nvidia-cudnn-cu13==9.20.0.48",
        files={**torch("2.12.1+cu130", "13.0", CU128), **CUDA_LIBRARIES},
    ),
    case(
        "E04",
        "lib.ld_path_shadow",
        library("cublas", "/cluster/cuda/lib64/libcublas.so.12", "12.1"),
        "torch==2.9.1",
        files={**GOOD, **CUDA_LIBRARIES},
        cause=False,
    ),
    case(
        "E09",
        "gpu.memory_held",
        there(gpu={"memory_mib": 24576, "memory_used_mib": 24300, "processes": ()}),
        "jaxlib==0.4.13+cuda11",
        cause=False,
        never=["lib.cudnn_too_old"],
    ),
    case(
        "F01", "tf.cuda_libs_unreachable", there(), "tensorflow==2.16.1", files={**tensorflow("12.3"), **CUDA_LIBRARIES}
    ),
    case("F06", "tf.windows_native_unsupported", WINDOWS, "tensorflow==2.17.0", files=tensorflow(None)),
    case("F07", "tf.windows_native_unsupported", WINDOWS, "tensorflow==2.11.0", files=tensorflow(None)),
    case("F10", "tf.gpu_stub_package", there(), "tensorflow-gpu==2.12.0", cause=False),
    case(
        "F12",
        "xla.libdevice_missing",
        there(),
        "tensorflow==2.12.0",
        files={**tensorflow("11.8"), **CUDA_LIBRARIES},
        cause=False,
    ),
    case(
        "F16",
        "tf.cuda_libs_missing",
        there("V100"),
        "tensorflow==2.13.0",
        files=tensorflow("11.8", "8.6", ("sm_35", "sm_50", "sm_60", "sm_70", "sm_75", "compute_80")),
        never=["driver.not_loaded"],
    ),
    case(
        "F18",
        "lib.cudnn_major_mismatch",
        there("RTX 4060"),
        "tensorflow==2.15.0",
        "nvidia-cudnn-cu12==9.1.0.70",
        files=TF215,
    ),
    case(
        "D13",
        "tf.arch_unsupported_new",
        there("RTX 5080", driver="581.29"),
        "tensorflow==2.20.0",
        files={**tensorflow("12.5.1"), **CUDA_LIBRARIES},
        cause=False,
    ),
    case(
        "T05",
        "tf.aarch64_cpu_only",
        there("GH200", platform="linux-aarch64"),
        "tensorflow==2.21.0",
        "nvidia-cudnn-cu12==9.10.2.21",
        files=tensorflow(None),
    ),
    case(
        "H02",
        "jax.plugin_version_skew",
        there(),
        "jax==0.4.35",
        "jaxlib==0.4.35",
        "jax-cuda12-plugin==0.4.32",
        "jax-cuda12-pjrt==0.4.32",
    ),
    case(
        "H03",
        "jax.plugin_version_skew",
        there(),
        "jax==0.4.28",
        "jaxlib==0.4.28+cuda12.cudnn89",
        "jax-cuda12-plugin==0.4.31",
        "jax-cuda12-pjrt==0.4.31",
    ),
    case(
        "H05",
        "lib.nvidia_dist_conflict",
        there(),
        "torch==2.3.0; needs nvidia-cusparse-cu12==12.1.0.106",
        "nvidia-cusparse-cu12==12.3.1.170",
        files=torch("2.3.0+cu121", "12.1", CU124),
        cause=False,
    ),
    case("H08", "jax.no_cuda_plugin", there(driver="550.144.03"), "jax==0.4.35", "jaxlib==0.4.35"),
    case("K01", "driver.lib_kernel_mismatch", loaded("460.56", "460.73.01")),
    case("K02", "driver.lib_kernel_mismatch", loaded("520.56.06", "525.85.12")),
    case("K03", "driver.lib_kernel_mismatch", loaded("550.90.07", "550.107.02"), "torch==2.9.1", files=GOOD),
    case("K24", "driver.lib_kernel_mismatch", loaded("470.161.03", "470.182.03")),
    case(
        "K09",
        "driver.module_missing_for_kernel",
        there("RTX 5090", **GONE, kernel_modules=("6.8.0-31-generic",), bound=None),
    ),
    case("K11", "driver.nouveau_bound", there("V100", **GONE, bound="nouveau")),
    case("K15", "driver.uvm_node_missing", there(os={"container": "podman"}, device_nodes=NODES[:2])),
    case(
        "K21",
        "driver.compat_on_geforce",
        library(
            "libcuda",
            "/usr/local/cuda/compat/libcuda.so.1",
            via="/etc/ld.so.conf",
            driver="525.125.06",
            gpu={"name": "NVIDIA GeForce GTX 1050 Ti", "compute_capability": "6.1"},
        ),
    ),
    case(
        "K22",
        "driver.compat_on_geforce",
        library(
            "libcuda",
            "/usr/local/cuda-11.8/compat/libcuda.so.1",
            via="/etc/ld.so.conf",
            driver="460.80",
            gpu={"name": "NVIDIA GeForce GTX 1650", "compute_capability": "7.5"},
        ),
    ),
    case("K25", "driver.branch_dropped_gpu", there("GTX 1050", driver="595.58.03", gpus=())),
    case("K27", "driver.branch_dropped_gpu", there("GTX 1050", driver="590.44.01", gpus=())),
    case("K28", "driver.open_module_unsupported", there("GTX 950M", driver="580.82.09", module="open")),
    case("K29", "driver.open_module_unsupported", there("GTX 1050", driver="580.65.06", module="open")),
    case("K30", "driver.open_module_unsupported", there("P4", driver="580.178.04", module="open")),
    case("K31", "driver.open_module_required", there("RTX 5090", module="proprietary")),
    case(
        "K34",
        "driver.secureboot_rejected",
        there("RTX 5090", **GONE, bound=None, kernel_modules=("6.5.0-44-generic",), os={"secure_boot": True}),
    ),
    case(
        "K37",
        "driver.stub_libcuda",
        library("libcuda", "/usr/local/cuda/lib64/stubs/libcuda.so.1", os={"container": "docker"}),
    ),
    case(
        "L02",
        "container.cgroup_revoked",
        there(
            "A10",
            driver="570.133.20",
            os={"container": "docker"},
            device_nodes=nodes("0666", "root", "Operation not permitted"),
        ),
    ),
    case("L04", "env.cvd_out_of_range", visible("2", gpus=2)),
    case("L05", "env.cvd_out_of_range", visible("1")),
    case("L07", "env.cvd_empty", visible("")),
    case("L12", "info.mig_single_visible", machine("a100-mig-550"), cause=False, never=["gpu.mig_needs_selection"]),
    case(
        "L14",
        "container.no_gpu_exposed",
        there(**GONE, os={"container": "docker"}),
        "torch==1.9.0",
        files=torch("1.9.0+cu111", "11.1", CU118),
    ),
    case(
        "L19",
        "container.caps_missing",
        there(os={"container": "docker"}, environment={"NVIDIA_DRIVER_CAPABILITIES": "utility"}),
    ),
    case(
        "M01",
        "wsl.linux_driver_installed",
        replace(
            WSL,
            libraries=(Library("libcuda", "550.54.14", "/usr/lib/x86_64-linux-gnu/libcuda.so.1", "/etc/ld.so.conf"),),
        ),
    ),
    case(
        "P03",
        "torch.companion_mismatch",
        there(),
        "torch==2.6.0",
        "torchvision==0.21.0",
        files={**torch("2.6.0+cu124", "12.4", CU124), "SITE/torchvision/version.py": "__version__ = '0.21.0+cu126'\n"},
    ),
    case(
        "P04",
        "torch.companion_mismatch",
        there(),
        "torch==2.6.0",
        "torchvision==0.21.0",
        files={**torch("2.6.0+cu124", "12.4", CU124), "SITE/torchvision/version.py": "__version__ = '0.21.0+cpu'\n"},
    ),
    case(
        "P10",
        "bnb.binary_missing",
        there(),
        "torch==2.1.0",
        "bitsandbytes==0.39.0",
        files={**torch("2.1.0+cu121", "12.1", CU124), "SITE/bitsandbytes/libbitsandbytes_cuda118.so": b""},
    ),
    case(
        "P11",
        "triton.libcuda_not_in_ldcache",
        library("libcuda", "/.singularity.d/libs/libcuda.so.1", os={"container": "singularity"}),
        "torch==2.9.1",
        files=GOOD,
        cause=False,
    ),
    case(
        "P18",
        "ext.cpu_only",
        WINDOWS,
        "torch==2.1.0",
        "xformers==0.0.22",
        files={**torch("2.1.0+cu121", "12.1", CU124), "SITE/xformers/cpp_lib.json": '{"version": {"cuda": null}}'},
    ),
    case(
        "Q04",
        "sys.glibc_too_old",
        there(os={"libc": "glibc 2.17"}),
        "torch==2.8.0",
        files={
            **torch("2.8.0+cu128", "12.8", CU128),
            "SITE/torch-2.8.0.dist-info/WHEEL": "Tag: cp312-cp312-manylinux_2_28_x86_64\n",
        },
    ),
    case("R01", "dev.permission", there(device_nodes=nodes("0660", "video", "Permission denied"))),
    case(
        "R02",
        "dev.permission",
        there(os={"container": "docker"}, device_nodes=nodes("0660", "44", "Permission denied")),
    ),
    case(
        "S01",
        "slurm.no_gres",
        there(
            **{**GONE, "device_nodes": NODES},
            environment={"SLURM_JOB_ID": "7"},
            limits=Limits(slurm={"SLURM_JOB_ID": "7"}),
            pci=(),
        ),
    ),
    case(
        "T02",
        "torch.jetson_wrong_wheel",
        ORIN,
        "torch==2.9.0",
        files=torch("2.9.0+cu130", "13.0", "sm_80 sm_90 sm_100 sm_110 sm_120"),
    ),
    case("U03", "ort.cpu_and_gpu_both", there("T4"), "onnxruntime==1.23.2", "onnxruntime-gpu==1.23.2"),
    case(
        "V01", "numpy.abi_mismatch", there(), "torch==2.0.1", "numpy==2.0.0", files=torch("2.0.1+cu118", "11.8", CU118)
    ),
    case("V03", "numpy.abi_mismatch", there(), "torch==2.2.2", "numpy==2.1.0", files=torch("2.2.2+cpu", None)),
    case("W01", "gpu.fallen_off_bus", there("RTX 5090", problems=(Problem("nvml", "GPU is lost (15)"),))),
    case(
        "W03",
        "gpu.fallen_off_bus",
        there(
            kernel_log=(
                "NVRM: The NVIDIA GPU 0000:01:00.0 has",
                "NVRM: GPU has fallen off the bus and is not responding to commands.",
            )
        ),
    ),
    case(
        "X01",
        "gpu.exclusive_mode",
        there(gpu={"compute_mode": "exclusive_process", "processes": (GpuProcess(7, "compute"),)}),
        cause=False,
    ),
    case(
        "X05",
        "gpu.memory_held",
        there("A100", gpu={"memory_mib": 81920, "memory_used_mib": 80000, "processes": (GpuProcess(999, "compute"),)}),
        cause=False,
    ),
    case(
        "AA1",
        "perf.throttled",
        there("RTX A4000", gpu={"throttle_reasons": ("hw_slowdown", "hw_thermal_slowdown")}),
        cause=False,
    ),
    case(
        "AA5",
        "perf.pcie_degraded",
        there("RTX 5090", gpu={"pcie": PcieLink(5, 5, 8, 16), "utilization_percent": 98}),
        cause=False,
    ),
    case(
        "BB1",
        "lib.venv_lib_lib64_split",
        there(),
        "torch==2.9.0",
        files={
            **torch("2.9.0+cu128", "12.8", CU128),
            "lib64/python3.12/site-packages/nvidia_nccl_cu12-2.27.5.dist-info/METADATA": (
                "Name: nvidia-nccl-cu12\nVersion: 2.27.5\n"
            ),
        },
    ),
    case(
        "BB2",
        "torch.nvidia_dist_missing",
        there(),
        "torch==2.3.1; needs nvidia-cudnn-cu12==8.9.2.26 & nvidia-cublas-cu12==12.1.3.1",
        "nvidia-cublas-cu12==12.1.3.1",
        files=torch("2.3.1+cu121", "12.1", CU124),
    ),
    case(
        "BB5",
        "lib.nvidia_dist_conflict",
        there(),
        "torch==2.12.0; needs nvidia-cublas==13.0.0.19",
        "nvidia-cublas==13.1.0.3",
        files=torch("2.12.0+cu130", "13.0", CU128),
        cause=False,
    ),
    case("A12", "provision.no_wheel_for_python", there(), wants=["torch==2.0.1"], python="3.6"),
    case("F19", "provision.no_wheel_for_python", there(), wants=["tensorflow"], python="3.6"),
    case("BB3", "provision.cu13_stub_name", there(), wants=["nvidia-cusparse-cu13"]),
    case("N04", "jupyter.bang_pip", there(), cause=False, bang=["train.ipynb, cell 1"]),
    case(
        "BB9",
        "lib.duplicate_openmp",
        there(),
        "torch==2.9.1",
        files={**GOOD, "SITE/torch/lib/libiomp5.so": b"", "SITE/ctranslate2.libs/libiomp5-9.so": b""},
        cause=False,
    ),
    case(
        "P17",
        "ext.abi_mismatch",
        there(),
        "torch==2.3.0",
        "xformers==0.0.24; needs torch==2.2.0",
        files=torch("2.3.0+cu121", "12.1", CU124),
    ),
    case(
        "P19",
        "ext.abi_mismatch",
        there(),
        "torch==1.13.1",
        "xformers==0.0.17; needs torch==2.0.0",
        files=torch("1.13.1+cu117", "11.7", CU118),
    ),
]


def world_of(world: Reported, folder: Path) -> World:
    prefix = tree(folder, world.files, world.dists, world.python)
    if world.conda:
        (prefix / "pyvenv.cfg").unlink()
        (prefix / "conda-meta").mkdir()
        for name in world.conda:
            (prefix / "conda-meta" / f"{name}.json").write_text("{}")
    project = Project(tuple(wanted(text, "requirements.txt:1") for text in world.wants), tuple(world.bang))
    return World(world.machine, environment(prefix), FACTS, project)


def looked(world: Reported, folder: Path) -> Report:
    return diagnose(world_of(world, folder))


@pytest.mark.parametrize("world", CASES, ids=[world.id for world in CASES])
def test_the_cause_of_a_real_case(world: Reported, tmp_path: Path) -> None:
    found = looked(world, tmp_path / "env")
    ids = [one.id for one in found.findings]
    assert world.finding in ids, (ids, found.skipped)
    if world.cause:
        assert found.cause == world.finding, ids
    assert not set(world.never) & set(ids)


def test_every_case_has_its_thread() -> None:
    assert set(SOURCES) == {world.id for world in CASES}
    assert len(SOURCES) == len(CASES)


SOURCES = {
    "A01": "https://github.com/vllm-project/vllm/issues/9701",
    "A02": "https://github.com/astral-sh/uv/issues/15446",
    "A04": "https://github.com/pyannote/pyannote-audio/issues/1675",
    "A05": "https://github.com/pollen-robotics/microduck_rl/pull/2",
    "A08": "https://github.com/conda/conda/issues/14761",
    "A10": "https://github.com/graphnet-team/graphnet/pull/850",
    "A13": "https://github.com/zyddnys/manga-image-translator/issues/210",
    "GG5": "https://github.com/huggingface/accelerate/issues/96",
    "B01": "https://github.com/rapidsai/cugraph-gnn/issues/410",
    "B02": "https://github.com/pytorch/pytorch/pull/162531",
    "B05": "https://github.com/pytorch/pytorch/issues/25581",
    "L17": "https://github.com/pytorch/serve/issues/478",
    "D01": "https://github.com/pytorch/pytorch/issues/167244",
    "D02": "https://github.com/Hellod035/LeggedLab/issues/26",
    "D04": "https://github.com/pBFSLab/DeepPrep/issues/233",
    "D07": "https://github.com/jhj0517/Whisper-WebUI/issues/653",
    "D09": "https://github.com/Comfy-Org/ComfyUI/pull/16438 (quotes dev-discuss.pytorch.org/t/3432, 2026-09-04)",
    "D10": "https://github.com/pytorch/pytorch/issues/53164",
    "D18": "https://github.com/pytorch/pytorch/issues/31319",
    "E01": "https://github.com/pytorch/pytorch/issues/188892",
    "E04": "https://github.com/pytorch/pytorch/issues/80637",
    "E09": "https://github.com/jax-ml/jax/issues/17553",
    "F01": "https://github.com/tensorflow/tensorflow/issues/65842",
    "F06": "https://github.com/tensorflow/tensorflow/issues/73368",
    "F07": "https://github.com/tensorflow/tensorflow/issues/60156",
    "F10": "https://github.com/dionhaefner/pyhpc-benchmarks/issues/17",
    "F12": "https://github.com/tensorflow/tensorflow/issues/60790",
    "F16": "https://github.com/tensorflow/tensorflow/issues/88122",
    "F18": "https://github.com/tensorflow/tensorflow/issues/70845",
    "D13": "https://github.com/tensorflow/tensorflow/issues/101746",
    "T05": "https://github.com/tensorflow/tensorflow/issues/121157",
    "H02": "https://github.com/jax-ml/jax/issues/24901",
    "H03": "https://github.com/jax-ml/jax/issues/22416",
    "H05": "https://github.com/jax-ml/jax/issues/18027",
    "H08": "https://github.com/JeffSHF/ColabDock/issues/28",
    "K01": "https://github.com/lyulyul/shine-cluster/issues/30",
    "K02": "https://github.com/illinois-scicomp/machine-shop-maintenance/issues/70",
    "K03": "https://github.com/oddmario/NVIDIA-Ubuntu-Driver-Guide/issues/4",
    "K24": "https://github.com/easydiffusion/easydiffusion/issues/379",
    "K09": "https://github.com/korvahannu/arch-nvidia-drivers-installation-guide/issues/37",
    "K11": "https://github.com/mattshma/bigdata/issues/133",
    "K15": "https://github.com/pytorch/pytorch/issues/49081",
    "K21": "https://github.com/oobabooga/textgen/issues/4407",
    "K22": "https://github.com/DeepVAC/TorchPod/issues/43",
    "K25": "https://github.com/NixOS/nixos-hardware/issues/1828",
    "K27": "https://github.com/omacom/omarchy/issues/3954",
    "K28": "https://github.com/pop-os/pop/issues/3640",
    "K29": "https://github.com/pop-os/pop/issues/3859",
    "K30": "https://github.com/zzzhouuu/truenas-nvidia-drivers/issues/20",
    "K31": "https://github.com/NVIDIA/open-gpu-kernel-modules/issues/862",
    "K34": "https://unix.stackexchange.com/questions/535434/what-exactly-is-mok-in-linux-for/535440",
    "K37": "https://github.com/fboulnois/stable-diffusion-docker/pull/23",
    "L02": "https://github.com/NVIDIA/nvidia-container-toolkit/issues/1227",
    "L04": "https://github.com/thuml/Autoformer/issues/25",
    "L05": "https://github.com/bentoml/BentoML/issues/5443",
    "L07": "https://github.com/areal-project/AReaL/pull/38",
    "L12": "https://github.com/pytorch/pytorch/issues/102715",
    "L14": "https://github.com/open-edge-platform/anomalib/issues/584",
    "L19": "https://github.com/AbdBarho/stable-diffusion-webui-docker/issues/348",
    "M01": "https://github.com/NVIDIA/cuml/issues/6218",
    "P03": "https://github.com/pytorch/vision/issues/8985",
    "P04": "https://github.com/pytorch/pytorch/issues/62350",
    "P10": "https://github.com/bitsandbytes-foundation/bitsandbytes/issues/492",
    "P11": "https://github.com/pytorch/pytorch/issues/107960",
    "P18": "https://github.com/facebookresearch/xformers/issues/874",
    "Q04": "https://github.com/pyg-team/pyg-lib/issues/548",
    "R01": "https://github.com/AUTOMATIC1111/stable-diffusion-webui/issues/3207",
    "R02": "https://github.com/MrForExample/ComfyUI-3D-Pack/issues/227",
    "S01": "https://github.com/PySlurm/pyslurm/issues/337",
    "T02": "https://github.com/pinokiocomputer/pinokio/issues/1027",
    "U03": "https://github.com/microsoft/onnxruntime/issues/26996",
    "V01": "https://github.com/pytorch/pytorch/issues/132179",
    "V03": "https://github.com/securefederatedai/openfederatedlearning/issues/999",
    "W01": "https://github.com/NVIDIA/open-gpu-kernel-modules/issues/1151",
    "W03": "https://github.com/NVIDIA/NVSentinel/issues/155",
    "X01": "https://github.com/huggingface/pytorch-image-models/issues/1033",
    "X05": "https://github.com/qizhou000/VisEdit/issues/5",
    "AA1": "https://github.com/rammsguns/llm-rig/issues/100",
    "AA5": "https://github.com/local-inference-lab/rtx6kpro/pull/88",
    "BB1": "https://github.com/pytorch/pytorch/issues/165812",
    "BB2": "https://github.com/pytorch/pytorch/issues/104259",
    "BB5": "https://github.com/bghira/SimpleTuner/issues/2819",
    "A12": "https://github.com/pytorch/pytorch/issues/170293",
    "F19": "https://github.com/python/cpython/issues/149178",
    "BB3": "https://github.com/Jim137/qkan/pull/29",
    "N04": "https://github.com/jupyterlab/jupyterlab/issues/14824",
    "BB9": "https://github.com/harry0703/MoneyPrinterTurbo/issues/90",
    "P17": "https://github.com/deforum/deforum-stable-diffusion/issues/377",
    "P19": "https://github.com/AUTOMATIC1111/stable-diffusion-webui/issues/11395",
}
