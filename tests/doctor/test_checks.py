"""Each finding in a world that has it, and its opposite: a world that looks alike and must not raise it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import Any

import pytest

from cudafit.doctor.diagnose import diagnose
from cudafit.doctor.registry import every_kind
from cudafit.doctor.world import World
from cudafit.machine.described import Description, described
from cudafit.model.environment import Kernel, Ran
from cudafit.model.finding import Report
from cudafit.model.frozen import frozen
from cudafit.model.machine import (
    Compiler,
    CondaInstallation,
    DeviceNode,
    Ecc,
    Fabric,
    FabricManager,
    GpuProcess,
    Library,
    Limits,
    Machine,
    PciDevice,
    PcieErrors,
    PcieLink,
    Problem,
    RemappedRows,
    VisibleDevices,
)
from cudafit.model.project import Project
from cudafit.model.requirement import wanted
from tests.doctor.container_cases import FILE_CASES
from tests.doctor.worlds import CU126, CU132, CUDA_LIBRARIES, FACTS, environment, machine, tensorflow, torch, tree
from tests.elf_files import library


@frozen
class Env:
    """An environment's files and distributions."""

    files: Mapping[str, str | bytes] = field(default_factory=dict)
    dists: Sequence[str] = ()
    conda: Sequence[str] = ()  # the file names in conda-meta, without .json
    kernel: Kernel | None = None
    active: str | None = None
    ran: tuple[Ran, ...] | None = None
    project: Project | None = None
    python: str = "3.12"


@frozen
class Case:
    """A finding, the world that has it, and the world that has not."""

    id: str
    machine: Machine
    not_machine: Machine
    env: Env | None = None
    not_env: Env | None = None


def cudnn_for(opens: str) -> dict[str, str | bytes]:
    """torch for CUDA 13, and a cuDNN that opens this."""
    held = library(constants=["x", opens])
    return {**torch("2.13.0+cu130", "13.0", "sm_90"), "SITE/nvidia/cudnn/lib/libcudnn_adv.so.9": held}


def nodes(*names: str, access: bool | None = True, error: str | None = None) -> tuple[DeviceNode, ...]:
    return tuple(DeviceNode(f"/dev/{name}", "0660", "root", "render", access, error) for name in names)


def card(device: str, driver: str | None = "nvidia") -> tuple[PciDevice, ...]:
    return (PciDevice("0000:01:00.0", f"10de:{device}", "0x030000", driver),)


def variables(**given: str) -> Machine:
    return machine(environment=given)


def seen(value: str, *order: int) -> Machine:
    return machine(environment={"CUDA_VISIBLE_DEVICES": value}, visible_devices=VisibleDevices(value, order))


GOOD = machine()
NODES = nodes("nvidia0", "nvidiactl", "nvidia-uvm")
TORCH = Env(torch("2.14.1+cu126", "12.6", CU126), ["torch==2.14.1+cu126"])
CPU_TORCH = Env(torch("2.13.0+cpu", None), ["torch==2.13.0"])
NEW_TORCH = Env(torch("2.15.0+cu132", "13.2", CU132), ["torch==2.15.0"])
PASCAL = machine("gtx1080ti-535")
MODERN = machine("h100x8-580")
BLACKWELL = machine("rtx5090-570")
NO_DRIVER: dict[str, Any] = {"driver": None, "gpus": (), "device_nodes": (), "problems": (), "undetermined": None}
RUNNING = (GpuProcess(4711, "compute", "python", 20000),)
TF = ["tensorflow==2.21.0"]
JAX = [
    *(f"{name}==0.6.1" for name in ("jax", "jaxlib", "jax-cuda12-pjrt")),
    'jax-cuda12-plugin==0.6.1; needs jax-cuda12-pjrt==0.6.1 & nvidia-cudnn-cu12<10.0,>=9.8; extra == "with-cuda"',
]
BROKEN_ROWS = Ecc(True, 0, RemappedRows(0, 1, pending=True, failed=False))
WORN_ROWS = Ecc(True, 0, RemappedRows(2, 1, pending=False, failed=False))


BOTH_VISIBLE = machine(
    "mixed-1080ti-3090-580", gpus=tuple(replace(gpu, visible=True) for gpu in machine("mixed-1080ti-3090-580").gpus)
)
ORIN = described(Description("580.65.06", ("Orin",), "linux-aarch64", "2.35"), None, "", FACTS.book.facts)
GRACE = described(Description("580.65.06", ("GH200",), "linux-aarch64", "2.35"), None, "", FACTS.book.facts)
WINDOWS = described(Description("580.65.06", ("RTX 4090",), "windows-x86_64"), None, "", FACTS.book.facts)
HALF: dict[str, str | bytes] = {
    "lib64/python3.12/site-packages/nvidia_cudnn_cu12-9.10.2.21.dist-info/METADATA": (
        "Name: nvidia-cudnn-cu12\nVersion: 9.10.2.21\n"
    )
}


VC_RUNTIME = (("vcruntime", ""), ("msvcp", ""), ("vcruntime", "_1"))
LIBDEVICE = "nvvm/libdevice/libdevice.10.bc"


def bitsandbytes(*cudas: str, source: str = "") -> "Env":
    libraries: dict[str, str | bytes] = {f"SITE/bitsandbytes/libbitsandbytes_cuda{cuda}.so": b"" for cuda in cudas}
    libraries["SITE/bitsandbytes/cextension.py"] = source
    return Env({**TORCH.files, **libraries}, [*TORCH.dists, "bitsandbytes==0.45.0"])


def of_conda(
    *packages: str,
    listed: Sequence[str] = (),
    depends: Sequence[str] = (),
    installer: str = "pip",
    version: str = "2.13.0",
) -> "Env":
    """A conda environment with torch; `packages` are `channel/name-version-build`, the first one lists its files."""
    files: dict[str, str | bytes] = {**torch("2.13.0", "12.6", CU126)}
    info = f"SITE/torch-{version}.dist-info"
    files |= {f"{info}/METADATA": f"Name: torch\nVersion: {version}\n\n", f"{info}/INSTALLER": f"{installer}\n"}
    names = []
    for number, text in enumerate(packages):
        channel, _, stem = text.partition("/")
        name, number_, build = stem.rsplit("-", 2)
        paths = [{"_path": path, "path_type": "hardlink"} for path in (listed if number == 0 else ())]
        told: dict[str, object] = {
            "channel": f"https://conda.test/{channel}/",
            "name": name,
            "version": number_,
            "build": build,
        }
        told |= {"depends": list(depends)} if number == 0 else {}
        files[f"conda-meta/{stem}.json"] = json.dumps({**told, "paths_data": {"paths": paths}})
        names.append(stem)
    return Env(files, (), names)


ARCH = ("conda-forge/cuda-arch-8.0-h0",)
FORGE_TORCH = "conda-forge/pytorch-2.13.0-cuda126_generic_py312_h0_200"
IN_SITE = "lib/python3.12/site-packages"
OWN_INFO = f"{IN_SITE}/torch-2.13.0.dist-info/METADATA"


def asks(text: str, python: str = "3.12") -> "Env":
    return Env(project=Project((wanted(text, "requirements.txt:1"),)), python=python)


def deep(**told: Any) -> "Env":
    return Env(TORCH.files, TORCH.dists, ran=(Ran("torch", "2.14.1+cu126", **told),))


XID_13 = "NVRM: Xid (PCI:0000:01:00): 13, pid=7, Graphics Exception"  # a program's own fault


def log(*lines: str, **more: Any) -> Machine:
    return machine(kernel_log=lines, **more)


def kernel(active: str | None, **variables: str) -> "Env":
    spec = Kernel("train", "/home/x/.local/share/jupyter/kernels/train/kernel.json", ("/e/bin/python", "-m"), variables)
    return Env(TORCH.files, TORCH.dists, kernel=spec, active=active)


def accelerate(text: str) -> "Env":
    """Its configuration lies in the home folder, which the world says by HF_HOME."""
    return Env({"home/accelerate/default_config.yaml": f"compute_environment: LOCAL\n{text}\n"}, ["accelerate==1.10.0"])


