"""All checks, in one place: bottom up, each with the findings that it can tell."""

from collections.abc import Callable, Iterator

from cudafit.doctor.checks import (
    devices,
    driver,
    extensions,
    frameworks,
    hardware,
    libraries,
    notebooks,
    project,
    ran,
    variables,
)
from cudafit.doctor.world import Unchecked, World
from cudafit.model.finding import Finding
from cudafit.model.frozen import frozen

Function = Callable[[World], Iterator[Finding | Unchecked] | Iterator[Finding]]


@frozen
class Check:
    """A check: what it looks at, and what it can find."""

    name: str
    about: str
    function: Function
    ids: tuple[str, ...]


def _check(name: str, about: str, function: Function, ids: str) -> Check:
    return Check(name, about, function, tuple(ids.split()))


CHECKS = (
    _check("gpu", "whether there is an NVIDIA GPU", hardware.no_gpu, "gpu.none"),
    _check("gpu-lost", "whether every GPU answers", hardware.lost, "gpu.fallen_off_bus"),
    _check("kernel-log", "whether the kernel log could be read", hardware.log_unread, "info.kernel_log_unreadable"),
    _check("gpu-start", "whether the driver could start the GPU", hardware.failed_to_start, "gpu.init_failed"),
    _check("memory-log", "errors of memory in the kernel log", hardware.memory_xids, "gpu.ecc_error"),
    _check("gpu-memory", "errors in the GPU's memory", hardware.ecc, "gpu.ecc_error info.ecc_recovered"),
    _check("pcie", "the PCIe link of a busy GPU", hardware.link, "perf.pcie_degraded"),
    _check("throttling", "why a GPU lowers its clock", hardware.throttled, "perf.throttled info.power_capped"),
    _check(
        "driver",
        "whether NVIDIA's driver is loaded",
        driver.not_loaded,
        "driver.not_loaded driver.nouveau_bound driver.module_missing_for_kernel driver.secureboot_rejected",
    ),
    _check(
        "driver-versions", "module and libraries of one version", driver.versions_differ, "driver.lib_kernel_mismatch"
    ),
    _check("driver-branch", "whether the branch drives the card", driver.drops_the_card, "driver.branch_dropped_gpu"),
    _check(
        "driver-module",
        "open or proprietary kernel module",
        driver.wrong_module,
        "driver.open_module_unsupported driver.open_module_required",
    ),
    _check("libcuda", "which libcuda is loaded", driver.libcuda, "driver.stub_libcuda driver.compat_on_geforce"),
    _check("ldcache", "libcuda for torch.compile", driver.only_by_variable, "triton.libcuda_not_in_ldcache"),
    _check("uvm", "the device file that CUDA needs", devices.uvm_node, "driver.uvm_node_missing"),
    _check(
        "permission", "who may open the device files", devices.permission, "dev.permission container.cgroup_revoked"
    ),
    _check("container", "what a container gets", devices.container, "container.no_gpu_exposed container.caps_missing"),
    _check("wsl", "the GPU in WSL", devices.wsl, "wsl.no_dxg wsl.linux_driver_installed"),
    _check("slurm", "the GPU of a Slurm job", devices.slurm, "slurm.no_gres"),
    _check("gpu-use", "who else uses the GPU", devices.modes, "gpu.exclusive_mode gpu.memory_held"),
    _check(
        "visible-devices",
        "CUDA_VISIBLE_DEVICES",
        variables.hidden,
        "env.cvd_empty env.cvd_out_of_range env.cvd_invalid",
    ),
    _check("mig", "slices of a GPU", variables.mig, "gpu.mig_needs_selection info.mig_single_visible"),
    _check(
        "forced-cpu",
        "variables that choose the CPU",
        variables.forced_to_cpu,
        "env.jax_platforms_cpu env.accelerate_use_cpu",
    ),
    _check("torch-uuids", "UUIDs and torch 1.13", variables.old_torch_and_uuids, "torch.cvd_uuid_bug"),
    _check("copies", "one copy of each package", libraries.copies, "dist.duplicate_install"),
    _check("folders", "packages that fill one folder", libraries.collision, "lib.nvidia_dir_collision"),
    _check(
        "cuda-packages",
        "the CUDA packages that frameworks ask for",
        libraries.conflict,
        "lib.nvidia_dist_conflict torch.nvidia_dist_missing",
    ),
    _check("cuda-majors", "one CUDA in one environment", libraries.majors, "lib.mixed_cuda_major"),
    _check(
        "shadowing",
        "libraries in front of the environment's",
        libraries.shadowed,
        "lib.cudnn_shadowed lib.ld_path_shadow",
    ),
    _check("cudnn", "the cuDNN that TensorFlow needs", libraries.cudnn, "lib.cudnn_major_mismatch lib.cudnn_too_old"),
    _check("halves", "lib and lib64 of an environment", libraries.split, "lib.venv_lib_lib64_split"),
    _check("placeholders", "packages without content", libraries.placeholders, "provision.placeholder_package"),
    _check("numpy", "NumPy 2 with builds for NumPy 1", libraries.numpy_abi, "numpy.abi_mismatch"),
    _check("libc", "the C library that wheels need", libraries.libc, "sys.glibc_too_old"),
    _check("torch", "what torch was built for", frameworks.torch_build, "torch.cpu_wheel torch.cpu_conda"),
    _check("torch-driver", "torch's CUDA and the driver", frameworks.torch_driver, "driver.too_old_for_runtime"),
    _check(
        "torch-kernels",
        "torch's kernels and the cards",
        frameworks.torch_kernels,
        "torch.arch_unsupported_new torch.arch_unsupported_old torch.arch_mixed_gpus torch.jetson_wrong_wheel "
        "ok.arch_minor_compatible",
    ),
    _check("torch-variants", "one CUDA for torch's family", frameworks.companion_variants, "torch.companion_mismatch"),
    _check("torch-companions", "torchvision and torchaudio", frameworks.companions, "torch.companion_mismatch"),
    _check(
        "tensorflow",
        "what TensorFlow was built for",
        frameworks.tensorflow_build,
        "tf.cpu_build tf.gpu_stub_package tf.windows_native_unsupported tf.aarch64_cpu_only",
    ),
    _check(
        "tensorflow-driver",
        "TensorFlow's CUDA and the driver",
        frameworks.tensorflow_driver,
        "driver.too_old_for_runtime",
    ),
    _check("tensorflow-kernels", "TensorFlow's kernels", frameworks.tensorflow_kernels, "tf.arch_unsupported_new"),
    _check(
        "tensorflow-libraries",
        "the libraries that TensorFlow loads",
        frameworks.tensorflow_libraries,
        "tf.cuda_libs_missing tf.cuda_libs_unreachable",
    ),
    _check(
        "jax",
        "JAX and its CUDA plugin",
        frameworks.jax,
        "jax.no_cuda_plugin jax.plugin_version_skew jax.windows_unsupported",
    ),
    _check("jax-driver", "JAX's CUDA and the driver", frameworks.jax_driver, "driver.too_old_for_runtime"),
    _check("bitsandbytes", "the library of bitsandbytes", extensions.bitsandbytes, "bnb.binary_missing"),
    _check("xformers", "what xformers was compiled with", extensions.xformers, "ext.cpu_only"),
    _check("xla", "what XLA compiles with", frameworks.libdevice, "xla.libdevice_missing"),
    _check("accelerate", "Accelerate's configuration file", variables.accelerate_file, "env.accelerate_use_cpu"),
    _check("kernel", "the Python of a notebook's kernel", notebooks.other_python, "jupyter.kernel_wrong_python"),
    _check("kernel-env", "what a kernel sets", notebooks.other_variables, "jupyter.kernel_env_differs"),
    _check(
        "run",
        "what the frameworks say themselves (--deep)",
        ran.ran,
        "run.import_failed run.gpu_not_seen run.operation_failed",
    ),
    _check("requirements", "names in requirement files", project.names, "provision.cu13_stub_name tf.gpu_stub_package"),
    _check("python", "wheels for this Python", project.python, "provision.no_wheel_for_python"),
    _check("notebooks", "how notebooks install", project.notebooks, "jupyter.bang_pip"),
    _check("openmp", "one OpenMP", libraries.openmp, "lib.duplicate_openmp"),
    _check("extensions", "the torch that extensions were built for", extensions.pins, "ext.abi_mismatch"),
    _check("extension-symbols", "what extensions take from torch", extensions.symbols, "ext.abi_mismatch"),
    _check("extension-kernels", "kernels of extensions", extensions.kernels, "ext.arch_unsupported"),
    _check("extension-libraries", "libraries that extensions load", extensions.libraries, "ext.cuda_libs_missing"),
    _check("extension-cpu", "packages without CUDA", extensions.cpu_only, "ext.cpu_only"),
    _check("nvrtc", "the compiler at run time and the driver", extensions.compiler_too_new, "driver.jit_ptx_too_new"),
    _check("toolkit-parts", "CUDA libraries of one release", extensions.other_toolkit, "lib.mixed_cuda_major"),
    _check("libstdcxx", "the C++ library that is loaded", libraries.cplusplus, "lib.libstdcxx_too_old"),
    _check("onnxruntime", "one ONNX Runtime", frameworks.onnxruntime, "ort.cpu_and_gpu_both"),
)
IDS = tuple(dict.fromkeys(name for check in CHECKS for name in check.ids))
