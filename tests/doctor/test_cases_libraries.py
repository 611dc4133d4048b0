"""Reported failures that show in the libraries: ELF headers, kernels, symbols, and what the system brings along."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cudafit.doctor.diagnose import diagnose
from cudafit.doctor.world import World
from cudafit.env.inventory import read_inventory
from cudafit.env.prefixes import at
from cudafit.files import Files
from cudafit.model.environment import Kernel
from cudafit.model.finding import INFO, Report
from cudafit.model.frozen import frozen
from cudafit.model.machine import Library, Machine
from cudafit.model.project import Project
from cudafit.model.requirement import wanted
from tests.doctor.test_cases import CU124, CU128, GB10, ORIN, WINDOWS, WSL, there
from tests.doctor.worlds import CUDA_LIBRARIES, FACTS, tensorflow, torch, tree
from tests.elf_files import library

CU130 = "sm_75 sm_80 sm_86 sm_90 sm_100 sm_110 sm_120"
GRACE = there("GH200", platform="linux-aarch64")
TORCH = torch("2.9.1+cu128", "12.8", CU128)
WITH_CUDNN = {"SITE/torch/lib/libtorch_cuda.so": library(["libcudnn.so.9"], rpath="$ORIGIN/../../nvidia/cudnn/lib")}
PROVIDER = "SITE/onnxruntime/capi/libonnxruntime_providers_cuda.so"
OLD_NAME = "_ZN3c105ErrorC2ENS_14SourceLocationESs"
NEW_NAME = "_ZN3c105ErrorC2ENS_14SourceLocationENSt7__cxx1112basic_stringIcEE"
NEW_DEVICE = "_ZN3c104cuda9SetDeviceEa"


@frozen
class Seen:
    """A machine, what lies in the environment, and what the system brings: files of the folder `SYSTEM/`."""

    id: str
    finding: str
    source: str
    machine: Machine
    files: Mapping[str, str | bytes]
    dists: Sequence[str] = ()
    system: Mapping[str, bytes] | None = None
    variables: Mapping[str, str] | None = None
    kernel: Kernel | None = None
    active: str | None = None
    conda: Sequence[str] = ()
    wants: Sequence[str] = ()
    severity: str | None = None
    cause: bool = True
    never: Sequence[str] = ()
    python: str = "3.12"


def cxx(*versions: str) -> bytes:
    return library(soname="libstdc++.so.6", has=versions)


def flash(*symbols: str) -> dict[str, str | bytes]:
    """A flash-attn that takes these names of torch's libraries, which have others."""
    return {
        "SITE/torch/lib/libtorch_cuda.so": library(["libc10.so"], rpath="$ORIGIN"),
        "SITE/torch/lib/libc10.so": library(gives=[NEW_NAME]),
        "SITE/flash_attn_2_cuda.cpython-312-x86_64-linux-gnu.so": library(
            ["libc10.so"], takes=symbols, kernels=["sm_80", "sm_90", "sm_120"]
        ),
    }


def link(runpath: str) -> dict[str, str | bytes]:
    return {"SITE/tensorflow/libtensorflow_framework.so.2": library(runpath=runpath)}


def served(**told: tuple[str | None, str | None]) -> Kernel:
    """A kernel of a running Jupyter whose variables are not those of the shell."""
    differs = tuple((name, shell, inside) for name, (shell, inside) in told.items())
    return Kernel("python3", "/k/kernel.json", ("python",), {}, "/proc/7/environ", differs)


