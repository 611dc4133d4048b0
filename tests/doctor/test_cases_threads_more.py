"""Sixty more public threads, set aside and turned into worlds before anybody looked at what doctor says of them.

At the first look doctor named what is the matter in 47 of them, and it as the cause in 41. What was mended since, and
what a world lacked that a real environment has (a package's kernels, the names in its DLLs), is in the history.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cudafit.doctor.diagnose import diagnose
from cudafit.model.machine import Machine, PciDevice, Toolkit
from tests.doctor.test_cases import GB10, GONE, ORIN, WSL, loaded
from tests.doctor.test_cases_threads import (
    CU118,
    CU121,
    CU124,
    CU128,
    FATS,
    NEW,
    OLD,
    UB,
    Thread,
    ct2,
    flash,
    lib,
    nodes,
    softlink,
    there,
    windows,
    world_of,
)
from tests.doctor.worlds import CUDA_LIBRARIES, tensorflow, torch
from tests.elf_files import dll, library

THREADS: list[Thread] = []


def w(url: str, finding: str, seen: Machine, dists: Sequence[str] = (), files: Any = None, **more: Any) -> None:
    THREADS.append(Thread(url, finding, seen, dists, files, **more))


CU11 = "sm_37 sm_50 sm_60 sm_70 sm_75 sm_80 sm_86"
CU130 = "sm_75 sm_80 sm_86 sm_90 sm_100 sm_120"


def dead(
    pci: str,
    release: str = "6.8.0-50-generic",
    modules: tuple[str, ...] = ("6.8.0-50-generic",),
    distro: str = "ubuntu 24.04",
    bound: str | None = None,
    **more: Any,
) -> Machine:
    os = {"kernel": release, "distro": distro, **more.pop("os", {})}
    return there(
        **GONE,
        pci=(PciDevice("0000:01:00.0", f"10de:{pci}", "0x030000", bound),),
        kernel_modules=modules,
        os=os,
        **more,
    )


def xformers(built: str, cuda: int, python: str) -> dict[str, str | bytes]:
    told = {"version": {"cuda": cuda, "torch": built, "python": python}}
    return {"SITE/xformers/cpp_lib.json": json.dumps(told)}


LINKED = {"SITE/tensorflow/libtensorflow_framework.so.2": library(runpath="$ORIGIN")}
OF_CUDA_11 = {
    "SITE/onnxruntime/capi/libonnxruntime_providers_cuda.so": library(
        ["libcublasLt.so.11", "libcublas.so.11", "libcudnn.so.8", "libcudart.so.11.0", "libcufft.so.10"], kernels=FATS
    )
}
OF_CUDA_12 = {
    "SITE/onnxruntime/capi/libonnxruntime_providers_cuda.so": library(
        ["libcublasLt.so.12", "libcublas.so.12", "libcudnn.so.9", "libcudart.so.12", "libcufft.so.11"], kernels=FATS
    )
}
# --- torch's build
# 1 Windows, pip install -r: CPU torch
w(
    "https://github.com/chenfei-wu/TaskMatrix/issues/171",
    "torch.cpu_wheel",
    windows("RTX 3060", driver="528.49"),
    ["torch==1.12.1", "torchvision==0.13.1"],
    torch("1.12.1+cpu", None),
    python="3.8",
)
# 2 GB200 (aarch64), pip install torch
w(
    "https://github.com/pytorch/pytorch/issues/168065",
    "torch.cpu_wheel",
    there("GB200", driver="580.95.05", platform="linux-aarch64"),
    ["torch==2.9.1"],
    torch("2.9.1+cpu", None),
)
# 3 DGX Spark
w(
    "https://github.com/hanyeol/model-compose/pull/24",
    "torch.cpu_wheel",
    GB10,
    ["torch==2.10.0"],
    torch("2.10.0+cpu", None),
)
# 4 Jetson Nano, torch of the default index
w(
    "https://github.com/deepconsc/tensorrt_yolov5/issues/2",
    "torch.jetson_wrong_wheel|torch.cpu_wheel",
    replace(ORIN, gpus=tuple(replace(g, name="NVIDIA Tegra X1", compute_capability="5.3") for g in ORIN.gpus)),
    ["torch==1.9.0", "torchvision==0.10.0"],
    torch("1.9.0", None),
    python="3.6",
)
# 5-7 conda gave the CPU build
w(
    "https://github.com/pytorch/pytorch/issues/69202",
    "torch.cpu_conda",
    windows("RTX 2080", driver="496.13"),
    ["torch==1.9.0"],
    torch("1.9.0", None),
    conda=["pytorch-1.9.0-py3.8_cpu_0", "cudatoolkit-11.3.1-h59b6b97_2", "torchvision-0.10.0-py38_cpu"],
    python="3.8",
)
w(
    "https://github.com/pytorch/pytorch/issues/51858",
    "torch.cpu_conda",
    windows("RTX 3060 Laptop GPU", driver="512.78"),
    ["torch==1.12.1", "torchvision==0.13.1a0"],
    torch("1.12.1", None),
    conda=[
        "pytorch-1.12.1-cpu_py39h5e1f01c_0",
        "cudatoolkit-11.3.1-h59b6b97_2",
        "torchvision-0.13.1-cpu_py39h378ed51_0",
    ],
    python="3.9",
)
w(
    "https://github.com/meta-pytorch/data/issues/315",
    "torch.cpu_conda",
    there("RTX 3090", driver="510.47.03"),
    ["torch==1.11.0", "torchdata==0.3.0"],
    torch("1.11.0", None),
    conda=[
        "pytorch-1.11.0-py3.8_cpu_0",
        "pytorch-mutex-1.0-cpu",
        "cpuonly-2.0-0",
        "torchaudio-0.11.0-py38_cpu",
        "torchdata-0.3.0-py38",
        "torchvision-0.12.0-py38_cpu",
    ],
    python="3.8",
)
# 8 conda update: TF from gpu to mkl
w(
    "https://github.com/ContinuumIO/anaconda-issues/issues/13063",
    "tf.cpu_build",
    windows("GTX 1660", driver="516.40"),
    ["tensorflow==2.8.2"],
    tensorflow(None),
    conda=[
        "tensorflow-2.8.2-mkl_py310hb6b2eb6_0",
        "tensorflow-base-2.8.2-mkl_py310hf890080_0",
        "cudatoolkit-11.3.1-h59b6b97_2",
        "cudnn-8.2.1-cuda11.3_0",
    ],
    python="3.10",
)
# 9 conda update to cuda92, driver 387.26
w(
    "https://github.com/pytorch/pytorch/issues/10971",
    "driver.too_old_for_runtime|conda.cuda_version_too_new",
    there("GTX 1060", driver="387.26"),
    ["torch==0.4.1"],
    torch("0.4.1", "9.2.148", "sm_35 sm_52 sm_60 sm_61 sm_70"),
    conda=["pytorch-0.4.1-py36_cuda9.2.148_cudnn7.1.4_1", "cuda92-1.0-0"],
    python="3.6",
)
# 10 CUDA 9.2 torch, driver 390
w(
    "https://github.com/pytorch/pytorch/issues/6098",
    "driver.too_old_for_runtime",
    there("GTX 1080 Ti", driver="390.77"),
    ["torch==0.4.1"],
    torch("0.4.1", "9.2.148", "sm_35 sm_52 sm_60 sm_61 sm_70"),
    python="3.6",
)
# 11 k2 of conda needs a newer libstdc++ than the env's
w(
    "https://github.com/k2-fsa/k2/issues/1045",
    "lib.libstdcxx_too_old",
    there("V100", driver="510.47.03", os={"distro": "rocky 8.6"}),
    ["torch==1.12.0", "k2==1.17"],
    {
        **torch("1.12.0", "11.3", CU11),
        "SITE/torch/lib/libtorch_cuda.so": library(["libstdc++.so.6"], rpath="$ORIGIN:$ORIGIN/../../../.."),
        "SITE/k2/lib/libk2context.so": library(
            ["libstdc++.so.6", "libtorch_cuda.so"],
            kernels=["sm_37", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86"],
            rpath="$ORIGIN:$ORIGIN/../../torch/lib:$ORIGIN/../../../..",
            needs={"libstdc++.so.6": ["GLIBCXX_3.4.30"]},
        ),
        "lib/libstdc++.so.6": library(soname="libstdc++.so.6", has=["GLIBCXX_3.4.28", "GLIBCXX_3.4.29"]),
    },
    conda=[
        "pytorch-1.12.0-py3.8_cuda11.3_cudnn8.3.2_0",
        "cudatoolkit-11.3.1-h2bc3f7f_2",
        "k2-1.17-cuda11.3_py3.8_torch1.12.0",
        "libstdcxx-ng-11.2.0-h1234567_1",
    ],
    python="3.8",
)
# 12 conda's libcurand wants glibc 2.27 on CentOS 7
w(
    "https://github.com/pytorch/pytorch/issues/150724",
    "sys.glibc_too_old",
    there("V100", driver="460.32.03", os={"libc": "glibc 2.17", "distro": "centos 7.9"}),
    ["torch==2.5.1"],
    {
        **torch("2.5.1", "11.8", CU124),
        "SITE/torch/lib/libtorch_cuda.so": library(["libcurand.so.10"], rpath="$ORIGIN:$ORIGIN/../../../.."),
        "lib/libcurand.so.10": library(["libm.so.6"], soname="libcurand.so.10", needs={"libm.so.6": ["GLIBC_2.27"]}),
    },
    conda=[
        "pytorch-2.5.1-py3.11_cuda11.8_cudnn9.1.0_0",
        "pytorch-cuda-11.8-h7e8668a_6",
        "libcurand-10.3.9.90-h5888daf_0",
    ],
    python="3.11",
)
# 13 openmm: cudatoolkit 11.7 over a driver of 11.2
w(
    "https://github.com/quantaosun/Dock-MD-FEP/issues/2",
    "conda.cuda_version_too_new|driver.jit_ptx_too_new",
    there("T4", driver="460.32.03"),
    [],
    {},
    conda=["openmm-7.7.0-py38h1d4c1a3_1", "cudatoolkit-11.7.0-hd8887f6_10"],
    python="3.8",
)
# 14 numba with conda's CUDA 12.8, driver 550.120
w(
    "https://github.com/NVIDIA/numba-cuda/issues/192",
    "conda.cuda_version_too_new|driver.jit_ptx_too_new",
    there("RTX 3050 Ti Laptop GPU", driver="550.120", os={"distro": "ubuntu 24.04"}),
    ["numba==0.61.0", "numba-cuda==0.4.0"],
    {},
    conda=[
        "numba-0.61.0-py311h4e1c48f_1",
        "numba-cuda-0.4.0-pyh267e887_0",
        "cuda-nvrtc-12.8.93-h5888daf_1",
        "cuda-nvcc-impl-12.8.93-h85509e4_1",
        "cuda-version-12.8-h5d125a7_3",
        "cuda-cudart-12.8.90-h5888daf_1",
    ],
    python="3.11",
)
# 15, 16 no kernels for sm_120
w(
    "https://github.com/nvidia-cosmos/cosmos-reason1/issues/21",
    "torch.arch_unsupported_new",
    there("RTX 5090", driver="570.144", os={"container": "docker"}),
    ["torch==2.2.2"],
    torch("2.2.2+cu121", "12.1", CU121),
    python="3.10",
)
w(
    "https://github.com/HybridRobotics/berkeley-humanoid-lite/issues/49",
    "torch.arch_unsupported_new",
    there("RTX 5090", driver="590.48.01", os={"distro": "ubuntu 24.04"}),
    ["torch==2.5.1"],
    torch("2.5.1+cu121", "12.1", CU121),
    python="3.11",
)
# --- the driver
# 17 module 367.35, libraries 367.44
w(
    "https://github.com/NVIDIA/nvidia-docker/issues/182",
    "driver.lib_kernel_mismatch",
    replace(loaded("367.35", "367.44"), os=replace(loaded("367.35", "367.44").os, distro="ubuntu 16.04")),
)
# 18 a kernel of another kind, dkms does not build
w(
    "https://github.com/M-Bab/linux-kernel-amdgpu-binaries/issues/101",
    "driver.module_missing_for_kernel",
    dead("1f15", "5.13.18-21.09.16.amdgpu.ubuntu", ("5.11.0-40-generic",), "ubuntu 20.04"),
)
# 19 headers of the new kernel missing
w(
    "https://github.com/elementary/os-patches/issues/155",
    "driver.module_missing_for_kernel",
    dead("134d", "5.4.0-58-generic", ("5.4.0-56-generic",), "elementary 6"),
)
# 20 940MX, Fedora 44, driver 590; kernel log not given
w(
    "https://github.com/fady-saied/Nvidia-Fedora-Guide/issues/20",
    "driver.branch_dropped_gpu",
    there(
        driver=None,
        gpus=(),
        device_nodes=(),
        pci=(PciDevice("0000:01:00.0", "10de:134d", "0x030200", None),),
        kernel_modules=("6.19.8-300.fc44.x86_64",),
        os={"distro": "fedora 44", "kernel": "6.19.8-300.fc44.x86_64"},
        kernel_log=None,
        libraries=(
            lib("libcuda", "590.48.01", "/usr/lib64/libcuda.so.590.48.01", "file name"),
            lib("libnvidia-ml", "590.48.01", "/usr/lib64/libnvidia-ml.so.590.48.01", "file name"),
        ),
    ),
)
# 21 GTX 760 with 535: it is ignored
w(
    "https://github.com/ProtonVPN/proton-vpn-gtk-app/issues/168",
    "driver.branch_dropped_gpu",
    there(
        driver=None,
        gpus=(),
        device_nodes=(),
        pci=(PciDevice("0000:01:00.0", "10de:1187", "0x030000", None),),
        kernel_modules=("5.15.0-130-generic",),
        os={"distro": "linuxmint 21.3", "kernel": "5.15.0-130-generic"},
        kernel_log=(
            "NVRM: The NVIDIA GeForce GTX 760 GPU installed in this system is",
            "NVRM:  supported through the NVIDIA 470.xx Legacy drivers. Please",
            "NVRM:  visit http://www.nvidia.com/object/unix.html for more",
            "NVRM:  information.  The 535.288.01 NVIDIA driver will ignore",
            "NVRM:  this GPU.  Continuing probe...",
            "NVRM: No NVIDIA GPU found.",
        ),
        libraries=(lib("libcuda", "535.288.01", f"{UB}/libcuda.so.535.288.01", "file name"),),
    ),
)
# 22 RTX 5090 with the proprietary module of 570.144
w(
    "https://github.com/getsolus/packages/issues/5575",
    "driver.open_module_required",
    there("RTX 5090", driver="570.144", module="proprietary", gpus=(), os={"distro": "solus 4.7"}),
)
# 23 the open module of 515 and a GeForce
w(
    "https://github.com/NVIDIA/open-gpu-kernel-modules/issues/82",
    "driver.open_module_unsupported",
    there(
        driver="515.43.04",
        module="open",
        gpus=(),
        pci=(PciDevice("0000:01:00.0", "10de:2507", "0x030000", "nvidia"),),
        os={"distro": "gentoo"},
        kernel_log=(
            "NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  515.43.04  Release Build",
            "NVRM: Open nvidia.ko is only ready for use on Data Center GPUs.",
            "NVRM: To force use of Open nvidia.ko on other GPUs, see the",
            "NVRM: 'OpenRmEnableUnsupportedGpus' kernel module parameter described",
            "NVRM: in the README.",
            "NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x63:0x0:1905)",
            "NVRM: GPU 0000:01:00.0: rm_init_adapter failed, device minor number 0",
        ),
    ),
)
# 24 secure boot, Fedora 34
w(
    "https://github.com/gridhead/nvidia-auto-installer-for-fedora-linux/issues/75",
    "driver.secureboot_rejected",
    dead(
        "1f06",
        "5.14.9-200.fc34.x86_64",
        ("5.14.9-200.fc34.x86_64",),
        "fedora 34",
        bound="nouveau",
        os={"secure_boot": True},
        kernel_log=None,
    ),
)
# 25 Xid 79
b = there(*["H100"] * 8, driver="535.161.07")
w(
    "https://github.com/akash-network/support/issues/209",
    "gpu.fallen_off_bus",
    replace(
        b,
        gpus=b.gpus[:7],
        kernel_log=(
            "NVRM: loading NVIDIA UNIX x86_64 Kernel Module  535.161.07  Sat Feb 17 22:55:48 UTC 2024",
            "NVRM: GPU at PCI:0000:a1:00: GPU-979426f2-893a-7cbb-c4cf-81472f89a462",
            "NVRM: Xid (PCI:0000:a1:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
            "NVRM: GPU 0000:a1:00.0: GPU has fallen off the bus.",
        ),
    ),
)
# --- containers
# 26 docker-compose without a GPU
w(
    "https://github.com/kcosta42/VQGAN-CLIP-Docker/issues/1",
    "container.no_gpu_exposed",
    there(**GONE, os={"container": "docker"}, pci=()),
    ["torch==1.7.1"],
    torch("1.7.1+cu110", "11.0", "sm_37 sm_50 sm_60 sm_70 sm_75 sm_80"),
    python="3.7",
)
# 27 compose file without the reservation
w(
    "https://github.com/odysseus-dev/odysseus/issues/458",
    "container.no_gpu_exposed",
    there(**GONE, os={"container": "docker"}, pci=(PciDevice("0000:01:00.0", "10de:2684", "0x030000", "nvidia"),)),
    ["torch==2.9.1"],
    torch("2.9.1+cu128", "12.8", CU128),
)
# 28 RTX 3090, driver 525, image of 12.1: 804
w(
    "https://github.com/AIR-DISCOVER/ICRA2024-Sim2Real-AXS/issues/5",
    "driver.compat_on_geforce",
    there(
        "RTX 3090",
        driver="525.147.05",
        os={"container": "docker"},
        libraries=(
            lib("libcuda", "530.30.02", "/usr/local/cuda-12.1/compat/libcuda.so.1"),
            lib("libcuda", "525.147.05", f"{UB}/libcuda.so.1", "default folders"),
        ),
    ),
    ["torch==2.1.0"],
    torch("2.1.0+cu121", "12.1", CU121),
    python="3.8",
)
# 29 device files of a group that the container's user is not in
w(
    "https://github.com/gezp/docker-ubuntu-desktop/issues/40",
    "dev.permission",
    there(
        "RTX 3090",
        driver="535.216.01",
        os={"container": "docker"},
        device_nodes=nodes("0660", "1002", "Permission denied", ("nvidia0", "nvidiactl", "nvidia-modeset"))
        + nodes("0666", "root", None, ("nvidia-uvm", "nvidia-uvm-tools")),
    ),
    ["torch==2.1.2"],
    torch("2.1.2+cu121", "12.1", CU121),
    python="3.10",
)
# 30 no C compiler in the image
w(
    "https://github.com/jamiepine/voicebox/issues/877",
    "triton.no_c_compiler",
    there("RTX 5070 Ti", "RTX 5070 Ti", driver="580.95.05", os={"container": "docker"}, compilers=()),
    ["torch==2.9.1", "triton==3.5.1"],
    {**torch("2.9.1+cu128", "12.8", CU128), "SITE/triton/__init__.py": ""},
    python="3.11",
)
# 31 warp loads the stub
w(
    "https://github.com/NVIDIA/warp/issues/219",
    "driver.stub_libcuda",
    there(
        "A100",
        driver="525.105.17",
        libraries=(
            lib("libcuda", None, "/usr/local/cuda/lib64/stubs/libcuda.so.1", "/etc/ld.so.conf"),
            lib("libcuda", "525.105.17", f"{UB}/libcuda.so.1", "default folders"),
        ),
    ),
    ["warp-lang==1.1.0"],
    {},
    python="3.10",
)
# --- TensorFlow
# 32 no cuDNN
w(
    "https://github.com/tensorflow/tensorflow/issues/45200",
    "tf.cuda_libs_missing",
    there(
        *["GTX 1080 Ti"] * 10,
        driver="455.45.01",
        os={"distro": "centos 7.9"},
        libraries=(
            lib("cudart", "11.1.74", "/usr/local/cuda-11.1/lib64/libcudart.so.11.0"),
            lib("cublas", "11.2.1", "/usr/local/cuda-11.1/lib64/libcublas.so.11"),
        ),
    ),
    ["tf-nightly-gpu==2.5.0.dev20201125"],
    {**tensorflow("11.0", "8", ("sm_35", "sm_50", "sm_60", "sm_70", "sm_75", "compute_80")), **LINKED},
    system={
        n: library()
        for n in (
            "libcudart.so.11.0",
            "libcublas.so.11",
            "libcublasLt.so.11",
            "libcufft.so.10",
            "libcurand.so.10",
            "libcusolver.so.11",
            "libcusparse.so.11",
        )
    },
    python="3.6",
)
# 33 CUDA and cuDNN lie in the conda environment, TF of pip does not look there
w(
    "https://github.com/tensorflow/tensorflow/issues/60854",
    "tf.cuda_libs_unreachable|tf.cuda_libs_missing",
    there("RTX 3080 Laptop GPU", driver="530.41.03", os={"distro": "ubuntu 22.04"}),
    ["tensorflow==2.8.0"],
    {
        **tensorflow("11.2", "8", ("sm_35", "sm_50", "sm_60", "sm_70", "sm_75", "compute_80")),
        **LINKED,
        **{
            f"lib/{n}": library()
            for n in (
                "libcudart.so.11.0",
                "libcublas.so.11",
                "libcudnn.so.8",
                "libcufft.so.10",
                "libcusolver.so.11",
                "libcusparse.so.11",
            )
        },
    },
    conda=["python-3.9.16-h2782a2a_0_cpython", "cudatoolkit-11.2.2-hbe64b41_11", "cudnn-8.1.0.77-h90431f1_0"],
    python="3.9",
)
# 34 cuDNN 8 where 7 is wanted
w(
    "https://github.com/tensorflow/tensorflow/issues/44040",
    "tf.cuda_libs_missing|lib.cudnn_major_mismatch",
    there(
        "GTX 960M",
        driver="450.80.02",
        libraries=(
            lib("cudnn", "8.0.4", "/usr/local/cuda-10.1/lib64/libcudnn.so.8"),
            lib("cudart", "10.1.243", "/usr/local/cuda-10.1/lib64/libcudart.so.10.1"),
        ),
    ),
    ["tensorflow==2.3.1"],
    {**tensorflow("10.1", "7", ("sm_35", "sm_37", "sm_52", "sm_60", "sm_61", "compute_70")), **LINKED},
    system={
        n: library()
        for n in (
            "libcudart.so.10.1",
            "libcublas.so.10",
            "libcufft.so.10",
            "libcurand.so.10",
            "libcusolver.so.10",
            "libcusparse.so.10",
            "libcudnn.so.8",
        )
    },
    python="3.7",
)
# 35 an image with CUDA 10.1 and no cuDNN
w(
    "https://github.com/iot-salzburg/gpu-jupyter/issues/57",
    "tf.cuda_libs_missing",
    there(
        "RTX 2080 Ti",
        driver="440.100",
        os={"container": "docker", "distro": "ubuntu 18.04"},
        libraries=(lib("cudart", "10.1.243", "/usr/local/cuda-10.1/lib64/libcudart.so.10.1"),),
    ),
    ["tensorflow==2.2.0"],
    {**tensorflow("10.1", "7", ("sm_35", "sm_37", "sm_52", "sm_60", "sm_61", "compute_70")), **LINKED},
    system={
        n: library()
        for n in (
            "libcudart.so.10.1",
            "libcublas.so.10",
            "libcufft.so.10",
            "libcurand.so.10",
            "libcusolver.so.10",
            "libcusparse.so.10",
        )
    },
    python="3.7",
)
# --- JAX
# 36 an older system CUDA 13 in front of the wheels'
w(
    "https://github.com/trueagi-io/FabricPC/pull/45",
    "lib.ld_path_shadow",
    there(
        "RTX 4090",
        driver="580.95.05",
        libraries=(lib("cublas", "13.0.0.19", "/usr/local/cuda-13.0/lib64/libcublas.so.13", "LD_LIBRARY_PATH"),),
        environment={"LD_LIBRARY_PATH": "/usr/local/cuda-13.0/lib64"},
    ),
    [
        "jax==0.9.0",
        "jaxlib==0.9.0",
        'jax-cuda13-plugin==0.9.0; needs jax-cuda13-pjrt==0.9.0 & nvidia-cublas>=13.1; extra == "with-cuda"',
        "jax-cuda13-pjrt==0.9.0",
        "nvidia-cublas==13.2.0.9",
        "tensorflow==2.20.0",
    ],
    {**tensorflow("12.5.1", "9"), "SITE/nvidia/cu13/lib/libcublas.so.13": library(soname="libcublas.so.13")},
)
# 37 numpyro pulled the CPU jaxlib
w(
    "https://github.com/pyro-ppl/numpyro/issues/531",
    "jax.no_cuda_plugin",
    there("V100", driver="440.33.01", os={"distro": "ubuntu 16.04"}),
    ["jax==0.1.57", "jaxlib==0.1.37", "numpyro==0.2.4; needs jax==0.1.57 & jaxlib==0.1.37"],
    {},
    conda=["python-3.6.10-hcf32534_1"],
    python="3.6",
)
# 38 classic solver takes the CPU jaxlib (WSL)
w(
    "https://github.com/conda-forge/jaxlib-feedstock/issues/273",
    "jax.no_cuda_plugin",
    WSL,
    ["jax==0.4.27", "jaxlib==0.4.23"],
    {},
    conda=[
        "jaxlib-0.4.23-cpu_py312hb9e4a6d_2",
        "jax-0.4.27-pyhd8ed1ab_0",
        "cuda-version-12.5-hd4f0392_3",
        "cuda-cudart-12.5.82-he02047a_0",
    ],
)
# 39 glibc 2.17
w(
    "https://github.com/jax-ml/jax/issues/854",
    "sys.glibc_too_old",
    there("P100", driver="418.67", os={"libc": "glibc 2.17", "distro": "centos 7"}),
    ["jax==0.1.37", "jaxlib==0.1.20"],
    {
        "SITE/jaxlib/xla_extension.so": library(
            ["libm.so.6"], needs={"libm.so.6": ["GLIBC_2.23"]}, kernels=["sm_35", "sm_52", "sm_60", "sm_70"]
        )
    },
    python="3.7",
)
# --- onnxruntime
w(
    "https://github.com/yakhyo/uniface/issues/77",
    "ort.cpu_and_gpu_both",
    there("H200", driver="570.124.06"),
    ["onnxruntime==1.23.2", "onnxruntime-gpu==1.23.2", "uniface==2.0.0; needs onnxruntime"],
    OF_CUDA_12,
)
w(
    "https://github.com/stepfun-ai/Step-Audio-EditX/issues/3",
    "ext.cuda_libs_missing",
    there("RTX 4090", driver="550.54.15"),
    [
        "torch==2.5.1; needs nvidia-cublas-cu12==12.4.5.8",
        "onnxruntime-gpu==1.17.0",
        "nvidia-cublas-cu12==12.4.5.8",
        "nvidia-cudnn-cu12==9.1.0.70",
    ],
    {**torch("2.5.1+cu124", "12.4", CU124), **CUDA_LIBRARIES, **OF_CUDA_11},
    python="3.10",
)
w(
    "https://github.com/infiniflow/ragflow/issues/905",
    "ext.cuda_libs_missing",
    there(
        "A10",
        driver="535.161.08",
        os={"container": "docker"},
        libraries=(
            lib("cudart", "12.2.140", "/usr/local/cuda-12.2/lib64/libcudart.so.12"),
            lib("cublas", "12.2.5", "/usr/local/cuda-12.2/lib64/libcublas.so.12"),
        ),
    ),
    ["onnxruntime-gpu==1.17.1"],
    OF_CUDA_11,
    system={
        n: library()
        for n in ("libcudart.so.12", "libcublas.so.12", "libcublasLt.so.12", "libcufft.so.11", "libcudnn.so.8")
    },
    python="3.11",
)
# 43 the libraries lie in torch/lib, onnxruntime finds them only after import torch
w(
    "https://github.com/deepinsight/insightface/issues/2344",
    "ext.cuda_libs_missing",
    there("RTX 3060", driver="530.30.02"),
    ["torch==2.0.1+cu118", "onnxruntime-gpu==1.15.0", "insightface==0.7.3"],
    {
        **torch("2.0.1+cu118", "11.8", CU118),
        **{f"SITE/torch/lib/{n}": library(soname=n) for n in ("libcublas.so.11", "libcublasLt.so.11", "libcudnn.so.8")},
        **OF_CUDA_11,
    },
    python="3.10",
)
# --- ctranslate2
w(
    "https://github.com/jianchang512/stt/issues/76",
    "ext.cuda_libs_missing",
    there("RTX 3060", driver="535.183.01"),
    ["faster-whisper==1.0.3", "ctranslate2==4.3.1"],
    ct2("4.3.1"),
    system={"libcublas.so.12": library()},
    python="3.10",
)
w(
    "https://github.com/daswer123/xtts-finetune-webui/issues/31",
    "ext.cuda_libs_missing",
    there("RTX 3090", driver="535.171.04"),
    ["torch==2.1.1+cu118", "torchaudio==2.1.1+cu118", "faster-whisper==1.0.2", "ctranslate2==4.2.1"],
    {
        **torch("2.1.1+cu118", "11.8", CU118),
        "SITE/torch/lib/libcudnn.so.8": library(soname="libcudnn.so.8"),
        "SITE/torch/lib/libcudnn_ops_infer.so.8": library(soname="libcudnn_ops_infer.so.8"),
        **ct2("4.2.1"),
    },
    python="3.9",
)
w(
    "https://github.com/OpenNMT/CTranslate2/issues/1915",
    "ext.cuda_libs_missing|windows.dll_missing",
    windows("RTX 3060", driver="560.94"),
    ["ctranslate2==4.4.0"],
    {
        "SITE/ctranslate2/ctranslate2.dll": dll("cudnn64_8.dll", "cublas64_12.dll", kernels=FATS),
        "SITE/ctranslate2/cudnn64_8.dll": dll("cudnn_ops_infer64_8.dll", "cudnn_cnn_infer64_8.dll"),
        "CUDA/bin/cublas64_12.dll": b"MZ",
    },
    variables={"SystemRoot": "PREFIX/Windows", "PATH": "PREFIX/Scripts;PREFIX/CUDA/bin"},
    python="3.11",
)
w(
    "https://github.com/jhj0517/Whisper-WebUI/issues/102",
    "ext.cuda_libs_missing|windows.dll_missing",
    windows("RTX 3090", driver="551.61"),
    ["torch==2.0.1+cu118", "faster-whisper==1.0.0", "ctranslate2==4.1.0"],
    {
        **torch("2.0.1+cu118", "11.8", CU118),
        "SITE/torch/lib/cublas64_11.dll": b"MZ",
        "SITE/ctranslate2/ctranslate2.dll": dll("cublas64_12.dll", kernels=FATS),
    },
    variables={"SystemRoot": "PREFIX/Windows", "PATH": "PREFIX/Scripts"},
    python="3.10",
)
# --- others
w(
    "https://github.com/bitsandbytes-foundation/bitsandbytes/issues/386",
    "bnb.binary_missing",
    there("V100", driver="530.30.02"),
    ["torch==2.0.1", "bitsandbytes==0.38.1"],
    {
        **torch("2.0.1+cu121", "12.1", CU121),
        "SITE/bitsandbytes/__init__.py": "",
        "SITE/bitsandbytes/cextension.py": "",
        "SITE/bitsandbytes/cuda_setup/main.py": "_nocublaslt",
        "SITE/bitsandbytes/libbitsandbytes_cpu.so": b"",
        "SITE/bitsandbytes/libbitsandbytes_cuda121.so": b"",
    },
    python="3.10",
)
w(
    "https://github.com/bitsandbytes-foundation/bitsandbytes/issues/1559",
    "bnb.binary_missing",
    there("RTX A4000", driver="550.144.03"),
    ["torch==2.6.0", "bitsandbytes==0.45.4.dev0"],
    {**torch("2.6.0+cu124", "12.4", CU124), "SITE/bitsandbytes/__init__.py": "", "SITE/bitsandbytes/cextension.py": ""},
    python="3.11",
)
w(
    "https://github.com/gpustack/gpustack/issues/5459",
    "dist.duplicate_install|lib.mixed_cuda_major|lib.nvidia_dir_collision",
    there(
        "RTX 4090",
        driver="580.95.05",
        os={"container": "docker"},
        libraries=(lib("cudart", "13.0.96", "/usr/local/cuda-13.0/lib64/libcudart.so.13"),),
    ),
    ["torch==2.11.0", "vllm==0.22.0", "cupy-cuda12x==14.0.1", "cupy-cuda13x==14.0.1"],
    {
        **torch("2.11.0+cu130", "13.0", CU130),
        **softlink("12"),
        "SITE/nvidia/cu13/lib/libcublas.so.13": library(soname="libcublas.so.13"),
    },
    system={n: library() for n in ("libcudart.so.13", "libcublas.so.13", "libnvrtc.so.13")},
)
w(
    "https://github.com/turboderp-org/exllamav2/issues/522",
    "ext.abi_mismatch",
    there("RTX 3090", "RTX 3090", driver="550.54.15"),
    ["torch==2.3.1", "flash-attn==2.5.9.post1; needs torch", "exllamav2==0.1.6"],
    {**torch("2.3.1+cu121", "12.1", CU121), **flash(["_ZN3c104cuda9SetDeviceEa"], ["_ZN3c104cuda9SetDeviceEi"])},
    python="3.10",
)
w(
    "https://github.com/Dao-AILab/flash-attention/issues/1717",
    "ext.abi_mismatch",
    there("H100", driver="550.54.15", os={"container": "docker"}),
    ["torch==2.6.0", "vllm==0.8.5", "flash-attn==2.8.0.post2; needs torch"],
    {**torch("2.6.0+cu124", "12.4", CU124), **flash([OLD], [NEW])},
    python="3.10",
)
w(
    "https://github.com/sdbds/musubi-tuner-scripts/issues/4",
    "ext.abi_mismatch",
    windows("RTX 4090", driver="572.16"),
    ["torch==2.6.0+cu124", "xformers==0.0.29.post1; needs torch==2.5.1"],
    {**torch("2.6.0+cu124", "12.4", CU124), **xformers("2.5.1+cu124", 1204, "3.10.11")},
    python="3.10",
)
w(
    "https://github.com/unslothai/unsloth/issues/8580",
    "ext.abi_mismatch",
    there("RTX 3090", driver="580.95.05"),
    ["torch==2.11.0", "xformers==0.0.35; needs torch>=2.10"],
    {**torch("2.11.0+cu130", "13.0", CU130), **xformers("2.10.0+cu128", 1208, "3.10.19")},
    python="3.13",
)
w(
    "https://github.com/jy0205/Pyramid-Flow/issues/3",
    "numpy.abi_mismatch",
    windows("RTX 4090", driver="560.94"),
    ["torch==2.1.2+cu121", "numpy==2.0.2"],
    torch("2.1.2+cu121", "12.1", CU121),
    python="3.10",
)
w(
    "https://github.com/ai2cm/ace/issues/378",
    "numpy.abi_mismatch",
    there("A100", driver="525.105.17"),
    ["torch==2.2.2", "numpy==2.0.0"],
    torch("2.2.2+cu121", "12.1", CU121),
    python="3.10",
)
w(
    "https://github.com/googlecolab/colabtools/issues/5667",
    "driver.jit_ptx_too_new",
    there(
        "T4",
        driver="550.54.15",
        os={"container": "docker"},
        toolkits=(Toolkit("12.5.1", "/usr/local/cuda-12.5", "version.json"),),
        libraries=(lib("nvrtc", "12.5.82", "/usr/local/cuda-12.5/lib64/libnvrtc.so.12"),),
    ),
    ["numba==0.60.0", "numba-cuda==0.11.0", "nvidia-cuda-nvcc-cu12==12.5.82", "nvidia-cuda-nvrtc-cu12==12.5.82"],
    {"SITE/nvidia/cuda_nvcc/nvvm/lib64/libnvvm.so": library(), "SITE/nvidia/cuda_nvrtc/lib/libnvrtc.so.12": library()},
)
w(
    "https://github.com/kohya-ss/sd-scripts/issues/1597",
    "windows.dll_missing",
    windows("RTX 4080", driver="560.94"),
    ["torch==2.4.0+cu124"],
    {
        **torch("2.4.0+cu124", "12.4", CU124),
        "Lib/site-packages/torch/lib/c10.dll": b"MZ",
        "Lib/site-packages/torch/lib/fbgemm.dll": b"MZ\0libomp140.x86_64.dll\0",
        "Lib/site-packages/torch/version.py": "__version__ = '2.4.0+cu124'\ncuda = '12.4'\n",
        **{f"Windows/System32/{n}": b"MZ" for n in ("vcruntime140.dll", "msvcp140.dll", "vcruntime140_1.dll")},
    },
    variables={"SystemRoot": "PREFIX/Windows"},
    python="3.10",
)
w(
    "https://github.com/pyg-team/pytorch_geometric/issues/3593",
    "sys.glibc_too_old",
    there("RTX 2080 Ti", driver="460.91.03", os={"libc": "glibc 2.17", "distro": "centos 7"}),
    ["torch==1.10.0", "torch-spline-conv==1.2.1"],
    {
        **torch("1.10.0", "10.2", "sm_37 sm_50 sm_60 sm_70 sm_75"),
        "SITE/torch_spline_conv/_basis_cuda.so": library(
            ["libm.so.6", "libc10.so"],
            needs={"libm.so.6": ["GLIBC_2.27"]},
            kernels=["sm_37", "sm_60", "sm_70", "sm_75"],
        ),
    },
    conda=["pytorch-1.10.0-py3.8_cuda10.2_cudnn7.6.5_0", "cudatoolkit-10.2.89-hfd86e86_1"],
    python="3.8",
)
# 60 paddle of conda, and cuDNN 5.1 of the system by its name without a version
w(
    "https://github.com/PaddlePaddle/Paddle/issues/58914",
    "lib.cudnn_shadowed|lib.cudnn_too_old|ext.cuda_libs_missing",
    there(
        "RTX 2080 Ti",
        driver="470.82.01",
        libraries=(lib("cudnn", "5.1.10", "/usr/local/cuda/lib64/libcudnn.so", "LD_LIBRARY_PATH"),),
        environment={"LD_LIBRARY_PATH": "/usr/local/cuda/lib64"},
    ),
    ["paddlepaddle-gpu==2.5.2"],
    {
        "SITE/paddle/fluid/libpaddle.so": library(
            ["libcudart.so.11.0"],
            constants=["libcudnn.so", "libcublas.so"],
            kernels=["sm_60", "sm_70", "sm_75", "sm_80"],
        ),
        "lib/libcudnn.so.8": library(soname="libcudnn.so.8"),
        "lib/libcudnn.so": library(soname="libcudnn.so.8"),
        "lib/libcudart.so.11.0": library(soname="libcudart.so.11.0"),
    },
    conda=[
        "paddlepaddle-gpu-2.5.2-py311_gpu_cuda11.2_many_linux",
        "cudatoolkit-11.2.2-hbe64b41_11",
        "cudnn-8.2.1.32-h86fa8c9_0",
    ],
    python="3.11",
)


# Named, and not the root cause, with why.
NOT_THE_CAUSE = {
    "https://github.com/jamiepine/voicebox/issues/877": "that the program compiles stands in its code",
    "https://github.com/trueagi-io/FabricPC/pull/45": "TensorFlow, which only reads data there, has no CUDA libraries",
}


@pytest.mark.parametrize("one", THREADS, ids=[one.url.removeprefix("https://github.com/") for one in THREADS])
def test_what_is_the_matter_is_named(one: Thread, tmp_path: Path) -> None:
    found = diagnose(world_of(one, tmp_path))
    ids, accepted = [finding.id for finding in found.findings], set(one.finding.split("|"))
    assert set(ids) & accepted, (ids, found.skipped)
    assert (found.cause in accepted) == (one.url not in NOT_THE_CAUSE), (found.cause, ids)


def test_there_are_sixty() -> None:
    assert len({one.url for one in THREADS}) == 60
