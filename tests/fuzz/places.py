"""A Linux machine with a driver, a venv, a conda prefix and a project, as files below a root."""

import json
from functools import cache
from pathlib import Path

from tests.doctor.worlds import CU126, CUDA_LIBRARIES, tensorflow, torch, tree
from tests.elf_files import fatbin, library
from tests.fuzz.scratch import scratch
from tests.machine import test_host, test_kernel_driver, test_kernel_log
from tests.machine.trees import ELF_X86_64

SITE = "env/lib/python3.12/site-packages"
LIBRARY = library(
    ["libc.so.6", "libcudart.so.12", "libstdc++.so.6"],
    soname="libtorch_cuda.so",
    runpath="$ORIGIN/../../nvidia/cudnn/lib",
    needs={"libstdc++.so.6": ["GLIBCXX_3.4.30"], "libc.so.6": ["GLIBC_2.28"]},
    takes=["_ZN3c105ErrorD1Ev"],
    gives=["_ZN2at4fooEv"],
    kernels=["sm_80", "sm_90", "compute_90"],
)
RECORD = (
    "torch/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\ntorch/lib/libtorch_cuda.so,,\n"
    "flash_attn_2_cuda.cpython-312-x86_64-linux-gnu.so,,\n"
)
META = {
    "name": "pytorch",
    "version": "2.13.0",
    "build": "cuda129_mkl_h0_200",
    "subdir": "linux-64",
    "channel": "https://conda.anaconda.org/conda-forge/linux-64",
    "url": "https://conda.anaconda.org/conda-forge/linux-64/pytorch-2.13.0-cuda129_mkl_h0_200.conda",
    "sha256": "a" * 64,
    "md5": "a" * 32,
    "size": 4711,
    "depends": ["python >=3.12,<3.13.0a0", "cudnn >=9.10,<10"],
    "requested_specs": ["pytorch=2.13"],
    "files": ["lib/a.so", "lib/python3.12/site-packages/torch/version.py"],
    "paths_data": {
        "paths_version": 1,
        "paths": [
            {"_path": "lib/a.so", "path_type": "hardlink", "sha256": "a" * 64, "size_in_bytes": 5},
            {"_path": "bin/a", "path_type": "softlink", "prefix_placeholder": "/x", "sha256_in_prefix": "b" * 64},
        ],
    },
}
HISTORY = """==> 2026-01-02 03:04:05 <==
# cmd: /opt/conda/bin/conda create -n a pytorch
# conda version: 25.1.0
+conda-forge/linux-64::python-3.12.7-h0_cpython
# update specs: ['python=3.12', "pytorch[version='>=2.6']"]
# remove specs: ['numpy']
"""
KERNEL = {
    "argv": ["/env/bin/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "display_name": "env",
    "language": "python",
    "env": {"CUDA_VISIBLE_DEVICES": "0"},
}
MOUNTS = """overlay / overlay rw,relatime,lowerdir=/var/lib/docker/overlay2/l/A,upperdir=/u,workdir=/w 0 0
proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0
/dev/sda1 /etc/hosts ext4 rw,relatime 0 0
"""
DPKG = """Package: nvidia-fabricmanager-550
Status: install ok installed
Priority: optional
Section: multiverse/libs
Version: 550.54.15-1
Description: Fabric Manager

Package: zlib1g
Status: install ok installed
Version: 1:1.2.13
"""
NVRM = """NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024
GCC version:  gcc version 12.3.0 (Ubuntu 12.3.0-1ubuntu1~22.04)
"""
STAT = "17 (jupyter-lab) S 1 17 17 0 -1 4194304 1 0 0 0 5 3 0 0 20 0 1 0 4711 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n"

MACHINE: dict[str, bytes] = {
    "etc/os-release": test_host.UBUNTU.encode(),
    "proc/sys/kernel/osrelease": b"6.5.0-44-generic\n",
    "proc/cpuinfo": b"processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC 7713 64-Core Processor\n",
    "proc/meminfo": b"MemTotal:       32768000 kB\nMemFree:        1000 kB\n",
    "proc/mounts": MOUNTS.encode(),
    "proc/1/cgroup": b"0::/system.slice/docker-abc.scope\n",
    "proc/self/cgroup": b"12:cpu,cpuacct:/docker/abc\n11:memory:/docker/abc\n0::/docker/abc\n",
    "sys/fs/cgroup/docker/abc/cpu.max": b"200000 100000\n",
    "sys/fs/cgroup/docker/abc/memory.max": b"8589934592\n",
    "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": b"8589934592\n",
    "proc/modules": b"nvidia_uvm 1 0 - Live 0x0\nnvidia 60000000 2 nvidia_uvm,nvidia_modeset, Live 0x0 (POE)\n",
    "proc/devices": b"Character devices:\n195 nvidia-frontend\n511 nvidia-uvm\n\nBlock devices:\n  8 sd\n",
    "proc/driver/nvidia/version": NVRM.encode(),
    "proc/driver/nvidia/params": b'ModifyDeviceFiles: 1\nEnableMSI: 1\nRegistryDwords: "a=1"\n',
    "proc/driver/nvidia/gpus/0000:01:00.0/information": test_kernel_driver.INFORMATION.encode(),
    "sys/module/nvidia/version": b"550.54.15\n",
    "sys/module/nvidia_uvm/parameters/uvm_disable_hmm": b"Y\n",
    "sys/bus/pci/devices/0000:01:00.0/vendor": b"0x10de\n",
    "sys/bus/pci/devices/0000:01:00.0/class": b"0x030000\n",
    "sys/bus/pci/devices/0000:01:00.0/device": b"0x2684\n",
    "sys/bus/pci/devices/0000:01:00.0/aer_dev_correctable": b"RxErr 0\nBadTLP 3\nTOTAL_ERR_COR 3\n",
    "var/log/dmesg": test_kernel_log.LINES.encode(),
    "var/log/fabricmanager.log": b"[Jan 01 2026] Fabric Manager version is : 550.54.15\n",
    "var/lib/dpkg/status": DPKG.encode(),
    "etc/ld.so.conf": b"include /etc/ld.so.conf.d/*.conf\n/usr/local/lib # mine\n",
    "etc/ld.so.conf.d/cuda.conf": b"/usr/local/cuda/lib64\n",
    "etc/ld.so.cache": b"glibc-ld.so.cache1.1\0libcuda.so.1\0/usr/lib/wsl/lib/libcuda.so.1\0",
    "etc/nv_tegra_release": b"# R36 (release), REVISION: 4.0, GCID: 1, BOARD: generic, EABI: aarch64\n",
    "bin/sh": ELF_X86_64,
    "lib/x86_64-linux-gnu/libc.so.6": b"\x7fELF\0GNU C Library (Ubuntu GLIBC 2.35-0ubuntu3) version 2.35.\n\0",
    "usr/lib/x86_64-linux-gnu/libcuda.so.550.54.15": b"",
    "usr/local/cuda/version.json": b'{"cuda": {"name": "CUDA SDK", "version": "12.4.1"}}',
    "usr/local/cuda-11/version.txt": b"CUDA Version 10.2.89\n",
    "usr/local/cuda-12/include/cuda.h": b"#ifndef X\n#define CUDA_VERSION 12040\n",
    "opt/conda/conda-meta/conda-25.1.0-py312_0.json": b"{}",
    "root/.condarc": b"channels:\n  - conda-forge\nenvs_dirs:\n  - /conda/envs\n  - '~/envs'\n",
    "root/.conda/environments.txt": b"/conda\n/opt/conda\n",
    "proc/17/cmdline": b"/env/bin/python\0-m\0jupyterlab\0--port=1\0",
    "proc/17/environ": b"HOME=/root\0CUDA_VISIBLE_DEVICES=0\0",
    "proc/17/stat": STAT.encode(),
    "proc/17/maps": b"7f0 r-xp 0 08:01 1  /env/lib/libcudart.so.12\n",
    "usr/share/jupyter/kernels/env/kernel.json": json.dumps(KERNEL).encode(),
}

CONDA: dict[str, bytes] = {
    "conda/conda-meta/pytorch-2.13.0-cuda129_mkl_h0_200.json": json.dumps(META).encode(),
    "conda/conda-meta/python-3.12.7-h0_cpython.json": json.dumps({**META, "name": "python"}).encode(),
    "conda/conda-meta/history": HISTORY.encode(),
    "conda/conda-meta/pinned": b"python 3.12.*  # mine\nnumpy<2\n",
    "conda/lib/a.so": b"12345",
}


@cache
def venv() -> dict[str, bytes]:
    """As `env/…`: torch, tensorflow, CUDA's libraries, an extension, xformers and bitsandbytes."""
    made = scratch("venv")
    files: dict[str, str | bytes] = {**torch("2.14.1+cu126", "12.6", CU126), **tensorflow("12.5.1"), **CUDA_LIBRARIES}
    files["SITE/torch/lib/libtorch_cuda.so"] = LIBRARY
    files["SITE/flash_attn_2_cuda.cpython-312-x86_64-linux-gnu.so"] = LIBRARY + fatbin("sm_80", "compute_90")
    files["SITE/xformers/cpp_lib.json"] = json.dumps({"version": {"cuda": 1206, "torch": "2.14.1"}, "env": {}})
    files["SITE/bitsandbytes/libbitsandbytes_cuda126.so"] = b""
    files["SITE/bitsandbytes/cextension.py"] = "x = 1\n"
    files["SITE/extra.pth"] = "/env/other\nimport sys\n../../x\n"
    files["SITE/torchvision/version.py"] = "__version__ = '0.29.1+cu126'\n"
    dists = [
        "torch==2.14.1; needs nvidia-cudnn-cu12==9.10.2.21; platform_system == 'Linux' & sympy>=1.13",
        "tensorflow==2.21.0",
        "flash-attn==2.8.0; needs torch",
        "nvidia-cudnn-cu12==9.10.2.21",
        "xformers==0.0.33",
    ]
    tree(made / "env", files, dists)
    named = {str(path.relative_to(made)): path.read_bytes() for path in made.rglob("*") if path.is_file()}
    named[f"{SITE}/torch-2.14.1.dist-info/direct_url.json"] = json.dumps(
        {"url": "https://user:word@example.org/torch.whl", "archive_info": {"hash": "sha256=00"}, "dir_info": {}}
    ).encode()
    named[f"{SITE}/flash_attn-2.8.0.dist-info/RECORD"] = RECORD.encode()
    named[f"{SITE}/torch-2.14.1.dist-info/WHEEL"] = b"Wheel-Version: 1.0\nTag: cp312-cp312-manylinux_2_28_x86_64\n"
    named["env/bin/python"] = ELF_X86_64
    return named


@cache
def whole() -> dict[str, bytes]:
    return {**MACHINE, **CONDA, **venv()}


def repository(*patterns: str) -> list[bytes]:
    """Files of this repository, the smaller ones first."""
    top = Path(__file__).parents[2]
    found = [path.read_bytes() for pattern in patterns for path in sorted(top.glob(pattern)) if path.is_file()]
    return sorted(found, key=len)