CASES = (
    Seen(
        "B06",
        "lib.mixed_cuda_major",
        "https://github.com/astral-sh/uv/issues/17050",
        there(driver="570.86.10"),
        TORCH,
        ["torch==2.9.1", "torch-tensorrt==2.9.0", "tensorrt-cu13==10.14.1", "tensorrt-cu13-libs==10.14.1"],
    ),
    Seen(
        "CC1",
        "lib.mixed_cuda_major",
        "https://github.com/cupy/cupy/issues/7573",
        there(libraries=(Library("cudart", "12.1.55", "/usr/local/cuda/lib64/libcudart.so.12", "/etc/ld.so.conf"),)),
        {},
        ["cupy-cuda11x==12.0.0"],
    ),
    Seen(
        "F04",
        "lib.mixed_cuda_major",
        "https://github.com/NVIDIA/tensorflow/issues/110",
        there(),
        {
            "SITE/nvidia/cusolver/lib/libcusolver.so.11": library(["libnvJitLink.so.12"]),
            "SITE/nvidia/cublas/lib/libcublas.so.11": library(),
        },
        ["nvidia-tensorflow==1.15.5"],
    ),
    Seen(
        "D05",
        "ok.arch_minor_compatible",
        "https://github.com/pytorch/pytorch/issues/172629",
        GB10,
        torch("2.9.1+cu130", "13.0", CU130),
        ["torch==2.9.1"],
        severity=INFO,
        cause=False,
        never=["torch.arch_unsupported_new", "torch.ptx_only"],
    ),
    Seen(
        "D11",
        "ext.arch_unsupported",
        "https://github.com/abetlen/llama-cpp-python/pull/2237",
        there("P100"),
        {"SITE/llama_cpp/lib/libggml-cuda.so": library(kernels=["sm_70", "sm_75", "sm_80", "sm_86", "sm_89", "sm_90"])},
        ["llama-cpp-python==0.3.9"],
    ),
    Seen(
        "D12",
        "torch.arch_unsupported_new",
        "https://github.com/devnen/Chatterbox-TTS-Server/issues/134",
        GB10,
        torch("2.6.0+cu126", "12.6", "sm_80 sm_90"),
        ["torch==2.6.0"],
    ),
    Seen(
        "D15",
        "tf.arch_unsupported_new",
        "https://github.com/tensorflow/tensorflow/issues/89272",
        there("RTX 5080", driver="576.88"),
        {**tensorflow("12.5.1", "9", ("sm_60", "sm_70", "sm_80", "sm_89", "compute_90")), **CUDA_LIBRARIES, **TORCH},
        ["tensorflow==2.20.0", "torch==2.9.1"],
        severity="warning",  # its PTX may serve
        cause=False,
        never=["torch.arch_unsupported_new"],
    ),
    Seen(
        "E02",
        "lib.cudnn_shadowed",
        "https://github.com/pytorch/pytorch/issues/185512",
        replace(WSL, libraries=()),
        {**torch("2.12.1+cu126", "12.6", CU124), **CUDA_LIBRARIES, **WITH_CUDNN},
        ["torch==2.12.1", "nvidia-cudnn-cu12==9.20.0.48"],
        system={"libcudnn_engines_tensor_ir.so.9": library()},
    ),
    Seen(
        "E07",
        "lib.cudnn_shadowed",
        "https://github.com/tensorflow/tensorflow/issues/50217",
        there(
            libraries=(Library("cudnn", "8.0.5", "/opt/old/libcudnn.so.8", "LD_LIBRARY_PATH"),),
            environment={"LD_LIBRARY_PATH": "/opt/old"},
        ),
        {**tensorflow("11.2", "8"), "SITE/nvidia/cudnn/lib/libcudnn.so.8": b""},
        ["tensorflow==2.11.0", "nvidia-cudnn-cu11==8.6.0.163"],
    ),
    Seen(
        "E08",
        "lib.cudnn_too_old",
        "https://github.com/googlecolab/colabtools/issues/2626",
        there("T4", libraries=(Library("cudnn", "8.0.5", "/usr/lib/libcudnn.so.8", "default folders"),)),
        tensorflow("11.2", "8.1"),
        ["tensorflow==2.8.0"],
        cause=False,
    ),
    Seen(
        "F02",
        "tf.cuda_libs_unreachable",
        "https://github.com/tensorflow/tensorflow/issues/85311",
        there("RTX 3060"),
        {**tensorflow("12.5.1", "9"), **CUDA_LIBRARIES, **link("$ORIGIN/../../../../nvidia/cudnn/lib")},
        ["tensorflow==2.18.0"],
    ),
    Seen(
        "F11",
        "tf.windows_native_unsupported",  # 2.10.1 is the last one with a GPU there: it is no stub
        "https://github.com/tensorflow/tensorflow/issues/60886",
        WINDOWS,
        tensorflow(None),
        ["tensorflow==2.12.0"],
        never=["tf.gpu_stub_package"],
    ),
    Seen(
        "F15",
        "xla.libdevice_missing",
        "https://github.com/tensorflow/tensorflow/issues/57055",
        there("GTX 1060"),
        {**tensorflow("11.2", "8"), "SITE/nvidia/cudnn/lib/libcudnn.so.8": b""},
        ["tensorflow==2.9.1"],
        cause=False,
    ),
    Seen(
        "H04",
        "lib.cudnn_major_mismatch",
        "https://github.com/jax-ml/jax/issues/20519",
        there(),
        {"SITE/nvidia/cudnn/lib/libcudnn.so.9": b""},
        ["jax==0.4.25", "jaxlib==0.4.25+cuda12.cudnn89", "nvidia-cudnn-cu12==9.0.0.312"],
    ),
    Seen(
        "jax-29315",  # none of the 160
        "lib.cudnn_too_old",
        "https://github.com/jax-ml/jax/issues/29315",
        there(),
        torch("2.7.0+cu126", "12.6", CU124),
        [
            "torch==2.7.0; needs nvidia-cudnn-cu12==9.5.1.17",
            "nvidia-cudnn-cu12==9.5.1.17",
            "jax==0.6.1",
            "jaxlib==0.6.1",
            "jax-cuda12-pjrt==0.6.1",
            'jax-cuda12-plugin==0.6.1; needs nvidia-cudnn-cu12<10.0,>=9.8; extra == "with-cuda"',
        ],
    ),
    Seen(
        "H10",
        "jax.no_cuda_plugin",
        "https://github.com/hollowstrawberry/kohya-colab/issues/133",
        there("T4"),
        TORCH,
        ["torch==2.9.1", "jax==0.4.26", "jaxlib==0.4.26", "dm-haiku==0.0.12; needs jax>=0.4"],
        severity=INFO,
        cause=False,
    ),
    Seen(
        "N02",
        "jupyter.kernel_env_differs",
        "https://github.com/microsoft/vscode-jupyter/issues/9081",
        there("GTX 1660"),
        TORCH,
        ["torch==2.9.1"],
        kernel=served(CUDA_VISIBLE_DEVICES=("0", "")),
        cause=False,
    ),
    Seen(
        "N03",
        "jupyter.kernel_env_differs",
        "https://github.com/jupyter/notebook/issues/5871",
        there(),
        tensorflow("12.5.1"),
        ["tensorflow==2.18.0"],
        kernel=served(LD_LIBRARY_PATH=("/usr/local/cuda/lib64", None)),
        cause=False,
    ),
    Seen(
        "N06",
        "jupyter.kernel_wrong_python",
        "https://github.com/NVIDIA/nvidia-docker/issues/576",
        there(),
        {},
        kernel=Kernel("python3", "/k/kernel.json", ("/usr/bin/python",)),
        active="/opt/conda",
    ),
    Seen(
        "P06",
        "ext.abi_mismatch",
        "https://github.com/Dao-AILab/flash-attention/issues/1644",
        there("H100"),
        {**torch("2.7.0+cu128", "12.8", CU128), **flash(OLD_NAME)},
        ["torch==2.7.0", "flash-attn==2.7.4.post1; needs torch"],
    ),
    Seen(
        "P07",
        "ext.abi_mismatch",
        "https://github.com/Dao-AILab/flash-attention/issues/1832",
        there("H100"),
        {**torch("2.8.0+cu128", "12.8", CU128), **flash(NEW_DEVICE)},
        ["torch==2.8.0", "flash-attn==2.8.3; needs torch"],
    ),
    Seen(
        "P09",
        "bnb.binary_missing",
        "https://github.com/bitsandbytes-foundation/bitsandbytes/issues/558",
        WINDOWS,
        {**torch("2.1.0+cu118", "11.8", CU124), "SITE/bitsandbytes/libbitsandbytes_cuda118.so": b""},
        ["torch==2.1.0", "bitsandbytes==0.39.0"],
    ),
    Seen(
        "Q02",
        "lib.libstdcxx_too_old",
        "https://github.com/pytorch/pytorch/issues/87279",
        there("RTX 2080 Ti", driver="515.65.01", environment={"LD_LIBRARY_PATH": "SYSTEM"}),
        {
            **torch("1.12.1", "11.6", CU124),
            "SITE/torch/lib/libtorch_cuda.so": library(
                ["libstdc++.so.6"], runpath="$ORIGIN", needs={"libstdc++.so.6": ["GLIBCXX_3.4.30"]}
            ),
            "lib/libstdc++.so.6": cxx("GLIBCXX_3.4.28", "GLIBCXX_3.4.30"),
        },
        ["torch==1.12.1"],
        system={"libstdc++.so.6": cxx("GLIBCXX_3.4.28")},
        variables={"LD_LIBRARY_PATH": "SYSTEM"},
    ),
    Seen(
        "Q03",
        "lib.libstdcxx_too_old",
        "https://github.com/pytorch/pytorch/issues/115138",
        there(),
        {
            **TORCH,
            "SITE/torch/lib/libtorch_cuda.so": library(
                ["libstdc++.so.6"], needs={"libstdc++.so.6": ["GLIBCXX_3.4.20"]}
            ),
        },
        ["torch==2.9.1"],
        system={"libstdc++.so.6": cxx("GLIBCXX_3.4.19")},
    ),
    Seen(
        "T03",
        "torch.jetson_wrong_wheel",
        "https://github.com/conda-forge/pytorch-cpu-feedstock/issues/303",
        ORIN,
        torch("2.5.1", "12.6", "sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90"),
        ["torch==2.5.1"],
        conda=["pytorch-2.5.1-cuda126_py312h1"],
    ),
    Seen(
        "T06",
        "ext.cpu_only",
        "https://github.com/microsoft/onnxruntime/issues/26351",
        GB10,
        {},
        ["onnxruntime==1.21.0"],
        severity=INFO,
        cause=False,
    ),
    Seen(
        "T08",
        "ext.cpu_only",
        "https://github.com/dmlc/xgboost/issues/11563",
        GRACE,
        {"SITE/xgboost/lib/libxgboost.so": library()},
        ["xgboost==3.0.2"],
        cause=False,
    ),
    Seen(
        "U04",
        "ext.cuda_libs_missing",
        "https://github.com/deepinsight/insightface/issues/2295",
        there(),
        {
            **TORCH,
            **CUDA_LIBRARIES,
            "SITE/torch/lib/libtorch_cuda.so": library(
                ["libcudnn.so.9", "libcublas.so.12"],
                rpath="$ORIGIN/../../nvidia/cudnn/lib:$ORIGIN/../../nvidia/cublas/lib",
            ),
            "SITE/nvidia/cudnn/lib/libcudnn.so.9": library(),
            "SITE/nvidia/cublas/lib/libcublas.so.12": library(),
            PROVIDER: library(["libcublas.so.12", "libcudnn.so.9"], kernels=["sm_80", "sm_86", "sm_90"]),
        },
        ["torch==2.9.1", "onnxruntime-gpu==1.23.0"],
        severity="warning",
        cause=False,
    ),
    Seen(
        "U05",
        "ort.cpu_and_gpu_both",
        "https://github.com/microsoft/onnxruntime-extensions/issues/404",
        there(),
        {},
        ["onnxruntime==1.14.1", "onnxruntime-gpu==1.14.1", "onnxruntime-extensions==0.7.0; needs onnxruntime>=1.12"],
    ),
    Seen(
        "BB6",
        "ext.cuda_libs_missing",
        "https://github.com/NVIDIA/cuml/pull/7304",
        there(),
        {
            "SITE/nvidia/cu13/lib/libcublas.so.13": library(),
            "SITE/nvidia/nccl/lib/libnccl.so.2": library(),
            "SITE/cuml/libcuml.so": library(
                ["libcublas.so.13", "libnccl.so.2"], runpath="$ORIGIN/../nvidia/cu13/lib", kernels=["sm_80", "sm_86"]
            ),
        },
        ["cuml-cu13==25.10.0"],
    ),
    Seen(
        "BB7",
        "lib.duplicate_openmp",
        "https://github.com/meta-pytorch/csprng/issues/115",
        WINDOWS,
        {**TORCH, "Library/bin/libiomp5md.dll": b"", "SITE/torch/lib/libiomp5md.dll": b""},
        ["torch==2.9.1"],
        conda=["mkl-2021.4.0-h1", "numpy-1.26.4-py312h1"],
        cause=False,
    ),
    Seen(
        "CC2",
        "driver.jit_ptx_too_new",
        "https://github.com/cupy/cupy/issues/9719",
        there(driver="525.147.05"),
        {},
        ["cupy-cuda12x==14.0.0", "cuda-core==0.5.0", "nvidia-cuda-nvrtc-cu12==12.9.86"],
        cause=False,
    ),
    Seen(
        "CC5",
        "ext.cuda_libs_missing",
        "https://github.com/cupy/cupy/issues/9547",
        there(),
        {
            "SITE/nvidia/cu13/lib/libcudart.so.13": library(),
            "SITE/cupy/cuda/core.so": library(["libcudart.so.13"], kernels=["sm_80", "sm_86"]),
        },
        ["cupy-cuda13x==14.0.0rc1; needs cuda-pathfinder>=1.3.2"],
    ),
)


