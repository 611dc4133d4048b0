"""All checks, in one place: bottom up, each with the findings that it can tell."""

from cudafit.doctor.check import Check, check
from cudafit.doctor.checks import (
    abi,
    compilers,
    conda,
    cuda_packages,
    cudnn,
    devices,
    driver,
    extensions,
    fabric,
    hardware,
    jax,
    libraries,
    notebooks,
    onnxruntime,
    packages,
    project,
    ran,
    tensorflow,
    together,
    toolkits,
    torch,
    uvm,
    variables,
)
from cudafit.model import kinds
from cudafit.model.kind import FindingKind

# What looks at the machine and the environment.
CHECKS = (
    check("gpu", "whether there is an NVIDIA GPU", hardware.no_gpu, kinds.gpu.none),
    check("gpu-lost", "whether every GPU answers", hardware.lost, kinds.gpu.fallen_off_bus),
    check("kernel-log", "whether the kernel log could be read", hardware.log_unread, kinds.info.kernel_log_unreadable),
    check("gpu-start", "whether the driver could start the GPU", hardware.failed_to_start, kinds.gpu.init_failed),
    check("memory-log", "errors of memory in the kernel log", hardware.memory_xids, kinds.gpu.ecc_error),
    check("gpu-memory", "errors in the GPU's memory", hardware.ecc, kinds.gpu.ecc_error, kinds.info.ecc_recovered),
    check("pcie", "the PCIe link of a busy GPU", hardware.link, kinds.perf.pcie_degraded, kinds.ok.pcie_idle_downshift),
    check("pcie-errors", "errors of the PCIe link", hardware.pcie_errors, kinds.gpu.pcie_errors),
    check(
        "throttling", "why a GPU lowers its clock", hardware.throttled, kinds.perf.throttled, kinds.info.power_capped
    ),
    check(
        "driver",
        "whether NVIDIA's driver is loaded",
        driver.not_loaded,
        kinds.driver.not_loaded,
        kinds.driver.nouveau_bound,
        kinds.driver.module_missing_for_kernel,
        kinds.driver.secureboot_rejected,
    ),
    check(
        "driver-versions",
        "module and libraries of one version",
        driver.versions_differ,
        kinds.driver.lib_kernel_mismatch,
    ),
    check("gpu-listed", "whether every GPU that the driver holds is listed", driver.not_listed, kinds.gpu.not_listed),
    check(
        "driver-branch", "whether the branch drives the card", driver.drops_the_card, kinds.driver.branch_dropped_gpu
    ),
    check(
        "driver-module",
        "open or proprietary kernel module",
        driver.wrong_module,
        kinds.driver.open_module_unsupported,
        kinds.driver.open_module_required,
    ),
    check(
        "libcuda", "which libcuda is loaded", driver.libcuda, kinds.driver.stub_libcuda, kinds.driver.compat_on_geforce
    ),
    check("ldcache", "libcuda for torch.compile", driver.only_by_variable, kinds.triton.libcuda_not_in_ldcache),
    check("compiler", "a C compiler for torch.compile", compilers.no_compiler, kinds.triton.no_c_compiler),
    check("fabric", "the NVLink fabric of an NVSwitch system", fabric.not_ready, kinds.gpu.fabric_not_ready),
    check("sleep", "a suspend that CUDA did not survive", uvm.stale, kinds.driver.uvm_stale),
    check("hmm", "kernels on which CUDA does not start", uvm.hmm_bug, kinds.driver.uvm_hmm_bug),
    check("uvm", "the device file that CUDA needs", devices.uvm_node, kinds.driver.uvm_node_missing),
    check(
        "permission",
        "who may open the device files",
        devices.permission,
        kinds.dev.permission,
        kinds.container.cgroup_revoked,
    ),
    check(
        "container",
        "what a container gets",
        devices.container,
        kinds.container.no_gpu_exposed,
        kinds.container.caps_missing,
    ),
    check("wsl", "the GPU in WSL", devices.wsl, kinds.wsl.no_dxg, kinds.wsl.linux_driver_installed),
    check("wsl-libcuda", "Windows' libcuda for this Python", devices.wsl_libcuda, kinds.wsl.libcuda_unreachable),
    check("slurm", "the GPU of a Slurm job", devices.slurm, kinds.slurm.no_gres),
    check("gpu-use", "who else uses the GPU", devices.modes, kinds.gpu.exclusive_mode, kinds.gpu.memory_held),
    check(
        "visible-devices",
        "CUDA_VISIBLE_DEVICES",
        variables.hidden,
        kinds.env.cvd_empty,
        kinds.env.cvd_out_of_range,
        kinds.env.cvd_invalid,
    ),
    check("mig", "slices of a GPU", variables.mig, kinds.gpu.mig_needs_selection, kinds.info.mig_single_visible),
    check(
        "forced-cpu",
        "variables that choose the CPU",
        variables.forced_to_cpu,
        kinds.env.jax_platforms_cpu,
        kinds.env.accelerate_use_cpu,
    ),
    check("torch-uuids", "UUIDs and torch 1.13", variables.old_torch_and_uuids, kinds.torch.cvd_uuid_bug),
    check("copies", "one copy of each package", packages.copies, kinds.dist.duplicate_install),
    check("folders", "packages that fill one folder", cuda_packages.collision, kinds.lib.nvidia_dir_collision),
    check(
        "cuda-packages",
        "the CUDA packages that frameworks ask for",
        cuda_packages.conflict,
        kinds.lib.nvidia_dist_conflict,
        kinds.torch.nvidia_dist_missing,
    ),
    check("cuda-majors", "one CUDA in one environment", cuda_packages.majors, kinds.lib.mixed_cuda_major),
    check("pip-over-conda", "packages of both conda and pip", conda.doubled, kinds.conda.pip_over_conda),
    check("conda-files", "the files of conda's frameworks", conda.damaged, kinds.conda.files_damaged),
    check("cuda-version", "conda's CUDA and the driver", conda.cuda_version, kinds.conda.cuda_version_too_new),
    check("cuda-arch", "conda's builds and the GPUs", conda.cuda_arch, kinds.conda.cuda_arch_too_new),
    check("cudatoolkit", "one CUDA among conda's packages", conda.toolkit_major, kinds.conda.toolkit_major),
    check(
        "conda-channels",
        "the channels of conda's packages",
        conda.channels,
        kinds.conda.retired_channel,
        kinds.conda.mixed_channels,
    ),
    check("conda-solver", "conda's solver", conda.classic_solver, kinds.conda.classic_solver),
    check(
        "shadowing",
        "libraries in front of the environment's",
        libraries.shadowed,
        kinds.lib.cudnn_shadowed,
        kinds.lib.ld_path_shadow,
    ),
    check(
        "cudnn",
        "the cuDNN that TensorFlow needs",
        cudnn.of_frameworks,
        kinds.lib.cudnn_major_mismatch,
        kinds.lib.cudnn_too_old,
    ),
    check("halves", "lib and lib64 of an environment", libraries.split, kinds.lib.venv_lib_lib64_split),
    check("placeholders", "packages without content", cuda_packages.placeholders, kinds.provision.placeholder_package),
    check(
        "names",
        "packages that are dead, or not what they are called",
        packages.names,
        kinds.provision.wrong_package,
        kinds.provision.dead_package,
    ),
    check("package-files", "the libraries that packages list", packages.gone, kinds.dist.files_missing),
    check("numpy", "NumPy 2 with builds for NumPy 1", together.numpy_abi, kinds.numpy.abi_mismatch),
    check("libc", "the C library that wheels need", packages.libc, kinds.sys.glibc_too_old),
    check("torch", "what torch was built for", torch.build, kinds.torch.cpu_wheel, kinds.torch.cpu_conda),
    check("torch-driver", "torch's CUDA and the driver", torch.driver, kinds.driver.too_old_for_runtime),
    check(
        "torch-kernels",
        "torch's kernels and the cards",
        torch.kernels,
        kinds.torch.arch_unsupported_new,
        kinds.torch.arch_unsupported_old,
        kinds.torch.arch_mixed_gpus,
        kinds.torch.jetson_wrong_wheel,
        kinds.ok.arch_minor_compatible,
    ),
    check("torch-variants", "one CUDA for torch's family", torch.companion_variants, kinds.torch.companion_mismatch),
    check("torch-companions", "torchvision and torchaudio", torch.companions, kinds.torch.companion_mismatch),
    check(
        "tensorflow",
        "what TensorFlow was built for",
        tensorflow.build,
        kinds.tf.cpu_build,
        kinds.tf.gpu_stub_package,
        kinds.tf.windows_native_unsupported,
        kinds.tf.aarch64_cpu_only,
    ),
    check(
        "tensorflow-driver",
        "TensorFlow's CUDA and the driver",
        tensorflow.driver,
        kinds.driver.too_old_for_runtime,
    ),
    check("tensorflow-kernels", "TensorFlow's kernels", tensorflow.kernels, kinds.tf.arch_unsupported_new),
    check(
        "tensorflow-libraries",
        "the libraries that TensorFlow loads",
        tensorflow.libraries,
        kinds.tf.cuda_libs_missing,
        kinds.tf.cuda_libs_unreachable,
    ),
    check(
        "jax",
        "JAX and its CUDA plugin",
        jax.plugin,
        kinds.jax.no_cuda_plugin,
        kinds.jax.plugin_version_skew,
        kinds.jax.windows_unsupported,
    ),
    check("jax-driver", "JAX's CUDA and the driver", jax.driver, kinds.driver.too_old_for_runtime),
    check("onnxruntime", "one ONNX Runtime", onnxruntime.both_builds, kinds.ort.cpu_and_gpu_both),
    check("bitsandbytes", "the library of bitsandbytes", extensions.bitsandbytes, kinds.bnb.binary_missing),
    check("xformers", "what xformers was compiled with", extensions.xformers, kinds.ext.cpu_only),
    check("xformers-cuda", "xformers' CUDA and torch's", extensions.xformers_cuda, kinds.ext.abi_mismatch),
    check("xla", "what XLA compiles with", jax.libdevice, kinds.xla.libdevice_missing),
    check("accelerate", "Accelerate's configuration file", variables.accelerate_file, kinds.env.accelerate_use_cpu),
    check("kernel", "the Python of a notebook's kernel", notebooks.other_python, kinds.jupyter.kernel_wrong_python),
    check("kernel-env", "what a kernel sets", notebooks.other_variables, kinds.jupyter.kernel_env_differs),
    check(
        "run",
        "what the frameworks say themselves (--deep)",
        ran.ran,
        kinds.run.import_failed,
        kinds.run.gpu_not_seen,
        kinds.run.operation_failed,
    ),
    check(
        "requirements",
        "names in requirement files",
        project.names,
        kinds.provision.cu13_stub_name,
        kinds.provision.wrong_package,
        kinds.tf.gpu_stub_package,
    ),
    check("python", "wheels for this Python", project.python, kinds.provision.no_wheel_for_python),
    check("notebooks", "how notebooks install", project.notebooks, kinds.jupyter.bang_pip),
    check("vc-runtime", "Visual C++'s runtime on Windows", libraries.vc_runtime, kinds.windows.dll_missing),
    check("openmp", "one OpenMP", libraries.openmp, kinds.lib.duplicate_openmp),
    check("extensions", "the torch that extensions were built for", abi.pins, kinds.ext.abi_mismatch),
    check("built-for", "the torch that extensions need by the facts", together.torch_abi, kinds.ext.abi_mismatch),
    check("refused", "packages that refuse others when they run", together.refused, kinds.dist.refused),
    check("extension-symbols", "what extensions take from torch", abi.symbols, kinds.ext.abi_mismatch),
    check("extension-kernels", "kernels of extensions", extensions.kernels, kinds.ext.arch_unsupported),
    check("extension-libraries", "libraries that extensions load", extensions.libraries, kinds.ext.cuda_libs_missing),
    check("extension-cpu", "packages without CUDA", extensions.cpu_only, kinds.ext.cpu_only),
    check("nvrtc", "the compiler at run time and the driver", toolkits.compiler_too_new, kinds.driver.jit_ptx_too_new),
    check("toolkit-parts", "CUDA libraries of one release", toolkits.other_toolkit, kinds.lib.mixed_cuda_major),
    check("libstdcxx", "the C++ library that is loaded", libraries.cplusplus, kinds.lib.libstdcxx_too_old),
)


def container_checks() -> tuple[Check, ...]:
    """Those of Dockerfiles and compose files, which an ordinary diagnosis does not load."""
    from cudafit.doctor.container_registry import CHECKS as OF_FILES  # noqa: PLC0415 - it takes as long as the rest

    return OF_FILES


def every_check() -> tuple[Check, ...]:
    return (*CHECKS, *container_checks())


def every_kind() -> tuple[FindingKind, ...]:
    """What doctor can find by itself; what lint finds is in the catalogue too."""
    return tuple(dict.fromkeys(kind for check in every_check() for kind in check.kinds))