def extension(dist: str, path: str, data: bytes, base: "Env", **more: bytes) -> "Env":
    """An environment with a package that has CUDA code of its own; `more` are files of site-packages."""
    files = {f"SITE/{path}": data, **{f"SITE/{name.replace('__', '/')}": value for name, value in more.items()}}
    return Env({**base.files, **files}, [*base.dists, dist])


FLASH = "flash-attn==2.8.3; needs torch"
FLASH_FILE = "flash_attn_2_cuda.cpython-312-x86_64-linux-gnu.so"
PROVIDER = "onnxruntime/capi/libonnxruntime_providers_cuda.so"
ORT_NEEDS = library(["libcublas.so.12", "libcudnn.so.9"], kernels=["sm_80", "sm_89", "sm_90"])
ORT_FINDS = library(["libcublas.so.12"], runpath="$ORIGIN/../../nvidia/cublas/lib", kernels=["sm_80", "sm_89", "sm_90"])
CTRANSLATE = library(constants=["libcublas.so.12", "libnccl.so.2"], kernels=["sm_80", "sm_86"])
CTRANSLATE_FINDS = library(
    constants=["libcublas.so.12"], runpath="$ORIGIN/../nvidia/cublas/lib", kernels=["sm_80", "sm_86"]
)


def libcuda_of(version: str) -> Library:
    return Library("libcuda", version, "/usr/lib/libcuda.so.1", "")


VISION_RECORD = {"SITE/torchvision-0.25.0.dist-info/RECORD": "torchvision/_C.so,sha256=x,123456\n"}
OLD_ABI = "_ZN3c105ErrorC2ENS_14SourceLocationESs"
WARN = "_ZN3c104warnERKNS_7WarningE"
ABI_TORCH = Env(
    {
        **TORCH.files,
        "SITE/torch/lib/libtorch_cuda.so": library(["libc10.so"], rpath="$ORIGIN"),
        "SITE/torch/lib/libc10.so": library(gives=[WARN]),
    },
    TORCH.dists,
)
CPLUSPLUS = {"libstdc++.so.6": ["GLIBCXX_3.4.30"]}


def with_cplusplus(*versions: str) -> "Env":
    """A torch beside a libstdc++ that has these versions."""
    root = library(["libstdc++.so.6"], rpath="$ORIGIN", needs=CPLUSPLUS)
    own = library(has=versions)
    files = {"SITE/torch/lib/libtorch_cuda.so": root, "SITE/torch/lib/libstdc++.so.6": own}
    return Env({**TORCH.files, **files}, TORCH.dists)


def linked_tensorflow(runpath: str) -> "Env":
    """A TensorFlow whose own library says where it looks."""
    framework = {"SITE/tensorflow/libtensorflow_framework.so.2": library(runpath=runpath)}
    return Env({**tensorflow("12.5"), **framework, **CUDA_LIBRARIES}, TF)


def without(env: "Env", path: str) -> "Env":
    return replace(env, files={name: data for name, data in env.files.items() if name != path})


def wheels(*packages: str) -> str:
    return ":".join(f"$ORIGIN/../nvidia/{name}/lib" for name in packages)


ALL_WHEELS = wheels("cuda_runtime", "cublas", "cudnn", "cufft", "cusolver", "cusparse")
SYSTEM_CUDA_12 = machine(
    libraries=(Library("cudart", "12.4.127", "/usr/local/cuda/lib64/libcudart.so.12", "/etc/ld.so.conf"),)
)


BY_RPATH = library(["libcudnn.so.9"], rpath="$ORIGIN/../../nvidia/cudnn/lib")
CUDA_11: dict[str, str | bytes] = {"SITE/nvidia/cublas/lib/libcublas.so.11": library()}


def shadow(name: str, file: str, version: str) -> Machine:
    library = Library(name, version, f"/opt/old/{file}", "LD_LIBRARY_PATH")
    return machine(libraries=(library,), environment={"LD_LIBRARY_PATH": "/opt/old"})


def libcuda(path: str, via: str = "LD_LIBRARY_PATH", **more: Any) -> Machine:
    return machine(libraries=(Library("libcuda", None, path, via),), **more)


SLURM_NODES = tuple(
    replace(node, access=False, error="Operation not permitted")
    if node.path in ("/dev/nvidia1", "/dev/nvidia2")
    else node
    for node in nodes("nvidia0", "nvidia1", "nvidia2", "nvidiactl", "nvidia-uvm")
)
CLOSED = nodes("nvidia0", "nvidiactl", "nvidia-uvm", access=False, error="Operation not permitted")
SLEPT = "PM: suspend exit"
UVM_LOADED = "nvidia-uvm: Loaded the UVM driver, major device number 511."
SLEEP_SERVICES = ("nvidia-resume.service", "nvidia-suspend.service")
NO_HMM_ROOM = "nvidia-uvm: uvm_pmm_gpu.c:3450 devmem_alloc_pagemap[pid:951] request_free_mem_region() err -34"
WSL_LIBCUDA = Library("libcuda", None, "/usr/lib/wsl/lib/libcuda.so.1", "WSL")
GCC = Compiler(
    "gcc", "/usr/bin/gcc", "PATH", ("/usr/lib/x86_64-linux-gnu/crt1.o", "/usr/lib/x86_64-linux-gnu/libc_nonshared.a")
)


def slept(preserve: str, *lines: str, **more: Any) -> Machine:
    """A machine whose kernel log has these lines, and whose driver saves memory or does not."""
    options = {"PreserveVideoMemoryAllocations": preserve, **more.pop("options", {})}
    return machine(kernel_log=lines, module_options=options, **{"services": (), **more})


def switched(manager: FabricManager | None, fabric: Fabric | None = None, **more: Any) -> Machine:
    """Eight cards with NVSwitches: of those before Hopper, NVML tells nothing about the fabric."""
    base = machine("h100x8-580", fabric_manager=manager, **more)
    return replace(base, gpus=tuple(replace(gpu, fabric=fabric) for gpu in base.gpus))


def errors(**counted: int) -> Machine:
    return machine(pci=(replace(card("2684")[0], errors=PcieErrors(**counted)),))


def two_drivers(*versions: str) -> Machine:
    """The loaded module is 550.54.15; libraries of several drivers, in the loader's order."""
    found = tuple(
        Library(name, version, f"/usr/lib/{n}/{name}.so.1", "file name")
        for n, version in enumerate(versions)
        for name in ("libcuda", "libnvidia-ml")
    )
    return machine("library-mismatch", driver={"library": versions[0]}, libraries=found, problems=())


def nix(folder: str) -> Machine:
    return machine(
        "wsl2-560", libraries=(WSL_LIBCUDA,), environment={"LD_LIBRARY_PATH": folder}, loader_knows_wsl=False
    )


