"""Sixty public threads that were set aside before the code was written, and turned into worlds after it was done.

At the first look doctor named what is the matter in 52 of them. What it does not name today is in `OPEN`, with why.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cudafit.app.said import explained
from cudafit.doctor.diagnose import diagnose
from cudafit.doctor.world import World
from cudafit.env.inventory import read_inventory
from cudafit.env.prefixes import at
from cudafit.files import Files
from cudafit.model.environment import Kernel, Ran
from cudafit.model.frozen import frozen
from cudafit.model.machine import (
    DeviceNode,
    Driver,
    Fabric,
    FabricManager,
    GpuProcess,
    Library,
    Limits,
    Machine,
    PciDevice,
    Toolkit,
    VisibleDevices,
)
from cudafit.model.project import Project
from cudafit.model.requirement import wanted
from tests.doctor.test_cases import GONE, WSL, loaded
from tests.doctor.test_cases import there as made_there
from tests.doctor.worlds import FACTS, machine, tensorflow, torch, tree
from tests.elf_files import library


@frozen
class Thread:
    """A thread, what its answer was, and the world that it tells of."""

    url: str
    finding: str
    machine: Machine
    dists: Sequence[str] = ()
    files: Mapping[str, str | bytes] | None = None
    conda: Sequence[str] = ()
    system: Mapping[str, bytes] | None = None
    variables: Mapping[str, str] | None = None
    python: str = "3.12"
    kernel: Kernel | None = None
    active: str | None = None
    ran: Ran | None = None
    wants: Sequence[str] = ()


THREADS: list[Thread] = []


def w(url: str, finding: str, seen: Machine, dists: Sequence[str] = (), files: Any = None, **more: Any) -> None:
    THREADS.append(Thread(url, finding, seen, dists, files, **more))


def there(*gpus: str, **more: Any) -> Machine:
    told = dict(more.pop("os", {}))
    late = {name: told.pop(name) for name in ("distro", "kernel") if name in told}
    made = made_there(*gpus, os=told, **more)
    return replace(made, os=replace(made.os, **late))


CU124 = "sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90"
CU121 = CU124
CU118 = "sm_37 sm_50 sm_60 sm_70 sm_75 sm_80 sm_86"
CU128 = "sm_70 sm_75 sm_80 sm_86 sm_90 sm_100 sm_120"
CU102 = "sm_37 sm_50 sm_60 sm_70"
UB = "/usr/lib/x86_64-linux-gnu"


def windows(*gpus: str, driver: str = "560.94", **more: Any) -> Machine:
    return there(*gpus, driver=driver, platform="windows-x86_64", pci=None, libraries=None, **more)


def cub(cuda: str) -> dict[str, bytes]:
    names = ("cub", "thrust")
    one = library([f"libcudart.so.{cuda}"], kernels=FATS)
    return {f"SITE/cupy/cuda/{name}.cpython-312-x86_64-linux-gnu.so": one for name in names}


def softlink(cuda: str) -> dict[str, bytes]:
    """cupy from 13 on opens its libraries by name."""
    opened = [f"libnvrtc.so.{cuda}", f"libcublas.so.{cuda}"]
    return {
        "SITE/cupy/cuda/cub.cpython-312-x86_64-linux-gnu.so": library(kernels=FATS, constants=opened),
        "SITE/cupy_backends/cuda/libs/nvrtc.cpython-312-x86_64-linux-gnu.so": library(constants=opened[:1]),
    }


def nodes(
    mode: str, group: str, error: str | None = None, names: Sequence[str] = ("nvidia0", "nvidiactl", "nvidia-uvm")
) -> tuple[DeviceNode, ...]:
    return tuple(DeviceNode(f"/dev/{n}", mode, "root", group, access=error is None, error=error) for n in names)


def lib(name: str, version: str | None, path: str, via: str = "/etc/ld.so.conf") -> Library:
    return Library(name, version, path, via)


FATS = ["sm_60", "sm_70", "sm_80", "sm_86", "sm_90"]


def ct2(version: str) -> dict[str, str | bytes]:
    """ctranslate2 before 4.5: a shell of cuDNN 8 lies beside it, and cuBLAS is opened by name."""
    shell, own = "ctranslate2.libs/libcudnn-74a4c495.so.8.1.0", f"ctranslate2.libs/libctranslate2-d363.so.{version}"
    return {
        f"SITE/{shell}": library(constants=["libcudnn_ops_infer.so.8", "libcudnn_cnn_infer.so.8"]),
        f"SITE/{own}": library(
            [shell.partition("/")[2]], runpath="$ORIGIN", constants=["libcublas.so.12"], kernels=FATS
        ),
        f"SITE/ctranslate2-{version}.dist-info/RECORD": f"{shell},sha256=x,200000\n{own},sha256=x,90000000\n",
    }


T231 = {
    **torch("2.3.1+cu121", "12.1", CU121),
    **{
        k: library()
        for k in (
            "SITE/nvidia/cublas/lib/libcublas.so.12",
            "SITE/nvidia/cudnn/lib/libcudnn.so.8",
            "SITE/nvidia/cudnn/lib/libcudnn_ops_infer.so.8",
        )
    },
    "SITE/torch/lib/libtorch_cuda.so": library(
        ["libcublas.so.12", "libcudnn.so.8"], rpath="$ORIGIN/../../nvidia/cublas/lib:$ORIGIN/../../nvidia/cudnn/lib"
    ),
}
w(
    "https://github.com/jianfch/stable-ts/issues/368",
    "ext.cuda_libs_missing",
    there("RTX 3090", driver="550.54.15"),
    [
        "torch==2.3.1",
        "faster-whisper==1.0.2",
        "ctranslate2==4.3.1",
        "stable-ts==2.17.3",
        "nvidia-cudnn-cu12==8.9.2.26",
        "nvidia-cublas-cu12==12.1.3.1",
    ],
    {**T231, **ct2("4.3.1")},
    python="3.10",
)
w(
    "https://github.com/SYSTRAN/faster-whisper/issues/885",
    "ext.cuda_libs_missing",
    there(
        "RTX 3090",
        driver="555.42.02",
        libraries=(
            lib("cudnn", "9.2.0", f"{UB}/libcudnn.so.9", "default folders"),
            lib("cublas", "12.5.2", "/usr/local/cuda-12.5/lib64/libcublas.so.12"),
        ),
    ),
    ["faster-whisper==1.0.2", "ctranslate2==4.3.1"],
    ct2("4.3.1"),
    system={"libcublas.so.12": library(), "libcudnn.so.9": library()},
    python="3.10",
)
w(
    "https://github.com/cocktailpeanut/fluxgym/issues/355",
    "torch.arch_unsupported_new",
    there("RTX 5090", driver="572.60", os={"container": "docker"}),
    ["torch==2.5.1"],
    torch("2.5.1+cu124", "12.4", CU124),
    python="3.10",
)
base = machine("wsl2-docker-566")
w(
    "https://github.com/NVIDIA/personaplex/issues/23",
    "torch.arch_unsupported_new",
    replace(
        base,
        gpus=(replace(base.gpus[0], name="NVIDIA GeForce RTX 5090", compute_capability="12.0", pci_device_id=None),),
        driver=Driver("581.57", "13.0", "nvml"),
    ),
    ["torch==2.4.1"],
    torch("2.4.1+cu124", "12.4", CU124),
)
w(
    "https://github.com/remsky/Kokoro-FastAPI/issues/306",
    "torch.arch_unsupported_new",
    there("RTX 5060 Ti", driver="576.02", os={"container": "docker"}),
    ["torch==2.6.0"],
    torch("2.6.0+cu124", "12.4", CU124),
    python="3.10",
)
w(
    "https://github.com/thammegowda/006-many-to-eng/issues/1",
    "torch.arch_unsupported_new",
    there("RTX 3090", "RTX 3090", driver="515.48.07", os={"container": "docker"}),
    ["torch==1.12.0", "torchtext==0.13.0"],
    torch("1.12.0+cu102", "10.2", CU102),
    python="3.7",
)
w(
    "https://www.wanpihou.xyz/archives/nvidiaqu-dong-ban-ben-bu-pi-pei-dao-zhi-nvidia-smishi-xiao",
    "driver.lib_kernel_mismatch",
    loaded("570.124.06", "570.133.07"),
)
w("https://prodopsy.com/broken-nvidia-cuda-install", "driver.lib_kernel_mismatch", loaded("580.95.05", "590.44.01"))
w(
    "https://github.com/google-research/maxim/issues/42",
    "jax.windows_unsupported",
    windows(
        "RTX 3060",
        driver="536.23",
        toolkits=(Toolkit("12.2.0", "C:/Program Files/NVIDIA GPU Computing Toolkit/CUDA/v12.2", "version.json"),),
    ),
    ["jax==0.4.13", "jaxlib==0.4.13", "flax==0.7.0"],
    python="3.10",
)
w(
    "https://github.com/sanchit-gandhi/whisper-jax/issues/30",
    "jax.no_cuda_plugin",
    there("RTX 3090", driver="525.105.17"),
    ["torch==2.0.0", "jax==0.4.8", "jaxlib==0.4.7", "flax==0.6.9", "whisper-jax==0.0.1; needs jax & flax"],
    torch("2.0.0+cu117", "11.7", CU118),
    python="3.10",
)
w(
    "https://github.com/tensorflow/tensorflow/issues/66750",
    "tf.cuda_libs_missing",
    there(
        "RTX 4090",
        driver="550.54.14",
        libraries=(
            lib("cudart", "12.4.99", "/usr/local/cuda-12.4/lib64/libcudart.so.12"),
            lib("cublas", "12.4.2", "/usr/local/cuda-12.4/lib64/libcublas.so.12"),
        ),
    ),
    ["tensorflow==2.13.1"],
    {
        **tensorflow("11.8", "8", ("sm_35", "sm_50", "sm_60", "sm_70", "sm_75", "compute_80")),
        "SITE/tensorflow/libtensorflow_framework.so.2": library(runpath="$ORIGIN"),
    },
    system={
        n: library()
        for n in ("libcudart.so.12", "libcublas.so.12", "libcufft.so.11", "libcusolver.so.11", "libcusparse.so.12")
    },
    python="3.8",
)
SW = tuple(PciDevice(f"0000:0{n}:00.0", "10de:22a3", "0x068000", "nvidia-nvswitch") for n in range(5, 9))
b = there(*["H100"] * 8, driver="570.133.20", nvswitches=SW, fabric_manager=FabricManager(None, running=False))
w(
    "https://github.com/aws-samples/aws-deep-learning-ami-ubuntu-dcv-desktop/issues/33",
    "gpu.fabric_not_ready",
    replace(b, gpus=tuple(replace(g, fabric=Fabric("in_progress")) for g in b.gpus)),
    ["torch==2.7.1"],
    torch("2.7.1+cu126", "12.6", CU124),
)
w(
    "https://github.com/Naozumi520/g2pW-Cantonese/issues/1",
    "ext.cpu_only",
    there("RTX 3090"),
    ["onnxruntime==1.20.1", "g2pw-cantonese==1.0"],
    wants=("onnxruntime",),
)
w(
    "https://github.com/microsoft/onnxruntime/issues/23833",
    "ort.cpu_and_gpu_both",
    there("RTX 4090", driver="535.183.01"),
    ["onnxruntime==1.20.1", "onnxruntime-gpu==1.20.1", "numpy==2.2.3"],
)
w(
    "https://github.com/commaai/openpilot/issues/31708",
    "gpu.none",
    machine("no-gpu"),
    ["onnxruntime-gpu==1.17.1"],
    {
        "SITE/onnxruntime/capi/libonnxruntime_providers_cuda.so": library(
            ["libcublasLt.so.11", "libcudnn.so.8"], kernels=FATS
        )
    },
)


def flash(torch_gives: Sequence[str], takes: Sequence[str]) -> dict[str, bytes]:
    return {
        "SITE/torch/lib/libtorch_cuda.so": library(["libc10.so", "libc10_cuda.so"], rpath="$ORIGIN"),
        "SITE/torch/lib/libc10.so": library(gives=["_ZN3c104warnERKNS_7WarningE", *torch_gives]),
        "SITE/torch/lib/libc10_cuda.so": library(gives=[*torch_gives]),
        "SITE/flash_attn_2_cuda.cpython-310-x86_64-linux-gnu.so": library(
            ["libc10.so", "libc10_cuda.so"], takes=takes, kernels=["sm_80", "sm_90"]
        ),
    }


w(
    "https://github.com/Dao-AILab/flash-attention/issues/931",
    "ext.abi_mismatch",
    there("RTX 3090", driver="550.54.15"),
    ["torch==2.3.0", "flash-attn==2.5.7; needs torch"],
    {**torch("2.3.0+cu121", "12.1", CU121), **flash(["_ZN3c104cuda9SetDeviceEa"], ["_ZN3c104cuda9SetDeviceEi"])},
    python="3.10",
)
OLD, NEW = (
    "_ZN3c105ErrorC2ENS_14SourceLocationESs",
    "_ZN3c105ErrorC2ENS_14SourceLocationENSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE",
)
w(
    "https://github.com/cjeen/LoRAEdit/issues/8",
    "ext.abi_mismatch",
    there("RTX 4090"),
    ["torch==2.6.0", "flash-attn==2.8.0; needs torch"],
    {**torch("2.6.0+cu124", "12.4", CU124), **flash([OLD], [NEW])},
    python="3.10",
)
w(
    "https://github.com/PromtEngineer/localGPT/issues/507",
    "container.no_gpu_exposed",
    there("RTX 3090", driver=None, **{k: v for k, v in GONE.items() if k != "driver"}, os={"container": "docker"}),
    ["torch==2.0.1"],
    torch("2.0.1+cu117", "11.7", CU118),
    python="3.10",
)
w(
    "https://github.com/NVIDIA/nvidia-docker/issues/533",
    "container.caps_missing",
    there(
        "GTX 1080 Ti",
        driver="387.12",
        os={"container": "docker"},
        environment={"NVIDIA_VISIBLE_DEVICES": "all"},
        libraries=(lib("libnvidia-ml", "387.12", f"{UB}/libnvidia-ml.so.387.12", "file name"),),
    ),
    ["torch==0.2.0.post3"],
    torch("0.2.0_3", "8.0", "sm_35 sm_52 sm_60 sm_61"),
    python="3.6",
)
w(
    "https://github.com/bitsandbytes-foundation/bitsandbytes/issues/512",
    "bnb.binary_missing",
    windows("RTX 3060", driver="531.79"),
    ["torch==2.0.1", "bitsandbytes==0.39.0"],
    {
        **torch("2.0.1+cu117", "11.7", CU118),
        "SITE/torch/lib/torch_cuda.dll": b"",
        **{f"SITE/bitsandbytes/libbitsandbytes_{n}.so": b"" for n in ("cpu", "cuda117", "cuda118", "cuda120")},
        "SITE/bitsandbytes/cextension.py": "",
    },
    python="3.10",
)
w(
    "https://github.com/bitsandbytes-foundation/bitsandbytes/issues/1614",
    "bnb.binary_missing",
    there("RTX 3090", driver="535.104.05"),
    ["torch==2.3.0", "bitsandbytes==0.46.0.dev0"],
    {**torch("2.3.0+cu121", "12.1", CU121), "SITE/bitsandbytes/__init__.py": "", "SITE/bitsandbytes/cextension.py": ""},
    python="3.11",
)
UNKNOWN = (
    "RuntimeError: CUDA unknown error - this may be due to an incorrectly set up environment, e.g. changing env "
    "variable CUDA_VISIBLE_DEVICES after program start. Setting the available devices to be zero."
)
BUILD_INFO_2_1 = """is_rocm_build = False
is_cuda_build = True

