"""CUDA's status as programs print it: by number, by name, by text, each in the ways that programs do."""

import pytest

from tests.messages import meant

# A program's way to print a status, `{}` being its number.
WAYS = [
    "cudaSetDevice err: {}",
    "cudart vram init failure: {}",
    "cudaGetDeviceCount returned {}\n-> x",
    "cudaGetDeviceCount() failed with error #{}",
    "cuInit failed with error code {}",
    "cuInit(0) returned {}",
    "F0504 12:30:02.978602 2662 common.cpp:163] Check failed: error == cudaSuccess ({} vs. 0) x",
    "src/storage/storage.cc:38: Check failed: e == cudaSuccess ({} vs. 0)",
    "THCudaCheck FAIL file=/pytorch/aten/src/THC/THCGeneral.cpp line=50 error={} : x",
    "RuntimeError: cuda runtime error ({}) : x at /pytorch/aten/src/THC/THCGeneral.cpp:50",
    "a.cuh@54: CUDA Runtime Error({}): x",
    "onnxruntime::CudaCall CUDA failure {}: x ; GPU=0 ; hostname=h",
    "CUDA error {} at /tmp/llama.cpp/ggml-cuda.cu:6466: x",
    "Cuda failure: {}",
    "CUDA error code: {}",
    'CUDA error at bandwidthTest.cu:256 code={}(x) "cudaSetDevice(currentDevice)"',
    "CUDA error #{} (x)",
]
NUMBERS = {
    2: "gpu.out_of_memory",
    3: "driver.initialization_error",
    38: "gpu.none",
    46: "gpu.exclusive_mode",
    100: "gpu.none",
    209: "ext.arch_unsupported",
    214: "gpu.ecc_error",
    222: "driver.jit_ptx_too_new",
    304: "driver.initialization_error",
    700: "code.illegal_access",
    802: "gpu.fabric_not_ready",
    803: "driver.lib_kernel_mismatch",
    804: "driver.compat_on_geforce",
    999: "driver.uvm_stale",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_number_means_the_same_in_each_program(way: str) -> None:
    wrong = {number: found for number in NUMBERS if (found := meant(way.format(number)).root) != NUMBERS[number]}
    assert wrong == {}


@pytest.mark.parametrize(
    "line",
    [
        "found 35 CUDA errors in 700 files",
        "CUDA error 12.1 is no number",
        "cuda version: 35",
        "cudaMalloc returned 35 GB",
        "test_cuda failed 2 of 35 tests",
        "CUDA status 3/46 done",
        "cudaSuccess",
    ],
)
def test_a_number_that_is_none_of_cuda_says_nothing(line: str) -> None:
    assert meant(line).root is None


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("undefined symbol: cuMemGetAllocationGranularity", "driver.too_old_for_runtime"),
        ("ImportError: /e/libx.so: undefined symbol: curl_easy_init", None),
        ("undefined symbol: cudaGetDriverEntryPointByVersion, version libcudart.so.12", "lib.ld_path_shadow"),
        ("CUDA error: MPS client has been terminated", "driver.initialization_error"),
        ("CUDA error: API call is not supported in the installed CUDA driver", "driver.too_old_for_runtime"),
        ("failed to initialize NVML: ERROR_LIBRARY_NOT_FOUND", "driver.not_loaded"),
        ("failed to initialize NVML: ERROR_LIB_RM_VERSION_MISMATCH", "driver.lib_kernel_mismatch"),
        ("Failed to initialize NVML: GPU requires reset", "gpu.init_failed"),
        ("NVRM: Xid (PCI:0000:01:00): 109, pid=1, Ch 00000008, errorString CTX SWITCH TIMEOUT", "gpu.driver_fault"),
        ("NVRM: Xid (PCI:0000:01:00): 144, NVLINK: SAW Fatal", "gpu.nvlink_error"),
        ("ERROR: An NVIDIA kernel module 'nvidia-uvm' appears to already be loaded in your kernel.", "driver.lib"),
        ("Problem: package akmod-nvidia-3:470.74-1.fc35.x86_64 requires nvidia-kmod-common >= 3:470.74", "driver.br"),
        ("cuda : Depends: cuda-12-2 (>= 12.2.0) but it is not going to be installed", None),
        ("nvidia-container-cli: mount error: failed to add device rules: x: operation not permitted", "container."),
        ("You are using ptxas 9.1.108, which is older than 9.2.88. ptxas 9.x is known to miscompile XLA", "xla.ptxas"),
        ("libtorch_cuda.so: cannot open shared object file: No such file or directory", "ext.abi_mismatch"),
        ("TensorRT was linked against cuDNN 8.6.0 but loaded cuDNN 8.4.1", "lib.cudnn_shadowed"),
    ],
)
def test_names_and_texts_of_one_family(text: str, root: str | None) -> None:
    found = meant(text).root
    assert found is None if root is None else found is not None and found.startswith(root)


def test_what_comes_at_the_end_of_a_program_is_harmless() -> None:
    found = meant("cudaFree() failed. Reason: driver shutting down")
    assert found.root is None
    assert [one.harmless for one in found.matches] == [True]
