"""The environment variables that decide what a CUDA program sees and loads, and those by which users override facts."""

from collections.abc import Mapping

from cudafit.model.machine import Override

# Recorded when set. None of them holds a secret by its purpose; nothing else of the environment is ever kept.
NAMES = (
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "CUDA_HOME",
    "CUDA_PATH",
    "CUDA_ROOT",
    "CUDA_MODULE_LOADING",
    "CUDA_CACHE_DISABLE",
    "CUDA_FORCE_PTX_JIT",
    "CUDA_DISABLE_PTX_JIT",
    "CUDA_LAUNCH_BLOCKING",
    "CUDA_MPS_PIPE_DIRECTORY",
    "NVIDIA_VISIBLE_DEVICES",
    "NVIDIA_DRIVER_CAPABILITIES",
    "NVIDIA_DISABLE_REQUIRE",
    "NVIDIA_TF32_OVERRIDE",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "JAX_PLATFORMS",
    "JAX_PLATFORM_NAME",
    "XLA_FLAGS",
    "TF_FORCE_GPU_ALLOW_GROWTH",
    "KERAS_BACKEND",
    "ACCELERATE_USE_CPU",
    "PYTORCH_NVML_BASED_CUDA_CHECK",
    "PYTORCH_CUDA_ALLOC_CONF",
    "PYTHONNOUSERSITE",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "CONDA_DEFAULT_ENV",
    "CONDA_OVERRIDE_CUDA",
    "CONDA_OVERRIDE_CUDA_ARCH",
    "UV_CUDA_DRIVER_VERSION",
    "UV_TORCH_BACKEND",
    "SLURM_JOB_ID",
    "WSL_DISTRO_NAME",
)

# Variable -> the fact of a machine that it replaces.
_OVERRIDES = {
    "CONDA_OVERRIDE_CUDA": "driver.cuda",
    "UV_CUDA_DRIVER_VERSION": "driver.version",
    "CONDA_OVERRIDE_CUDA_ARCH": "gpus.compute_capability",
}


def read_environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: environ[name] for name in NAMES if name in environ}


def overrides(environ: Mapping[str, str]) -> tuple[Override, ...]:
    """An empty CONDA_OVERRIDE_CUDA is an answer too: it says that there is no CUDA."""
    return tuple(Override(name, fact, environ[name]) for name, fact in _OVERRIDES.items() if name in environ)