CASES = [
    Case("gpu.none", machine("no-gpu"), GOOD),
    Case("gpu.fallen_off_bus", machine(problems=(Problem("nvml", "GPU is lost (15)"),)), GOOD),
    Case("gpu.ecc_error", machine(gpu={"ecc": BROKEN_ROWS}), machine(gpu={"ecc": WORN_ROWS})),
    Case(
        "info.ecc_recovered",
        machine(gpu={"ecc": WORN_ROWS}),
        machine(gpu={"ecc": Ecc(True, 0, RemappedRows(0, 0, False, False))}),
    ),
    Case(
        "perf.pcie_degraded",
        machine(gpu={"pcie": PcieLink(4, 4, 4, 16), "utilization_percent": 90}),
        machine(gpu={"pcie": PcieLink(1, 4, 4, 16), "utilization_percent": 0}),  # at rest
    ),
    Case(
        "perf.throttled",
        machine(gpu={"throttle_reasons": ("hw_thermal_slowdown",)}),
        machine(gpu={"throttle_reasons": ("sw_power_cap", "gpu_idle")}),
    ),
    Case(
        "info.power_capped",
        machine(gpu={"throttle_reasons": ("sw_power_cap",)}),
        machine(gpu={"throttle_reasons": ("gpu_idle",)}),
    ),
    Case("driver.not_loaded", machine(**NO_DRIVER, pci=card("2684", None)), GOOD),
    Case("driver.nouveau_bound", machine("nouveau"), machine(**NO_DRIVER, pci=card("2684", None))),
    Case(
        "driver.lib_kernel_mismatch",
        machine("library-mismatch"),
        machine(driver={"kernel": "550.54.15", "library": "550.54.15"}),
    ),
    Case(
        "driver.branch_dropped_gpu",
        machine("gtx1080ti-535", driver={"version": "590.44.01", "cuda": "13.1"}),
        machine("gtx1080ti-535", driver={"version": "580.65.06", "cuda": "13.0"}),
    ),
    Case(
        "driver.open_module_unsupported",
        machine("gtx1080ti-535", driver={"module": "open"}),
        machine(driver={"module": "open"}),
    ),
    Case(
        "driver.open_module_required",
        machine("rtx5090-570", driver={"module": "proprietary"}),
        machine("rtx5090-570", driver={"module": "open"}),
    ),
    Case("driver.stub_libcuda", libcuda("/usr/local/cuda/lib64/stubs/libcuda.so.1"), libcuda("/usr/lib/libcuda.so.1")),
    Case(
        "driver.compat_on_geforce",
        libcuda("/usr/local/cuda/compat/libcuda.so.1"),
        machine("h100x8-580", libraries=(Library("libcuda", None, "/usr/local/cuda/compat/libcuda.so.1", "x"),)),
    ),
    Case("driver.uvm_node_missing", machine(device_nodes=nodes("nvidia0", "nvidiactl")), machine(device_nodes=NODES)),
    Case(
        "dev.permission",
        machine(device_nodes=nodes("nvidia0", "nvidiactl", "nvidia-uvm", access=False, error="Permission denied")),
        machine(device_nodes=(*NODES, *nodes("nvidia-modeset", access=False, error="Permission denied"))),
    ),
    Case(
        "container.cgroup_revoked",
        machine(
            os={"container": "docker"},
            device_nodes=nodes("nvidia0", "nvidiactl", "nvidia-uvm", access=False, error="Operation not permitted"),
        ),
        machine(os={"container": "docker"}, device_nodes=NODES),
    ),
    Case(
        "container.no_gpu_exposed", machine("container-no-gpu"), machine(os={"container": "docker"}, device_nodes=NODES)
    ),
    Case(
        "container.caps_missing",
        machine(
            os={"container": "docker"},
            environment={"NVIDIA_DRIVER_CAPABILITIES": "graphics,utility"},
            libraries=(),
        ),
        machine(os={"container": "docker"}, environment={"NVIDIA_DRIVER_CAPABILITIES": "graphics,utility"}),
    ),
    Case("wsl.no_dxg", machine("wsl2-560", device_nodes=(), gpus=(), driver=None), machine("wsl2-560")),
    Case(
        "wsl.linux_driver_installed",
        machine(
            "wsl2-560", libraries=(Library("libcuda", "550.54.15", "/usr/lib/x86_64-linux-gnu/libcuda.so.1", "x"),)
        ),
        machine("wsl2-560", libraries=(Library("libcuda", None, "/usr/lib/wsl/lib/libcuda.so.1", "WSL"),)),
    ),
    Case(
        "slurm.no_gres",
        machine(environment={"SLURM_JOB_ID": "7"}, gpus=(), limits=Limits(slurm={"SLURM_JOB_ID": "7"})),
        machine(environment={"SLURM_JOB_ID": "7"}, limits=Limits(slurm={"SLURM_JOB_ID": "7", "SLURM_JOB_GPUS": "0"})),
    ),
    Case(
        "gpu.exclusive_mode",
        machine(gpu={"compute_mode": "exclusive_process", "processes": RUNNING}),
        machine(gpu={"compute_mode": "exclusive_process", "processes": ()}),
    ),
    Case(
        "gpu.memory_held",
        machine(gpu={"memory_used_mib": 24000, "processes": RUNNING}),
        machine(gpu={"memory_used_mib": 3000, "processes": RUNNING}),
    ),
    Case(  # at any amount
        "gpu.memory_held",
        machine(gpu={"memory_used_mib": 3000, "processes": (replace(RUNNING[0], state="Z", parent=4690),)}),
        machine(gpu={"memory_used_mib": 3000, "processes": (replace(RUNNING[0], state="S", parent=4690),)}),
    ),
    Case("env.cvd_empty", seen(""), seen("0", 0)),
    Case("env.cvd_empty", seen("-1"), machine(environment={})),
    Case("env.cvd_out_of_range", seen("3"), seen("0", 0)),
    Case("env.cvd_invalid", seen("all"), seen("GPU-0a1b", 0)),
    Case(
        "gpu.mig_needs_selection",
        machine("a100-mig-550", environment={"CUDA_VISIBLE_DEVICES": "1"}, visible_devices=VisibleDevices("1", ())),
        machine("a100-mig-550"),
    ),
    Case("info.mig_single_visible", machine("a100-mig-550"), GOOD),
    Case("env.jax_platforms_cpu", variables(JAX_PLATFORMS="cpu"), variables(JAX_PLATFORMS="cuda,cpu")),
    Case("env.accelerate_use_cpu", variables(ACCELERATE_USE_CPU="true"), variables(ACCELERATE_USE_CPU="false")),
    Case(
        "torch.cvd_uuid_bug",
        seen("GPU-0a1b", 0),
        seen("GPU-0a1b", 0),
        Env(torch("1.13.1+cu117", "11.7", CU126), ["torch==1.13.1"]),
        TORCH,
    ),
    Case(
        "dist.duplicate_install",
        GOOD,
        GOOD,
        Env(TORCH.files, ["torch==2.14.1", "torch==2.13.0"]),
        Env(TORCH.files, ["torch==2.14.1", "torchvision==0.29.1"]),
    ),
    Case(
        "lib.nvidia_dir_collision",
        GOOD,
        GOOD,
        Env({}, ["nvidia-cudnn-cu12==9.10.2.21", "nvidia-cudnn-cu13==9.20.0.48"]),
        Env({}, ["nvidia-cudnn-cu12==9.10.2.21", "nvidia-cublas-cu12==12.6.4.1"]),
    ),
    Case(
        "lib.nvidia_dist_conflict",
        GOOD,
        GOOD,
        Env(TORCH.files, ["torch==2.14.1; needs nvidia-cudnn-cu12==9.10.2.21", "nvidia-cudnn-cu12==9.20.0.48"]),
        Env(TORCH.files, ["torch==2.14.1; needs nvidia-cudnn-cu12==9.10.2.21", "nvidia-cudnn-cu12==9.10.2.21"]),
    ),
    Case(
        "torch.nvidia_dist_missing",
        GOOD,
        GOOD,
        Env(TORCH.files, ["torch==2.14.1; needs nvidia-cudnn-cu12==9.10.2.21 ; platform_system == 'Linux'"]),
        Env(TORCH.files, ["torch==2.14.1; needs nvidia-cudnn-cu12==9.10.2.21 ; platform_system == 'Windows'"]),
    ),
    Case(
        "lib.mixed_cuda_major",
        MODERN,
        MODERN,
        Env(
            {},
            ["torch==2.15.0; needs nvidia-cudnn-cu13==9.20", "jax-cuda12-plugin==0.10.2; needs nvidia-cudnn-cu12>=9"],
        ),
        # A package that is called cu12 for whom nobody asks is no second CUDA.
        Env({}, ["torch==2.15.0; needs nvidia-cudnn-cu13==9.20", "nvidia-cudnn-cu13==9.20", "nvidia-nvtx-cu12==12.6"]),
    ),
    Case(
        "lib.cudnn_shadowed",
        shadow("cudnn", "libcudnn.so.9", "9.1.0"),
        shadow("cudnn", "libcudnn.so.8", "8.9.7"),  # another soname is another library
        Env({**TORCH.files, **CUDA_LIBRARIES}, ["torch==2.14.1", "nvidia-cudnn-cu12==9.10.2.21"]),
        Env({**TORCH.files, **CUDA_LIBRARIES}, ["torch==2.14.1", "nvidia-cudnn-cu12==9.10.2.21"]),
    ),
    Case(
        "lib.ld_path_shadow",
        shadow("cublas", "libcublas.so.12", "12.1.3"),
        shadow("cublas", "libcublas.so.11", "11.8"),
        Env({**TORCH.files, **CUDA_LIBRARIES}, ["torch==2.14.1"]),
        Env({**TORCH.files, **CUDA_LIBRARIES}, ["torch==2.14.1"]),
    ),
    Case(
        "lib.cudnn_major_mismatch",
        GOOD,
        GOOD,
        Env({**tensorflow("12.2", "8"), **CUDA_LIBRARIES}, ["tensorflow==2.15.0", "nvidia-cudnn-cu12==9.1.0.70"]),
        Env({**tensorflow("12.5.1", "9"), **CUDA_LIBRARIES}, [*TF, "nvidia-cudnn-cu12==9.1.0.70"]),
    ),
    Case(
        "lib.cudnn_too_old",
        GOOD,
        GOOD,
        Env({**tensorflow("12.5.1", "9.3"), **CUDA_LIBRARIES}, [*TF, "nvidia-cudnn-cu12==9.1.0.70"]),
        Env({**tensorflow("12.5.1", "9.3"), **CUDA_LIBRARIES}, [*TF, "nvidia-cudnn-cu12==9.10.2.21"]),
    ),
    Case(  # since 0.4.30 JAX's plugin says it in its extra
        "lib.cudnn_too_old",
        GOOD,
        GOOD,
        Env(CUDA_LIBRARIES, [*JAX, "nvidia-cudnn-cu12==9.5.1.17"]),
        Env(CUDA_LIBRARIES, [*JAX, "nvidia-cudnn-cu12==9.8.0.87"]),
    ),
    Case(
        "provision.placeholder_package",
        GOOD,
        GOOD,
        Env(
            {"SITE/nvidia_cublas_cu13-0.0.1.dev5.dist-info/METADATA": "Name: nvidia-cublas-cu13\nVersion: 0.0.1.dev5\n"}
        ),
        Env({}, ["nvidia-cublas==13.4.1.3"]),
    ),
    Case(
        "numpy.abi_mismatch",
        GOOD,
        GOOD,
        Env(torch("2.1.2+cu121", "12.1", CU126), ["torch==2.1.2", "numpy==2.1.0"]),
        Env(torch("2.4.1+cu121", "12.1", CU126), ["torch==2.4.1", "numpy==2.1.0"]),
    ),
    Case(
        "ext.abi_mismatch",
        GOOD,
        GOOD,
        Env(torch("2.8.0+cu126", "12.6", CU126), ["torch==2.8.0", "torchcodec==0.8.0"]),
        Env(torch("2.8.0+cu126", "12.6", CU126), ["torch==2.8.0", "torchcodec==0.7.0"]),
    ),
    Case(
        "dist.refused",
        GOOD,
        GOOD,
        Env(torch("2.3.1+cu121", "12.1", CU126), ["torch==2.3.1", "transformers==5.2.0"]),
        Env(torch("2.3.1+cu121", "12.1", CU126), ["torch==2.3.1", "transformers==4.57.1"]),
    ),
    Case(
        "sys.glibc_too_old",
        machine(os={"libc": "glibc 2.17"}),
        GOOD,
        Env(
            {**TORCH.files, "SITE/torch-2.14.1+cu126.dist-info/WHEEL": "Tag: cp312-cp312-manylinux_2_28_x86_64\n"},
            TORCH.dists,
        ),
        Env(
            {**TORCH.files, "SITE/torch-2.14.1+cu126.dist-info/WHEEL": "Tag: cp312-cp312-manylinux_2_28_x86_64\n"},
            TORCH.dists,
        ),
    ),
    Case("torch.cpu_wheel", GOOD, machine("no-gpu"), CPU_TORCH, CPU_TORCH),
    Case("torch.cpu_wheel", GOOD, GOOD, CPU_TORCH, TORCH),
    Case(
        "torch.cpu_conda",
        GOOD,
        GOOD,
        Env(CPU_TORCH.files, CPU_TORCH.dists, ["pytorch-2.13.0-cpu_mkl_py312_h0_0"]),
        Env(TORCH.files, TORCH.dists, ["pytorch-2.13.0-cuda129_mkl_py312_h0_200"]),
    ),
    Case(
        "conda.pip_over_conda",
        GOOD,
        GOOD,
        of_conda(FORGE_TORCH, listed=[f"{IN_SITE}/torch-2.12.0.dist-info/METADATA"]),
        of_conda(FORGE_TORCH, listed=[OWN_INFO]),
    ),
    Case(
        "conda.files_damaged",
        GOOD,
        GOOD,
        of_conda(FORGE_TORCH, listed=[OWN_INFO, f"{IN_SITE}/torch/lib/libc10.so"], installer="conda"),
        of_conda(FORGE_TORCH, listed=[OWN_INFO, f"{IN_SITE}/torch/version.py"], installer="conda"),
    ),
    Case(
        "conda.cuda_version_too_new",
        GOOD,
        GOOD,
        of_conda(FORGE_TORCH, "conda-forge/cuda-version-13.0-h0", installer="conda"),
        of_conda(FORGE_TORCH, "conda-forge/cuda-version-12.9-h0", installer="conda"),
    ),
    Case(
        "conda.cuda_arch_too_new",
        machine("gtx1080ti-535"),
        GOOD,
        of_conda("conda-forge/kernels-1.0-arch80_0", *ARCH, depends=["__cuda", "cuda-arch >=8.0"], installer="conda"),
        of_conda("conda-forge/kernels-1.0-arch60_0", *ARCH, depends=["__cuda", "cuda-arch >=6.0"], installer="conda"),
    ),
    Case(
        "conda.toolkit_major",
        GOOD,
        GOOD,
        of_conda(FORGE_TORCH, "conda-forge/cuda-version-12.9-h0", "conda-forge/cudatoolkit-11.8.0-h0"),
        of_conda(
            "conda-forge/pytorch-2.1.0-cuda118_h0_200",
            "conda-forge/cuda-version-11.8-h0",
            "conda-forge/cudatoolkit-11.8.0-h0",
        ),
    ),
    Case(
        "conda.retired_channel",
        GOOD,
        GOOD,
        of_conda("pytorch/pytorch-2.5.1-py3.12_cuda12.4_cudnn9.1.0_0", installer="conda"),
        of_conda(FORGE_TORCH, installer="conda"),
    ),
    Case(
        "conda.mixed_channels",
        GOOD,
        GOOD,
        of_conda(FORGE_TORCH, "main/numpy-2.1.0-py312h0_0", installer="conda"),
        of_conda("main/pytorch-2.3.0-gpu_cuda121_0", "main/numpy-2.1.0-py312h0_0", installer="conda"),
    ),
    Case(
        "conda.classic_solver",
        machine(conda=(CondaInstallation("conda", "/opt/miniconda3", "23.5.2", "/opt"),)),
        machine(conda=(CondaInstallation("conda", "/opt/miniconda3", "24.5.0", "/opt"),)),
        of_conda(FORGE_TORCH, installer="conda"),
    ),
    Case("driver.too_old_for_runtime", GOOD, MODERN, NEW_TORCH, NEW_TORCH),
    # By minor-version compatibility: CUDA 12.8 on a driver of 12.4 is fine where cubins cover the card.
    Case(
        "driver.too_old_for_runtime",
        GOOD,
        GOOD,
        NEW_TORCH,
        Env(torch("2.10.0+cu128", "12.8", CU126), ["torch==2.10.0"]),
    ),
    Case(
        "driver.too_old_for_runtime",
        GOOD,
        MODERN,
        Env({**tensorflow("13.0"), **CUDA_LIBRARIES}, ["tensorflow==2.22.0"]),
    ),
    Case(
        "driver.too_old_for_runtime",
        GOOD,
        MODERN,
        Env({}, ["jax==0.10.2", "jaxlib==0.10.2", "jax-cuda13-plugin==0.10.2", "jax-cuda13-pjrt==0.10.2"]),
    ),
    Case(
        "torch.arch_unsupported_old",
        machine("gtx1080ti-535", driver={"version": "580.65.06", "cuda": "13.0"}),
        PASCAL,
        NEW_TORCH,
        TORCH,
    ),
    Case("torch.arch_unsupported_new", BLACKWELL, GOOD, TORCH, TORCH),  # an sm_86 cubin serves sm_89
    Case("torch.arch_mixed_gpus", BOTH_VISIBLE, machine("mixed-1080ti-3090-580"), NEW_TORCH, NEW_TORCH),
    Case("torch.jetson_wrong_wheel", ORIN, GRACE, NEW_TORCH, NEW_TORCH),
    Case(
        "torch.companion_mismatch",
        GOOD,
        GOOD,
        Env(TORCH.files, [*TORCH.dists, "torchvision==0.20.0; needs torch==2.5.0"]),
        Env(TORCH.files, [*TORCH.dists, "torchvision==0.29.1; needs torch==2.14.1"]),
    ),
    Case(  # by the local parts of their versions
        "torch.companion_mismatch",
        GOOD,
        GOOD,
        Env({**TORCH.files, "SITE/torchvision/version.py": "__version__ = '0.29.1+cu132'\n"}, TORCH.dists),
        Env({**TORCH.files, "SITE/torchvision/version.py": "__version__ = '0.29.1+cu126'\n"}, TORCH.dists),
    ),
    Case("tf.cpu_build", GOOD, machine("no-gpu"), Env(tensorflow(None), TF), Env(tensorflow(None), TF)),
    Case(
        "tf.aarch64_cpu_only",
        GRACE,
        GOOD,
        Env(tensorflow(None), TF),
        Env({**tensorflow("12.5.1"), **CUDA_LIBRARIES}, TF),
    ),
    Case("tf.windows_native_unsupported", WINDOWS, GOOD, Env(tensorflow(None), TF), Env(tensorflow(None), TF)),
    Case("tf.gpu_stub_package", GOOD, GOOD, Env({}, ["tensorflow-gpu==2.12.0"]), Env({}, ["tensorflow-gpu==2.11.0"])),
    Case(
        "tf.cuda_libs_missing",
        machine(libraries=()),
        machine(libraries=()),
        Env(tensorflow("12.5.1"), TF),
        Env({**tensorflow("12.5.1"), **CUDA_LIBRARIES}, TF),
    ),
    Case(
        "tf.cuda_libs_unreachable",
        GOOD,
        GOOD,
        Env({**tensorflow("12.3"), **CUDA_LIBRARIES}, ["tensorflow==2.16.1"]),
        Env({**tensorflow("12.3"), **CUDA_LIBRARIES}, ["tensorflow==2.16.2"]),
    ),
    Case(
        "tf.arch_unsupported_new",
        BLACKWELL,
        GOOD,
        Env({**tensorflow("12.5.1"), **CUDA_LIBRARIES}, TF),
        Env({**tensorflow("12.5.1"), **CUDA_LIBRARIES}, TF),
    ),
    Case(
        "jax.no_cuda_plugin",
        GOOD,
        GOOD,
        Env({}, ["jax==0.10.2", "jaxlib==0.10.2"]),
        Env({}, ["jax==0.10.2", "jaxlib==0.10.2", "jax-cuda12-plugin==0.10.2", "jax-cuda12-pjrt==0.10.2"]),
    ),
    Case(
        "jax.no_cuda_plugin",
        GOOD,
        machine("no-gpu"),
        Env({}, ["jax==0.10.2", "jaxlib==0.10.2"]),
        Env({}, ["jaxlib==0.10.2"]),
    ),
    Case(
        "jax.plugin_version_skew",
        GOOD,
        GOOD,
        Env({}, ["jax==0.10.2", "jaxlib==0.10.2", "jax-cuda12-plugin==0.9.0", "jax-cuda12-pjrt==0.10.2"]),
        Env({}, ["jax==0.10.2", "jaxlib==0.10.2", "jax-cuda12-plugin==0.10.2.1", "jax-cuda12-pjrt==0.10.2"]),
    ),
    Case("jax.windows_unsupported", WINDOWS, GOOD, Env({}, ["jaxlib==0.10.2"]), Env({}, ["jaxlib==0.10.2"])),
    Case(
        "ort.cpu_and_gpu_both",
        GOOD,
        GOOD,
        Env({}, ["onnxruntime==1.23.0", "onnxruntime-gpu==1.23.0"]),
        Env({}, ["onnxruntime-gpu==1.23.0"]),
    ),
    Case(
        "driver.module_missing_for_kernel",
        machine(**NO_DRIVER, pci=card("2684", None), kernel_modules=("6.5.0-41-generic",)),
        machine(**NO_DRIVER, pci=card("2684", None), kernel_modules=("6.5.0-44-generic",)),
    ),
    Case(
        "driver.secureboot_rejected",
        machine(**NO_DRIVER, pci=card("2684", None), kernel_modules=("6.5.0-44-generic",), os={"secure_boot": True}),
        machine(**NO_DRIVER, pci=card("2684", None), kernel_modules=("6.5.0-44-generic",), os={"secure_boot": False}),
    ),
    Case("bnb.binary_missing", GOOD, GOOD, bitsandbytes("117", "118"), bitsandbytes("118", "126")),
    # A release that takes the nearest one of the same major, and one that does not.
    Case("bnb.binary_missing", GOOD, GOOD, bitsandbytes("128"), bitsandbytes("128", source="lowest, same major")),
    Case(
        "ext.cpu_only",
        GOOD,
        GOOD,
        Env({**TORCH.files, "SITE/xformers/cpp_lib.json": '{"version": {"cuda": null}}'}, ["xformers==0.0.33"]),
        Env({**TORCH.files, "SITE/xformers/cpp_lib.json": '{"version": {"cuda": 1206}}'}, ["xformers==0.0.33"]),
    ),
    Case(
        "windows.dll_missing",
        WINDOWS,
        WINDOWS,
        Env({"Lib/site-packages/torch/lib/c10.dll": b"", "Windows/System32/vcruntime140.dll": b""}),
        Env(
            {
                "Lib/site-packages/torch/lib/c10.dll": b"",
                **{f"Windows/System32/{name}140{more}.dll": b"" for name, more in VC_RUNTIME},
            }
        ),
    ),
    Case(
        "ext.abi_mismatch",
        GOOD,
        GOOD,
        Env({**TORCH.files, "SITE/xformers/cpp_lib.json": '{"version": {"cuda": 1204}}'}, ["xformers==0.0.33"]),
        Env({**TORCH.files, "SITE/xformers/cpp_lib.json": '{"version": {"cuda": 1206}}'}, ["xformers==0.0.33"]),
    ),
    Case(
        "xla.libdevice_missing",
        machine(toolkits=()),
        machine(toolkits=()),
        Env({**tensorflow("12.5.1"), **CUDA_LIBRARIES}, TF),
        Env({**tensorflow("12.5.1"), **CUDA_LIBRARIES, f"SITE/nvidia/cuda_nvcc/{LIBDEVICE}": b"BC"}, TF),
    ),
    Case(  # conda's, where it lies elsewhere
        "xla.libdevice_missing",
        machine(toolkits=()),
        machine(toolkits=()),
        Env({}, conda=["jaxlib-0.4.31-cuda126py312h0000000_200"]),
        Env({"nvvm/libdevice/libdevice.10.bc": b"BC"}, conda=["jaxlib-0.4.31-cuda126py312h0000000_200"]),
    ),
    Case(  # one card without a handle; where none has one, it is another matter
        "gpu.fallen_off_bus",
        machine("rtx3090x2-535-debian", gpu={"unread": {"handle": "Unknown Error"}}),
        machine(gpu={"unread": {"handle": "Unknown Error"}}),
    ),
    # A framework failed: the log would say more. Where nothing failed it is only not checked.
    Case(
        "info.kernel_log_unreadable",
        machine(kernel_log=None),
        machine(kernel_log=None),
        replace(TORCH, ran=(Ran("torch", None, error="CUDA error", imported=True),)),
        TORCH,
    ),
    Case("gpu.not_listed", machine(gpus=()), machine(gpus=(), os={"container": "docker"})),
    Case(  # the driver ignores one of two: the other one works; and a user for whom one is closed
        "gpu.not_listed",
        machine(pci=(*card("2684"), PciDevice("0000:02:00.0", "10de:2684", "0x030000", "nvidia"))),
        machine(
            pci=(*card("2684"), PciDevice("0000:02:00.0", "10de:2684", "0x030000", "nvidia")),
            device_nodes=(*NODES, *nodes("nvidia1", access=False, error="Permission denied")),
        ),
    ),
    Case(
        "gpu.init_failed",
        log("NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x26:0x56:1474)", gpus=()),
        log("NVRM: ok"),
    ),
    Case("gpu.fallen_off_bus", log("NVRM: Xid (PCI:0000:01:00): 79, pid=7, GPU has fallen off the bus."), log(XID_13)),
    Case("gpu.ecc_error", log("NVRM: Xid (PCI:0000:01:00): 48, pid=7, DBE"), log(XID_13)),
    Case(
        "triton.libcuda_not_in_ldcache",
        libcuda("/opt/driver/libcuda.so.1"),
        libcuda("/usr/lib/x86_64-linux-gnu/libcuda.so.1", "/etc/ld.so.conf"),
        TORCH,
        TORCH,
    ),
    Case("provision.cu13_stub_name", GOOD, GOOD, asks("nvidia-cusparse-cu13"), asks("nvidia-cudnn-cu13")),
    Case("provision.no_wheel_for_python", GOOD, GOOD, asks("torch", python="3.6"), asks("torch")),
    Case("tf.gpu_stub_package", GOOD, GOOD, asks("tensorflow-gpu"), asks("tensorflow-gpu==2.10.1")),
    Case("jupyter.bang_pip", GOOD, GOOD, Env(project=Project(bang_pip=("a.ipynb, cell 1",))), Env(project=Project())),
    Case(
        "lib.duplicate_openmp",
        GOOD,
        GOOD,
        Env({"SITE/torch/lib/libiomp5.so": b"a", "SITE/ctranslate2.libs/libiomp5-1.so": b"b"}),
        Env({"SITE/torch/lib/libiomp5.so": b"a", "SITE/x/libgomp.so.1": b"b"}),
    ),
    Case(
        "ext.abi_mismatch",
        GOOD,
        GOOD,
        Env(TORCH.files, [*TORCH.dists, "xformers==0.0.24; needs torch==2.2.0"]),
        Env(TORCH.files, [*TORCH.dists, "xformers==0.0.33; needs torch==2.14.1", "x==1; needs torch>=2"]),
    ),
    Case("run.import_failed", GOOD, GOOD, deep(error="ImportError: libcudnn.so.9"), deep(devices=1, worked=(0,))),
    Case(
        "run.operation_failed",
        GOOD,
        GOOD,
        deep(error="RuntimeError: no kernel image is available", imported=True),
        deep(devices=1, worked=(0,)),
    ),
    Case("run.operation_failed", GOOD, GOOD, deep(devices=2, worked=(0,)), deep(devices=2, worked=(0, 1))),
    Case("run.gpu_not_seen", GOOD, machine("no-gpu"), deep(devices=0), deep(devices=0)),
    Case("jupyter.kernel_wrong_python", GOOD, GOOD, kernel("/other"), kernel(None)),
    Case("jupyter.kernel_env_differs", GOOD, GOOD, kernel(None, CUDA_VISIBLE_DEVICES=""), kernel(None, LANG="C")),
    Case("env.accelerate_use_cpu", GOOD, GOOD, accelerate("use_cpu: true"), accelerate("use_cpu: false")),
    Case(
        "lib.venv_lib_lib64_split",
        GOOD,
        GOOD,
        Env({**TORCH.files, **HALF}, TORCH.dists),
        Env(TORCH.files, [*TORCH.dists, "nvidia-cudnn-cu12==9.10.2.21"]),
    ),
    Case(
        "ext.arch_unsupported",
        machine("rtx5090-570"),
        machine("h100x8-580"),
        extension(FLASH, FLASH_FILE, library(kernels=["sm_80", "sm_90"]), Env()),
    ),
    Case(  # sm_86 kernels serve sm_89, and PTX is compiled
        "ext.arch_unsupported",
        PASCAL,
        GOOD,
        extension(FLASH, FLASH_FILE, library(kernels=["sm_80", "sm_86"]), TORCH),
    ),
    Case(
        "ext.cuda_libs_missing",
        GOOD,
        GOOD,
        extension("onnxruntime-gpu==1.23.0", PROVIDER, ORT_NEEDS, Env(CUDA_LIBRARIES)),
        extension("onnxruntime-gpu==1.23.0", PROVIDER, ORT_FINDS, Env(CUDA_LIBRARIES)),
    ),
    # Opened by name, in whatever version the package knows; and by torch before it.
    Case(
        "ext.cuda_libs_missing",
        GOOD,
        GOOD,
        extension("ctranslate2==4.8.5", "ctranslate2/lib.so", CTRANSLATE, Env()),
        extension("ctranslate2==4.8.5", "ctranslate2/lib.so", CTRANSLATE_FINDS, Env(CUDA_LIBRARIES)),
    ),
    Case(  # by what it holds: nobody needs to know the name
        "ext.arch_unsupported",
        BLACKWELL,
        GOOD,
        extension("somebodys-kernels==1.0", "somebody/ops.so", library(kernels=["sm_80", "sm_86"]), Env()),
    ),
    Case(
        "sys.glibc_too_old",
        machine(os={"libc": "glibc 2.31"}),
        GOOD,
        extension(FLASH, FLASH_FILE, library(kernels=["sm_80", "sm_86"], needs={"libc.so.6": ["GLIBC_2.32"]}), Env()),
    ),
    Case(
        "dist.files_missing",
        GOOD,
        GOOD,
        Env(VISION_RECORD, ["torchvision==0.25.0"]),
        Env({**VISION_RECORD, "SITE/torchvision/_C.so": library()}, ["torchvision==0.25.0"]),
    ),
    Case(
        "provision.wrong_package",
        GOOD,
        GOOD,
        Env({}, ["apex==0.9.10.dev0"]),
        extension("apex==0.1", "apex/amp_C.so", library(["libc10.so"], kernels=["sm_80", "sm_86"]), Env()),
    ),
    Case(
        "provision.wrong_package",
        GOOD,
        GOOD,
        Env(project=Project(wanted=(wanted("apex", "requirements.txt"),))),
        Env(project=Project(wanted=(wanted("apex @ git+https://github.com/NVIDIA/apex", "requirements.txt"),))),
    ),
    Case(
        "provision.placeholder_package",
        GOOD,
        GOOD,
        Env({"SITE/nvidia_nvtx-13.2.0.dist-info/RECORD": "a,,\n" * 5}, ["nvidia-nvtx==13.2.0"]),
        Env({"SITE/nvidia_nvtx-13.2.0.dist-info/RECORD": "a,,\n" * 5}, ["nvidia-nvtx==13.2.0; needs nvidia-nvtx-real"]),
    ),
    Case("provision.dead_package", GOOD, GOOD, Env({}, ["torchtext==0.18.0"]), Env({}, ["torchdata==0.11.0"])),
    Case(
        "ext.cpu_only",
        GOOD,
        GOOD,
        extension("lightgbm==4.7.0", "lightgbm/lib/lib_lightgbm.so", library(), Env()),
        extension("lightgbm==4.7.0", "lightgbm/lib/lib_lightgbm.so", library(kernels=["sm_89"]), Env()),
    ),
    Case(  # without a GPU nobody misses them
        "ext.cuda_libs_missing",
        GOOD,
        machine("no-gpu"),
        extension("onnxruntime-gpu==1.23.0", PROVIDER, ORT_NEEDS, Env()),
    ),
    Case(
        "ext.abi_mismatch",
        GOOD,
        GOOD,
        extension(FLASH, FLASH_FILE, library(["libc10.so"], takes=[OLD_ABI]), ABI_TORCH),
        extension(FLASH, FLASH_FILE, library(["libc10.so"], takes=[WARN, "malloc"]), ABI_TORCH),
    ),
    Case(
        "lib.libstdcxx_too_old",
        GOOD,
        GOOD,
        with_cplusplus("GLIBCXX_3.4.28"),
        with_cplusplus("GLIBCXX_3.4.28", "GLIBCXX_3.4.30"),
    ),
    Case(
        "driver.jit_ptx_too_new",
        machine("gtx1080ti-535"),
        machine("h100x8-580"),
        Env({}, ["cupy-cuda12x==14.0.0", "nvidia-cuda-nvrtc-cu12==12.9.86"]),
    ),
    Case(  # torch brings NVRTC too, and its kernels are compiled already
        "driver.jit_ptx_too_new",
        machine("gtx1080ti-535"),
        machine("gtx1080ti-535"),
        Env({}, ["numba-cuda==0.20.0", "nvidia-cuda-nvrtc-cu12==12.9.86"]),
        Env(torch("2.9.1+cu126", "12.6", CU126), ["torch==2.9.1", "nvidia-cuda-nvrtc-cu12==12.6.77"]),
    ),
    Case(
        "ok.arch_minor_compatible",
        described(Description("580.95.05", ("GB10",), "linux-aarch64", "2.39"), None, "", FACTS.book.facts),
        BLACKWELL,
        Env(torch("2.9.1+cu130", "13.0", CU132), ["torch==2.9.1"]),
    ),
    Case(
        "tf.cuda_libs_unreachable", GOOD, GOOD, linked_tensorflow("$ORIGIN/../nowhere"), linked_tensorflow(ALL_WHEELS)
    ),
    Case(
        "tf.cuda_libs_missing",
        GOOD,
        GOOD,
        without(linked_tensorflow(ALL_WHEELS), "SITE/nvidia/cufft/lib/libcufft.so.11"),
        linked_tensorflow(ALL_WHEELS),
    ),
    Case(
        "lib.mixed_cuda_major",
        GOOD,
        GOOD,
        Env({**TORCH.files}, [*TORCH.dists, "tensorrt-cu13==10.14.1"]),
        Env({**TORCH.files}, [*TORCH.dists, "tensorrt-cu12==10.14.1"]),
    ),
    Case(
        "lib.mixed_cuda_major",
        MODERN,
        MODERN,
        Env(cudnn_for("libcublasLt.so.12"), ["torch==2.13.0", "nvidia-cudnn-cu13==9.14.0.64"]),
        Env(cudnn_for("libcublasLt.so.13"), ["torch==2.13.0", "nvidia-cudnn-cu13==9.14.0.64"]),
    ),
    Case(
        "lib.mixed_cuda_major",
        SYSTEM_CUDA_12,
        SYSTEM_CUDA_12,
        Env({}, ["cupy-cuda11x==12.0.0"]),
        Env({}, ["cupy-cuda12x==12.0.0"]),
    ),
    Case(
        "lib.mixed_cuda_major",
        GOOD,
        GOOD,
        Env(
            {"SITE/nvidia/cusolver/lib/libcusolver.so.11": library(["libnvJitLink.so.12"])},
            ["nvidia-tensorflow==1.15.5"],
        ),
        Env({"SITE/nvidia/cusolver/lib/libcusolver.so.11": library(["libcublas.so.11"]), **CUDA_11}, []),
    ),
    Case(
        "ext.cpu_only",
        GRACE,
        GRACE,
        extension("xgboost==3.1.0", "xgboost/lib/libxgboost.so", library(), Env()),
        extension("xgboost==3.1.0", "xgboost/lib/libxgboost.so", library(kernels=["sm_90"]), Env()),
    ),
    Case("ext.cpu_only", GRACE, GRACE, Env({}, ["onnxruntime==1.23.0"]), Env({}, ["onnxruntime-gpu==1.23.0"])),
    Case(  # its module looked at the card, said so, and unloaded itself
        "driver.branch_dropped_gpu",
        log("NVRM:  information.  The 595.71.05 NVIDIA driver will ignore", **NO_DRIVER, pci=card("1c81", None)),
        log("NVRM: loading NVIDIA UNIX x86_64 Kernel Module", **NO_DRIVER, pci=card("1c81", None)),
    ),
    Case(
        "driver.branch_dropped_gpu",
        machine(
            **NO_DRIVER,
            pci=card("1c81", None),
            libraries=(Library("libcuda", "595.71.05", "/usr/lib/libcuda.so.1", ""),),
        ),
        machine(
            **NO_DRIVER,
            pci=card("1c81", None),
            libraries=(Library("libcuda", "580.95.05", "/usr/lib/libcuda.so.1", ""),),
        ),
    ),
    Case(
        "driver.not_loaded",
        log("NVRM: nothing", **NO_DRIVER, pci=card("1c81", None)),
        log("NVRM:  information.  The 595.71.05 NVIDIA driver will ignore", **NO_DRIVER, pci=card("1c81", None)),
    ),
    Case("gpu.pcie_errors", errors(correctable=4100), errors(correctable=40)),
    Case("gpu.pcie_errors", errors(nonfatal=3, rejected=1), errors(nonfatal=2, rejected=2)),  # requests not supported
    Case("gpu.pcie_errors", errors(fatal=1), machine(pci=card("2684"))),  # not counted by this kernel
    Case(
        "ok.pcie_idle_downshift",
        machine(gpu={"pcie": PcieLink(1, 4, 8, 16), "utilization_percent": 0}),
        machine(gpu={"pcie": PcieLink(1, 4, 16, 16), "utilization_percent": 0}),  # the generation alone
    ),
    Case(
        "perf.throttled",
        machine(gpu={"power_limit_w": 240.0, "power_limit_default_w": 400.0, "throttle_reasons": ("sw_power_cap",)}),
        machine(gpu={"power_limit_w": 350.0, "power_limit_default_w": 400.0, "throttle_reasons": ("sw_power_cap",)}),
    ),
    Case(  # a laptop lowers it by itself
        "perf.throttled",
        machine(gpu={"power_limit_w": 35.0, "power_limit_default_w": 80.0}),
        machine(
            gpu={
                "name": "NVIDIA GeForce RTX 4060 Laptop GPU",
                "power_limit_w": 35.0,
                "power_limit_default_w": 80.0,
            }
        ),
    ),
    Case(
        "gpu.ecc_error",
        machine(gpu={"ecc": Ecc(True, 2, RemappedRows(0, 1, False, False))}),
        machine(gpu={"ecc": Ecc(True, 1, RemappedRows(0, 1, False, False))}),  # replaced: nothing is left to do
    ),
    Case(  # the log keeps what a reset has mended
        "gpu.ecc_error",
        log("NVRM: Xid (PCI:0000:01:00): 94, pid=7, Contained"),
        log(
            "NVRM: Xid (PCI:0000:01:00): 94, pid=7, Contained",
            gpu={"ecc": Ecc(True, 0, RemappedRows(0, 1, False, False))},
        ),
    ),
    Case(
        "gpu.fabric_not_ready",
        switched(FabricManager("580.65.06", True), Fabric("in_progress")),
        switched(FabricManager("580.65.06", True), Fabric("completed", 0)),
    ),
    Case(  # one card of such a system, given to a container
        "gpu.fabric_not_ready",
        machine("h200-580", os={"container": "docker"}, gpu={"fabric": Fabric("not_started")}),
        machine("h200-580", os={"container": "docker"}, gpu={"fabric": Fabric("not_supported")}),
    ),
    Case("gpu.fabric_not_ready", switched(FabricManager(None, False)), switched(FabricManager(None, True))),
    Case(  # the host's processes cannot be seen from a container
        "gpu.fabric_not_ready",
        switched(FabricManager(None, False)),
        switched(FabricManager(None, False), os={"container": "docker"}),
    ),
    Case(
        "gpu.fabric_not_ready",
        switched(FabricManager("575.57.08", None)),
        switched(FabricManager("580.65.06", None)),
    ),
    Case(
        "gpu.fabric_not_ready",
        switched(FabricManager(None, False)),
        switched(FabricManager(None, False), module_options={"NvLinkDisable": "1"}),
    ),
    Case("driver.uvm_stale", slept("0", UVM_LOADED, SLEPT), slept("0", SLEPT, UVM_LOADED)),
    Case(
        "driver.uvm_stale",
        slept("1", UVM_LOADED, SLEPT),
        slept("1", UVM_LOADED, SLEPT, services=SLEEP_SERVICES),
    ),
    Case(  # the kernel calls the driver itself
        "driver.uvm_stale",
        slept("0", UVM_LOADED, SLEPT),
        slept("0", UVM_LOADED, SLEPT, options={"UseKernelSuspendNotifiers": "1"}),
    ),
    Case("driver.uvm_stale", slept("0", SLEPT), log(SLEPT, module_options=None, services=())),  # not known
    Case(
        "driver.uvm_stale",
        slept("0", SLEPT),
        slept("0", SLEPT),
        deep(error="RuntimeError: CUDA unknown error", imported=True),
        deep(devices=1, worked=(0,)),
    ),
    Case(
        "driver.uvm_hmm_bug",
        log(NO_HMM_ROOM, module_options={"uvm_disable_hmm": "N"}),
        log(NO_HMM_ROOM, module_options={"uvm_disable_hmm": "Y"}),  # mended since
    ),
    Case(  # by the error alone: not where a fabric may be the reason
        "driver.uvm_hmm_bug",
        machine(gpu={"fabric": Fabric("not_supported")}, module_options={"uvm_disable_hmm": "N"}),
        switched(FabricManager(None, True), module_options={"uvm_disable_hmm": "N"}),
        deep(error="CUDA driver initialization failed: system not yet initialized", imported=True),
    ),
    Case("driver.lib_kernel_mismatch", two_drivers("535.183.01", "550.54.15"), two_drivers("550.54.15", "535.183.01")),
    Case(
        "driver.uvm_node_missing",
        machine(device_nodes=nodes("nvidia0", "nvidiactl"), nvidia_modprobe=False),
        machine(device_nodes=nodes("nvidia0", "nvidiactl"), nvidia_modprobe=True),
    ),
    Case(  # Slurm gives a job one of three cards, and closes the others
        "container.cgroup_revoked",
        machine(os={"container": "docker"}, device_nodes=CLOSED),
        machine(os={"container": "docker"}, device_nodes=SLURM_NODES),
    ),
    Case(  # CDI says so beside the devices that it gives
        "container.caps_missing",
        machine(os={"container": "podman"}, environment={"NVIDIA_VISIBLE_DEVICES": "void"}, device_nodes=()),
        machine(os={"container": "podman"}, environment={"NVIDIA_VISIBLE_DEVICES": "void"}, device_nodes=NODES),
    ),
    Case(  # a job for the CPU, on a node without GPUs
        "slurm.no_gres",
        machine(environment={"SLURM_JOB_ID": "7"}, gpus=(), limits=Limits(slurm={"SLURM_JOB_ID": "7"})),
        machine("no-gpu", environment={"SLURM_JOB_ID": "7"}, limits=Limits(slurm={"SLURM_JOB_ID": "7"})),
    ),
    Case(  # MPS: its server has the card, and lets others in
        "gpu.exclusive_mode",
        machine(gpu={"compute_mode": "exclusive_process", "processes": RUNNING}),
        machine(
            gpu={
                "compute_mode": "exclusive_process",
                "processes": (GpuProcess(99, "compute", "nvidia-cuda-mps-server", 30),),
            }
        ),
    ),
    Case(  # a container on WSL gets its libcuda from its engine
        "wsl.linux_driver_installed",
        machine("wsl2-560", libraries=(Library("libcuda", None, "/usr/lib/x86_64-linux-gnu/libcuda.so.1", "x"),)),
        machine(
            "wsl2-560",
            os={"container": "docker"},
            libraries=(Library("libcuda", None, "/usr/lib/x86_64-linux-gnu/libcuda.so.1", "x"),),
        ),
    ),
    Case("wsl.libcuda_unreachable", nix(""), nix("/usr/lib/wsl/lib"), TORCH),
    Case(
        "wsl.libcuda_unreachable",
        machine("wsl2-560", libraries=(WSL_LIBCUDA,), loader_knows_wsl=False),
        machine("wsl2-560", libraries=(WSL_LIBCUDA,), loader_knows_wsl=None),  # not read
    ),
    Case("triton.no_c_compiler", machine(compilers=()), machine(compilers=None), TORCH),
    Case("triton.no_c_compiler", machine(compilers=()), machine(compilers=()), TORCH, CPU_TORCH),
    Case(
        "triton.no_c_compiler",
        machine(compilers=(replace(GCC, files=("/usr/lib/x86_64-linux-gnu/crt1.o",)),)),
        machine(compilers=(GCC,)),
        TORCH,
    ),
    Case(  # one that brings its own files, as conda's and Nix's do
        "triton.no_c_compiler",
        machine(compilers=(replace(GCC, files=()),)),
        machine(compilers=(replace(GCC, files=None),)),
        TORCH,
    ),
    Case(  # found by RPATH, which comes before the variable
        "lib.cudnn_shadowed",
        shadow("cudnn", "libcudnn.so.9", "9.1.0"),
        shadow("cudnn", "libcudnn.so.9", "9.1.0"),
        Env({**NEW_TORCH.files, **CUDA_LIBRARIES}, NEW_TORCH.dists),
        Env({**NEW_TORCH.files, **CUDA_LIBRARIES, "SITE/torch/lib/libtorch_cuda.so": BY_RPATH}, NEW_TORCH.dists),
    ),
]