msvcp_dll_names = 'msvcp140.dll,msvcp140_1.dll'
nvcuda_dll_name = 'nvcuda.dll'
cudart_dll_name = 'cudart64_101.dll'
cuda_version_number = '10.1'
cudnn_dll_name = 'cudnn64_7.dll'
cudnn_version_number = '7'
"""
SAID = "E external/xla/stream_executor/cuda_driver.cc:268] failed call to cuInit: CUDA_ERROR_UNKNOWN: unknown error"
w(
    "https://github.com/gbionics/jaxsim/issues/50",
    "driver.uvm_stale",
    there(
        "RTX 3070 Laptop GPU",
        driver="535.113.01",
        kernel_log=None,
        services=(),
        module_options={"PreserveVideoMemoryAllocations": "0", "UseKernelSuspendNotifiers": "0"},
    ),
    ["jax==0.4.16", "jaxlib==0.4.16+cuda12.cudnn89"],
    ran=Ran("jax", "0.4.16", 0, imported=True, stderr=(SAID, "No GPU/TPU found, falling back to CPU.")),
    python="3.11",
)
w(
    "https://github.com/NixOS/nixpkgs/issues/348769",
    "driver.uvm_stale",
    there(
        "RTX 3050 Laptop GPU",
        driver="560.35.03",
        os={"distro": "nixos"},
        services=(),
        module_options={"PreserveVideoMemoryAllocations": "0", "UseKernelSuspendNotifiers": "0"},
        kernel_log=(
            "nvidia-uvm: Loaded the UVM driver, major device number 236.",
            "PM: suspend entry (deep)",
            "PM: suspend exit",
        ),
    ),
    ["torch==2.3.1"],
    torch("2.3.1", "12.1", CU121),
    python="3.11",
    ran=Ran(
        "torch",
        "2.3.1",
        error=UNKNOWN,
        imported=True,
    ),
)
w(
    "https://github.com/pytorch/pytorch/issues/32369",
    "torch.cpu_conda",
    there("GTX 1080 Ti", driver="440.33.01"),
    ["torch==1.4.0"],
    torch("1.4.0", None),
    conda=["pytorch-1.4.0-py3.7_cpu_0", "cpuonly-1.0-0"],
    python="3.7",
)
w(
    "https://github.com/conda/conda/issues/11001",
    "torch.cpu_conda",
    windows("RTX 2060", driver="451.67"),
    ["torch==1.10.0"],
    torch("1.10.0", None),
    conda=["pytorch-1.10.0-py3.6_cpu_0", "cpuonly-2.0-0", "pytorch-mutex-1.0-cpu"],
    python="3.6",
)
w(
    "https://github.com/NRCan/geo-deep-learning/issues/490",
    "torch.cpu_conda",
    there("RTX 3090", driver="525.85.12"),
    ["torch==1.13.1"],
    torch("1.13.1", None),
    conda=["pytorch-1.13.1-cpu_py310hd11e9c7_0"],
    python="3.10",
)
w(
    "https://github.com/FastEval/FastEval/issues/92",
    "driver.too_old_for_runtime",
    there("RTX 3090", driver="520.61.05"),
    ["torch==2.1.2"],
    torch("2.1.2+cu121", "12.1", CU121),
    python="3.10",
)
w(
    "https://github.com/IEIT-Yuan/Yuan-2.0/issues/65",
    "driver.too_old_for_runtime",
    there(
        "A100",
        driver="450.51.06",
        os={"container": "docker"},
        libraries=(lib("libcuda", "450.51.06", f"{UB}/libcuda.so.450.51.06", "file name"),),
    ),
    ["torch==2.1.0a0+4136153"],
    torch("2.1.0a0+4136153", "12.1", "sm_52 sm_60 sm_61 sm_70 sm_72 sm_75 sm_80 sm_86 sm_87 sm_90"),
    python="3.10",
)
w(
    "https://github.com/shiyu-coder/Kronos/issues/71",
    "driver.too_old_for_runtime",
    there("RTX 3090", driver="470.199.02", os={"container": "docker"}),
    ["torch==2.8.0"],
    torch("2.8.0+cu128", "12.8", CU128),
    python="3.11",
)
w(
    "https://github.com/zai-org/ChatGLM3/issues/100",
    "driver.too_old_for_runtime",
    there("RTX 3090", driver="510.47.03"),
    ["torch==2.1.0"],
    torch("2.1.0+cu121", "12.1", CU121),
    python="3.10",
)
w(
    "https://github.com/guo-pu/NanoDet-PyTorch/issues/4",
    "driver.too_old_for_runtime|conda.cuda_version_too_new",
    there("RTX 2080 Ti", driver="418.67"),
    ["torch==1.7.1"],
    torch("1.7.1", "10.2", "sm_37 sm_50 sm_60 sm_70 sm_75"),
    conda=["pytorch-1.7.1-py3.6_cuda10.2.89_cudnn7.6.5_0", "cudatoolkit-10.2.89-hfd86e86_1", "cudnn-7.6.5-cuda10.2_0"],
    python="3.6",
)
w(
    "https://github.com/microsoft/WSL/issues/7056",
    "wsl.no_dxg",
    replace(WSL, gpus=(), driver=None, device_nodes=(), libraries=(), problems=(), undetermined=None),
    ["torch==1.7.1"],
    torch("1.7.1+cu110", "11.0", "sm_37 sm_50 sm_60 sm_70 sm_75 sm_80"),
    python="3.8",
)
SLURM = {"SLURM_JOB_ID": "4711"}
w(
    "https://github.com/3dem/model-angelo/issues/60",
    "slurm.no_gres",
    there(
        "P100",
        driver="525.85.12",
        gpus=(),
        device_nodes=nodes("0666", "root", "Operation not permitted", ("nvidia0",))
        + nodes("0666", "root", None, ("nvidiactl", "nvidia-uvm")),
        environment=SLURM,
        limits=Limits(slurm=SLURM),
    ),
    ["torch==2.0.1"],
    torch("2.0.1+cu118", "11.8", CU118),
    python="3.10",
)
b = there(
    "GTX TITAN X",
    driver="440.33.01",
    environment={**SLURM, "CUDA_VISIBLE_DEVICES": "NoDevFiles"},
    limits=Limits(slurm=SLURM),
    visible_devices=VisibleDevices("NoDevFiles", ()),
)
w(
    "https://github.com/ray-project/ray/pull/7014",
    "slurm.no_gres|env.cvd_invalid",
    replace(b, gpus=tuple(replace(g, visible=False) for g in b.gpus)),
    ["torch==1.4.0"],
    torch("1.4.0", "10.1", CU102),
    python="3.7",
)
b = there(*["V100"] * 8, driver="384.145")
w(
    "https://github.com/jade-hpc-gpu/jade-hpc-gpu.github.io/issues/73",
    "gpu.exclusive_mode",
    replace(
        b,
        gpus=tuple(
            replace(
                g,
                compute_mode="exclusive_process",
                memory_mib=16152,
                memory_used_mib=1092 if n == 0 else 10,
                processes=(GpuProcess(69341, "compute", "python", 1082),) if n == 0 else (),
            )
            for n, g in enumerate(b.gpus)
        ),
    ),
    ["torch==1.0.0"],
    torch("1.0.0", "9.0", CU102),
    python="3.6",
)
w(
    "https://github.com/bnsreenu/digitalsreeni-image-annotator/issues/57",
    "torch.arch_unsupported_old",
    there("GTX 1050", driver="550.163.01"),
    ["torch==2.8.0"],
    torch("2.8.0+cu128", "12.8", CU128),
)
w(
    "https://github.com/mmartial/ComfyUI-Nvidia-Docker/issues/61",
    "torch.arch_unsupported_old",
    there("GTX 1080 Ti", driver="575.57.08", os={"container": "docker"}),
    ["torch==2.8.0"],
    torch("2.8.0+cu128", "12.8", CU128),
)
w(
    "https://github.com/TorchDSP/torchsig/issues/238",
    "numpy.abi_mismatch",
    WSL,
    ["torch==2.3.1", "numpy==2.0.0", "opencv-python==4.9.0.80; needs numpy>=1.21.2", "torchsig==0.5.0"],
    {**torch("2.3.1+cu121", "12.1", CU121), "SITE/cv2/cv2.abi3.so": library(constants=["numpy.core.multiarray"])},
)
w(
    "https://github.com/tensorflow/tensorflow/issues/58986",
    "lib.cudnn_too_old",
    windows(
        "RTX 3060",
        driver="522.25",
        toolkits=(
            Toolkit(
                "11.2.2", "C:/Program Files/NVIDIA GPU Computing Toolkit/CUDA/v11.2", "version.json", cudnn="8.0.5"
            ),
        ),
    ),
    ["tensorflow==2.10.1"],
    tensorflow("64_112", "64_8", ("sm_35", "sm_50", "sm_60", "sm_70", "sm_75", "compute_80")),
    python="3.9",
)
w(
    "https://github.com/yufu-wang/PromptHMR/issues/4",
    "ext.abi_mismatch",
    there("RTX A6000", driver="560.35.03"),
    ["torch==2.6.0", "xformers==0.0.29.post2; needs torch==2.6.0"],
    {
        **torch("2.6.0+cu126", "12.6", CU124),
        "SITE/torch/lib/libtorch_cuda.so": library(["libcudart.so.12"], rpath="$ORIGIN/../../nvidia/cuda_runtime/lib"),
        "SITE/nvidia/cuda_runtime/lib/libcudart.so.12": library(),
        "SITE/xformers/cpp_lib.json": json.dumps(
            {"version": {"cuda": 1204, "torch": "2.6.0+cu124", "python": "3.12.8"}}
        ),
        "SITE/xformers/_C.so": library(["libcudart.so.12"], kernels=["sm_80", "sm_86", "sm_90"]),
    },
)
b = loaded("565.57.01", "570.86.15")
w(
    "https://github.com/tinygrad/open-gpu-kernel-modules/issues/32",
    "driver.lib_kernel_mismatch",
    replace(b, os=replace(b.os, container="docker")),
)
w(
    "https://github.com/negativo17/nvidia-driver/issues/73",
    "driver.nouveau_bound",
    there(
        **GONE,
        pci=(PciDevice("0000:01:00.0", "10de:13c2", "0x030000", "nouveau"),),
        kernel_modules=("4.20.6-200.fc29.x86_64",),
        os={"distro": "fedora 29", "kernel": "4.20.6-200.fc29.x86_64"},
    ),
)
w(
    "https://github.com/selkies-project/docker-selkies-glx-desktop/issues/36",
    "dev.permission",
    there(
        "RTX 3090",
        os={"container": "docker"},
        device_nodes=nodes("0660", "1005", "Permission denied", ("nvidia0", "nvidiactl", "nvidia-modeset"))
        + nodes("0666", "root", None, ("nvidia-uvm",)),
    ),
)
w(
    "https://github.com/openSUSE/nvidia-driver-G06/issues/52",
    "dev.permission",
    there(
        "RTX 4070",
        driver="565.77",
        os={"distro": "opensuse-tumbleweed 20241202"},
        device_nodes=nodes("0660", "video", "Permission denied"),
    ),
)
root = library(["libstdc++.so.6"], rpath="$ORIGIN", needs={"libstdc++.so.6": ["GLIBCXX_3.4.30"]})
w(
    "https://github.com/pytorch/pytorch/issues/157709",
    "lib.libstdcxx_too_old",
    there("RTX 3090"),
    ["torch==2.7.1"],
    {
        **torch("2.7.1", "12.6", CU124),
        "SITE/torch/lib/libtorch_cuda.so": root,
        "SITE/torch/lib/libtorch_python.so": root + CU124.encode(),
        "lib/libstdc++.so.6.0.34": library(soname="libstdc++.so.6", has=["GLIBCXX_3.4.30", "GLIBCXX_3.4.34"]),
    },
    conda=["pytorch-2.7.1-cuda126_generic_py312_h0_200", "libstdcxx-15.1.0-h8f9b012_3"],
    system={"libstdc++.so.6": library(soname="libstdc++.so.6", has=["GLIBCXX_3.4.20", "GLIBCXX_3.4.28"])},
)
w(
    "https://github.com/tensorflow/tensorflow/issues/60241",
    "tf.windows_native_unsupported",
    windows("RTX 3060", driver="531.41"),
    ["tensorflow==2.12.0", "tensorflow-intel==2.12.0"],
    tensorflow(None),
    python="3.10",
)
w(
    "https://github.com/pytorch/pytorch/issues/134929",
    "lib.ld_path_shadow",
    there("P100", driver="550.90.07", os={"container": "docker"}, libraries=()),
    ["torch==2.5.0", "nvidia-cusparse-cu12==12.3.1.170", "nvidia-nvjitlink-cu12==12.4.127"],
    {
        **torch("2.5.0+cu124", "12.4", CU124),
        "SITE/torch/lib/libtorch_cuda.so": library(["libcusparse.so.12"], rpath="$ORIGIN/../../nvidia/cusparse/lib"),
        "SITE/nvidia/cusparse/lib/libcusparse.so.12": library(
            ["libnvJitLink.so.12"], runpath="$ORIGIN/../../nvjitlink/lib", takes=["__nvJitLinkComplete_12_4"]
        ),
        "SITE/nvidia/nvjitlink/lib/libnvJitLink.so.12": library(gives=["__nvJitLinkComplete_12_4"]),
        "lib/libnvJitLink.so.12": library(gives=["__nvJitLinkComplete_12_3"]),
    },
    variables={"LD_LIBRARY_PATH": "PREFIX/lib"},
    conda=["python-3.10.14-h955ad1f_1", "libnvjitlink-12.3.101-0"],
    python="3.10",
)
w(
    "https://github.com/jupyterlab/jupyterlab/issues/7450",
    "jupyter.kernel_wrong_python",
    there("RTX 2080 Ti", driver="430.50"),
    ["ipykernel==5.1.3"],
    {},
    kernel=Kernel(
        "python3",
        "/home/isaac/.local/share/jupyter/kernels/python3/kernel.json",
        ("/home/isaac/anaconda3/bin/python", "-m", "ipykernel_launcher"),
    ),
    active="/home/isaac/anaconda3/envs/pytorch12",
    python="3.6",
)
w(
    "https://github.com/cupy/cupy/issues/7772",
    "ext.cuda_libs_missing",
    there("A100", driver="525.85.12"),
    ["cupy-cuda12x==12.1.0"],
    cub("12"),
)
w(
    "https://github.com/rapidsai/deployment/issues/709",
    "ext.cuda_libs_missing",
    there(
        "T4",
        driver="580.95.05",
        libraries=(
            lib("cudart", "13.0.96", "/usr/local/cuda-13.0/lib64/libcudart.so.13"),
            lib("cublas", "13.1.0.3", "/usr/local/cuda-13.0/lib64/libcublas.so.13"),
        ),
    ),
    ["cupy-cuda12x==13.6.0"],
    softlink("12"),
    system={"libcudart.so.13": library(), "libcublas.so.13": library(), "libnvrtc.so.13": library()},
)
w(
    "https://github.com/cupy/cupy/issues/9318",
    "ext.cuda_libs_missing",
    there("RTX 4090", driver="580.65.06", os={"container": "docker"}),
    ["cupy-cuda13x==13.6.0"],
    softlink("13"),
)
w(
    "https://github.com/tensorflow/tensorflow/issues/38090",
    "tf.cuda_libs_missing",
    windows(
        "GTX 1650",
        driver="441.22",
        toolkits=(Toolkit("10.2.89", "C:/Program Files/NVIDIA GPU Computing Toolkit/CUDA/v10.2", "version.txt"),),
    ),
    ["tensorflow==2.1.0"],
    {"SITE/tensorflow_core/python/platform/build_info.py": BUILD_INFO_2_1},
    python="3.7",
)
w(
    "https://github.com/SupreethN/HOISTFormer/issues/3",
    "torch.cpu_conda",
    there("RTX 3090", driver="525.85.12"),
    ["torch==1.9.0"],
    torch("1.9.0", None),
    conda=["pytorch-1.9.0-py3.8_cpu_0", "cudatoolkit-11.1.1-hb139c0e_13"],
    python="3.8",
)
w(
    "https://github.com/lllyasviel/Omost/issues/120",
    "driver.too_old_for_runtime",
    there("RTX 3090", driver="510.108.03"),
    ["torch==2.4.1"],
    torch("2.4.1+cu121", "12.1", CU121),
    python="3.10",
)
w(
    "https://github.com/tensorflow/tensorflow/issues/64536",
    "tf.windows_native_unsupported",
    windows("RTX 3060", driver="546.01"),
    ["tensorflow==2.16.1", "tensorflow-intel==2.16.1", "torch==2.2.1"],
    {**tensorflow(None), **torch("2.2.1+cu121", "12.1", CU121)},
    python="3.11",
)
w(
    "https://github.com/glucauze/sd-webui-faceswaplab/issues/201",
    "ext.cpu_only",
    windows("RTX 3060", driver="546.01"),
    ["torch==2.0.1", "onnxruntime==1.16.3"],
    torch("2.0.1+cu118", "11.8", CU118),
    python="3.10",
)
w(
    "https://github.com/AInseven/ComfyUI-fastblend/issues/5",
    "ext.cuda_libs_missing",
    there(
        "RTX A4000",
        driver="510.73.05",
        os={"container": "docker"},
        libraries=(
            lib("cudart", "11.6.55", "/usr/local/cuda-11.6/lib64/libcudart.so.11.0"),
            lib("cublas", "11.8.1", "/usr/local/cuda-11.6/lib64/libcublas.so.11"),
        ),
    ),
    ["torch==1.12.1", "cupy-cuda12x==13.0.0"],
    {**torch("1.12.1+cu116", "11.6", "sm_37 sm_50 sm_60 sm_70 sm_75 sm_80 sm_86"), **softlink("12")},
    system={"libcudart.so.11.0": library(), "libcublas.so.11": library(), "libnvrtc.so.11.2": library()},
)
w(
    "https://github.com/chemprop/chemprop/issues/355",
    "torch.cpu_conda",
    there("RTX 3090", driver="515.65.01"),
    ["torch==1.13.1", "chemprop==1.5.2"],
    torch("1.13.1", None),
    conda=["pytorch-1.13.1-py3.8_cpu_0", "pytorch-mutex-1.0-cpu", "cpuonly-2.0-0"],
    python="3.8",
)
# the extension lies in ~/.cache/torch_extensions, outside of the environment
w(
    "https://github.com/FFTAI/Wiki-GRx-Gym/issues/6",
    "lib.libstdcxx_too_old",
    there("RTX 3090"),
    ["torch==2.4.1"],
    {
        **torch("2.4.1+cu121", "12.1", CU121),
        "lib/libstdc++.so.6": library(soname="libstdc++.so.6", has=["GLIBCXX_3.4.29", "GLIBCXX_3.4.30"]),
    },
    conda=["python-3.8.20-he870216_0", "libstdcxx-ng-11.2.0-h1234567_1"],
    python="3.8",
)
w(
    "https://github.com/pyg-team/pytorch-frame/pull/525",
    "numpy.abi_mismatch",
    machine("no-gpu"),
    ["torch==2.2.2", "numpy==2.0.2"],
    torch("2.2.2+cpu", None),
    python="3.10",
)


# What is not named, and why.
OPEN = {
    "https://github.com/FFTAI/Wiki-GRx-Gym/issues/6": "torch compiles it into ~/.cache, outside of the environment",
}


def world_of(one: Thread, folder: Path) -> World:
    prefix = tree(folder / "env", one.files or {}, one.dists, one.python)
    if one.conda:
        (prefix / "pyvenv.cfg").unlink()
        (prefix / "conda-meta").mkdir()
        for text in one.conda:
            name, version, build = text.rsplit("-", 2)
            told = {"name": name, "version": version, "build": build}
            (prefix / "conda-meta" / f"{text}.json").write_text(json.dumps(told))
        names = {"torch" if name == "pytorch" else name for name in (text.rsplit("-", 2)[0] for text in one.conda)}
        for place in prefix.glob("lib/python*/site-packages/*.dist-info/INSTALLER"):
            if place.parent.name.partition("-")[0].replace("_", "-") in names:
                place.write_text("conda\n")
    (folder / "system").mkdir()
    for name, data in (one.system or {}).items():
        (folder / "system" / name).write_bytes(data)
    variables = {name: value.replace("PREFIX", str(prefix)) for name, value in (one.variables or {}).items()}
    files = Files()
    located = at(files, str(prefix), "named")
    assert located
    made = read_inventory(files, located, variables, [(str(folder / "system"), "default folders")])
    ran = explained((one.ran,)) if one.ran else None
    made = replace(made, kernel=one.kernel, active=one.active, ran=ran)
    project = Project(tuple(wanted(text, "requirements.txt:1") for text in one.wants))
    seen = replace(one.machine, environment={**one.machine.environment, **variables})
    return World(seen, made, FACTS, project)


@pytest.mark.parametrize("one", THREADS, ids=[one.url.removeprefix("https://github.com/") for one in THREADS])
def test_what_is_the_matter_is_named(one: Thread, tmp_path: Path) -> None:
    found = diagnose(world_of(one, tmp_path))
    ids = [finding.id for finding in found.findings]
    assert bool(set(ids) & set(one.finding.split("|"))) == (one.url not in OPEN), (ids, found.skipped)
    free = [finding.id for finding in found.findings if finding.severity == "error" and not finding.explained_by]
    known = {*one.finding.split("|"), *AS_WELL.get(one.url, ())}
    assert set(free) <= known, free


# What is the matter there, too: the libraries that a cupy for another CUDA lacks, and an old card's kernels.
AS_WELL = {
    "https://github.com/rapidsai/deployment/issues/709": ("lib.mixed_cuda_major",),
    "https://github.com/AInseven/ComfyUI-fastblend/issues/5": ("lib.mixed_cuda_major",),
    "https://github.com/gbionics/jaxsim/issues/50": ("run.gpu_not_seen",),
}


def test_there_are_sixty() -> None:
    assert len({one.url for one in THREADS}) == 60