def world_of(seen: Seen, folder: Path) -> World:
    prefix = tree(folder / "env", seen.files, seen.dists, seen.python)
    if seen.conda:
        (prefix / "pyvenv.cfg").unlink()
        (prefix / "conda-meta").mkdir()
        for name in seen.conda:
            (prefix / "conda-meta" / f"{name}.json").write_text("{}")
    system = folder / "system"
    system.mkdir()
    for name, data in (seen.system or {}).items():
        (system / name).write_bytes(data)
    variables = {name: value.replace("SYSTEM", str(system)) for name, value in (seen.variables or {}).items()}
    files = Files()
    located = at(files, str(prefix), "named")
    assert located
    made = read_inventory(files, located, variables, [(str(system), "default folders")])
    made = replace(made, kernel=seen.kernel, active=seen.active)
    project = Project(tuple(wanted(text, "requirements.txt:1") for text in seen.wants))
    machine = replace(seen.machine, environment={**seen.machine.environment, **variables})
    return World(machine, made, FACTS, project)


def looked(seen: Seen, folder: Path) -> Report:
    return diagnose(world_of(seen, folder))


@pytest.mark.parametrize("seen", CASES, ids=[seen.id for seen in CASES])
def test_the_cause_of_a_real_case(seen: Seen, tmp_path: Path) -> None:
    found = looked(seen, tmp_path)
    mine = [one for one in found.findings if one.id == seen.finding]
    ids = [one.id for one in found.findings]
    assert mine, (ids, found.skipped)
    if seen.cause:
        assert found.cause == seen.finding, ids
    if seen.severity:
        assert mine[0].severity == seen.severity
    assert not set(seen.never) & set(ids)