def made(folder: Path, env: Env | None) -> Path | None:
    if env is None:
        return None
    prefix = tree(folder, env.files, env.dists, env.python)
    if env.conda:
        (prefix / "pyvenv.cfg").unlink()
        (prefix / "conda-meta").mkdir(exist_ok=True)
        for name in env.conda:
            record = prefix / "conda-meta" / f"{name}.json"
            if not record.exists():
                record.write_text("{}")
    return prefix


def world_of(machine: Machine, folder: Path, env: Env | None) -> World:
    prefix = made(folder, env)
    found = environment(prefix, {"HF_HOME": f"{prefix}/home", "SYSTEMROOT": f"{prefix}/Windows"}) if prefix else None
    if found and env:
        found = replace(found, kernel=env.kernel, active=env.active, ran=env.ran)
    return World(machine, found, FACTS, env.project if env else None)


def looked(machine: Machine, folder: Path, env: Env | None) -> Report:
    return diagnose(world_of(machine, folder, env))


@pytest.mark.parametrize("case", CASES, ids=[f"{case.id}-{number}" for number, case in enumerate(CASES)])
def test_the_finding_and_its_opposite(case: Case, tmp_path: Path) -> None:
    found = looked(case.machine, tmp_path / "a", case.env)
    mine = [one for one in found.findings if one.id == case.id]
    assert mine, f"found {[one.id for one in found.findings]}, not checked {found.skipped}"
    assert all(one.evidence and all(e.fact and e.via for e in one.evidence) for one in mine)
    for change in (one.fix.change for one in mine if one.fix and one.fix.change):
        assert all(wanted(text) for text in change.install), "what repair would install is no requirement"
    alike = looked(case.not_machine, tmp_path / "b", case.not_env if case.not_env else case.env)
    assert case.id not in [one.id for one in alike.findings]


def test_every_finding_has_a_case() -> None:
    of_files = {case.id for case in FILE_CASES}
    assert {case.id for case in CASES} | of_files == {kind.id for kind in every_kind()}
