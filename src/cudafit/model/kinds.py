"""The catalogue of findings: all that doctor, lint and run can tell, each said once.

`kinds.torch.cpu_wheel` is the finding `torch.cpu_wheel`. Whatever lists findings follows from this: `--list-checks`,
`explain`, docs/findings.md and SARIF.
"""

from collections.abc import Mapping

from cudafit.model.finding import INFO, WARNING
from cudafit.model.kind import Family, FindingKind, error, note, warning

# What cannot be as it should without a driver.
_ABOVE = "driver. dev. container. gpu. slurm."


class gpu(Family):
    none = note("hardware", "there is no NVIDIA GPU")
    fallen_off_bus = error(
        "hardware", "the driver has lost contact with a GPU", explains="driver. dev. gpu.ecc gpu.not_listed"
    )
    init_failed = error("hardware", "the driver could not start a GPU", explains="gpu.not_listed run.")
    not_listed = error(
        "driver", "the driver is loaded and does not list a GPU that it holds", explains="run.", milder=(WARNING,)
    )
    ecc_error = error("hardware", "a GPU's memory has errors")
    pcie_errors = warning("hardware", "the PCIe link of a GPU has errors")
    fabric_not_ready = error("driver", "the NVLink fabric is not set up, so CUDA does not start", explains="run.")
    exclusive_mode = error("devices", "a GPU admits one process, and one is there", milder=(WARNING,))
    memory_held = warning(
        "devices", "nearly all memory of a GPU is used by others", milder=(INFO,), elsewhere=("hardware",)
    )
    mig_needs_selection = error("variables", "a GPU is in MIG mode, and no slice of it is chosen", explains="run.")
    out_of_memory = error("project", "the program needs more memory than the GPU has")
    nvlink_error = error("hardware", "a link between GPUs fails")
    gsp_timeout = error("driver", "the firmware of a GPU does not answer")
    driver_fault = error("hardware", "the driver reports a fault of a GPU")


class perf(Family):
    pcie_degraded = warning("hardware", "a GPU at work uses fewer PCIe lanes than it has")
    throttled = warning("hardware", "a GPU lowers its clock", milder=(INFO,))
    input_bound = warning("project", "the GPU waits for data or for the processor")
    offloaded = warning("project", "a part of the model does not fit and works on the CPU")


class ok(Family):
    pcie_idle_downshift = note("hardware", "the PCIe link of a GPU at rest is lowered")
    arch_minor_compatible = note("framework", "torch's warning of an unknown GPU does not matter")


class driver(Family):
    not_loaded = error("driver", "no NVIDIA driver is loaded", explains=_ABOVE)
    nouveau_bound = error("driver", "the nouveau driver holds the GPU", explains=_ABOVE)
    module_missing_for_kernel = error(
        "driver", "the driver's module was not built for the running kernel", explains=_ABOVE
    )
    secureboot_rejected = error("driver", "Secure Boot keeps the driver's module from being loaded", explains=_ABOVE)
    lib_kernel_mismatch = error(
        "driver",
        "the driver's libraries and its loaded module are of two versions",
        explains="driver.uvm dev. gpu.fallen gpu.not_listed",
    )
    branch_dropped_gpu = error(
        "driver",
        "the driver no longer drives this generation of GPUs",
        explains="driver.open_module driver.uvm dev. gpu.not_listed",
    )
    open_module_unsupported = error(
        "driver",
        "the open kernel module does not drive this GPU",
        explains="driver.uvm dev. gpu.not_listed gpu.init_failed",
    )
    open_module_required = error(
        "driver",
        "this GPU needs the open kernel module",
        explains="driver.uvm dev. gpu.not_listed gpu.init_failed",
    )
    stub_libcuda = error("driver", "a stub of libcuda is found before the driver's own")
    compat_on_geforce = error("driver", "a forward-compatibility libcuda is loaded for a GPU that cannot use it")
    uvm_stale = error("driver", "the machine slept, and CUDA did not survive it", explains="run.", milder=(WARNING,))
    uvm_hmm_bug = error(
        "driver",
        "CUDA does not start with this kernel: a known fault of HMM with KASLR",
        explains="run.",
        milder=(WARNING,),
    )
    uvm_node_missing = error("devices", "/dev/nvidia-uvm is missing", explains="run.")
    jit_ptx_too_new = error(
        "libraries",
        "kernels are compiled at run time with a newer CUDA than the driver takes",
        explains="run.",
        milder=(WARNING,),
    )
    too_old_for_runtime = error(
        "framework", "a framework is built for a newer CUDA than the driver runs", explains="run. torch.arch tf.arch"
    )
    too_old_for_gpu = error("driver", "the driver does not know the GPU")
    too_old_for_nvenc = error("driver", "the driver is too old for the program's video encoder")
    broken_install = error("driver", "only a part of the driver is installed")
    initialization_error = error("driver", "CUDA cannot be started")
    vgpu_unlicensed = warning("driver", "a virtual GPU has no licence")


class triton(Family):
    libcuda_not_in_ldcache = warning("driver", "torch.compile does not find libcuda")
    no_c_compiler = warning("toolkit", "there is no C compiler for torch.compile", milder=(INFO,))
    ptxas_too_old = error("toolkit", "Triton's ptxas does not know the GPU")


class dev(Family):
    permission = error("devices", "this user may not open the GPU's device files", explains="run. gpu.not_listed")


class container(Family):
    no_gpu_exposed = error("container", "the container was started without the GPU", explains="driver. dev. run.")
    caps_missing = error(
        "container", "the container gets the GPU without what CUDA needs", explains="driver. dev. run."
    )
    cgroup_revoked = error("container", "access to the GPU was taken from the container while it ran", explains="run.")
    toolkit_missing = error("container", "Docker knows no NVIDIA runtime")
    count_and_ids = error("container", "a container is given GPUs both by count and by ids")
    ldcache_failed = error("container", "the host's ldconfig cannot run in an image")
    selinux = error("container", "SELinux keeps a container from the GPU")
    shared_memory = error("container", "a container has too little shared memory")


class wsl(Family):
    no_dxg = error("container", "this WSL has no GPU", explains="driver. dev.")
    linux_driver_installed = error("container", "a Linux driver is installed inside WSL")
    libcuda_unreachable = error(
        "container", "this Python's loader does not find Windows' libcuda", explains="run. tf.cuda_libs"
    )
    driver_skew = error("container", "WSL and the driver of Windows have different versions")
    error2 = error("container", "CUDA in WSL says out of memory when it starts")


class slurm(Family):
    no_gres = error("container", "the Slurm job has no GPU", explains="container.no_gpu env.cvd run.")
    gres_unknown = error("container", "the cluster has no such GPU resource")


class image(Family):
    base_too_new = error("container", "the base of an image has a newer CUDA than the driver runs")
    wheel_too_new = error("container", "an image installs a torch for a newer CUDA than the driver runs")
    no_kernels = error("container", "the framework of an image has no kernels for a GPU here", milder=(WARNING,))
    arm_cpu_wheel = error("container", "an image for ARM installs torch's build for the CPU")
    cpu_build = error("container", "an image that is made for a GPU installs a build for the CPU", milder=(WARNING,))
    musl_base = error("container", "the base of an image has musl, and the frameworks need glibc")
    gpu_hidden = error("container", "a variable of an image hides the GPUs", milder=(WARNING,))
    caps_missing = error("container", "an image asks for the GPU without compute")
    driver_installed = error("container", "an image brings a driver, which belongs to the host", milder=(WARNING,))
    stub_on_path = error("container", "LD_LIBRARY_PATH of an image has a stub of libcuda")
    compat_on_path = warning("container", "LD_LIBRARY_PATH of an image has a libcuda for data-centre GPUs alone")


class compose(Family):
    no_gpu = error("container", "a service with an image for a GPU gets no GPU")
    image_too_new = error("container", "the image of a service has a newer CUDA than the driver runs")
    no_kernels = error("container", "the framework of a service has no kernels for a GPU here", milder=(WARNING,))
    capabilities_missing = error("container", "a service reserves a device without the capabilities that CUDA needs")
    count_zero = error("container", "a service reserves no GPU")
    count_and_ids = error("container", "a service reserves both by count and by ids")
    device_unknown = error("container", "a service asks for a GPU that this machine does not have")
    gpu_hidden = error("container", "a variable of a service hides its GPUs", milder=(WARNING,))
    caps_missing = error("container", "a service gets the GPU without compute")
    runtime_nvidia = note("container", "a service needs a runtime called nvidia")
    shared_memory = note("container", "a service has little shared memory for torch's data loader")
    version_too_old = error("container", "docker-compose is older than what the file says")


class env(Family):
    cvd_empty = error("variables", "CUDA_VISIBLE_DEVICES hides every GPU", explains="run.")
    cvd_out_of_range = error("variables", "CUDA_VISIBLE_DEVICES names a GPU that is not there", milder=(WARNING,))
    cvd_invalid = error(
        "variables", "CUDA_VISIBLE_DEVICES holds a word that is neither a number nor a UUID", milder=(WARNING,)
    )
    jax_platforms_cpu = error("variables", "a variable makes JAX use the CPU")
    accelerate_use_cpu = error("variables", "Accelerate is told to use the CPU")


class torch(Family):
    cvd_uuid_bug = error("variables", "torch 1.13 finds no GPU where CUDA_VISIBLE_DEVICES holds UUIDs")
    nvidia_dist_missing = error("libraries", "torch's CUDA packages are not installed", explains="run.")
    cpu_wheel = error(
        "framework", "torch is a build for the CPU", explains="run. torch.companion torch.arch torch.nvidia"
    )
    cpu_conda = error(
        "framework", "conda installed pytorch's build for the CPU", explains="torch.companion torch.arch torch.nvidia"
    )
    arch_unsupported_new = error("framework", "torch has no kernels for a GPU that is newer than it", explains="run.")
    arch_unsupported_old = error("framework", "torch has no kernels any more for an old GPU", explains="run.")
    arch_mixed_gpus = warning("framework", "torch has no kernels for some of the GPUs")
    jetson_wrong_wheel = error("framework", "torch is not a build for this Jetson")
    companion_mismatch = error("framework", "torchvision or torchaudio was built for another torch")


class dist(Family):
    duplicate_install = error(
        "libraries",
        "a package is installed twice",
        explains="torch.companion lib.nvidia_dist torch.nvidia",
        milder=(WARNING,),
    )
    files_missing = error(
        "libraries",
        "files of an installed package are gone",
        explains="run. ext. bnb. torch.nvidia torch.companion tf.cuda_libs",
        milder=(WARNING,),
    )
    refused = error("libraries", "a package turns another one off, or fails with it, when it runs", explains="run.")


class lib(Family):
    nvidia_dir_collision = error(
        "libraries", "two packages fill one folder with different CUDA libraries", explains="lib. torch.nvidia"
    )
    nvidia_dist_conflict = warning(
        "libraries", "a framework asks for another version of a CUDA library than is installed"
    )
    mixed_cuda_major = error(
        "libraries",
        "libraries of two CUDA majors are in one environment",
        explains="ext.cuda_libs ext.arch",
        milder=(WARNING,),
    )
    cudnn_shadowed = error("libraries", "another cuDNN is loaded in place of the environment's")
    ld_path_shadow = warning("libraries", "LD_LIBRARY_PATH puts other CUDA libraries in front of the environment's")
    cudnn_major_mismatch = error("libraries", "TensorFlow or JAX needs another major version of cuDNN")
    cudnn_too_old = error("libraries", "TensorFlow or JAX needs a newer cuDNN")
    venv_lib_lib64_split = error("libraries", "torch and its CUDA libraries lie in different halves of the environment")
    duplicate_openmp = warning("libraries", "two copies of Intel's OpenMP are in one environment")
    libstdcxx_too_old = error("libraries", "the C++ library that is loaded is too old")
    mkl_too_new = error("libraries", "MKL is newer than this build of pytorch takes")


class conda(Family):
    pip_over_conda = error(
        "libraries",
        "pip installed a package over conda's",
        explains="torch. tf. run. dist. lib. driver.too_old",
        milder=(WARNING,),
    )
    files_damaged = error(
        "libraries",
        "files of a conda package are not as conda installed them",
        explains="run. torch.arch torch.nvidia torch.cpu_wheel tf.cuda_libs ext.",
    )
    cuda_version_too_new = error(
        "libraries", "conda's packages are for a newer CUDA than the driver runs", explains="driver.too_old run."
    )
    cuda_arch_too_new = error(
        "libraries", "conda's packages are for newer GPUs than one here", explains="run. torch.arch"
    )
    toolkit_major = warning("libraries", "cudatoolkit lies beside packages for another CUDA")
    retired_channel = warning("libraries", "packages are from a channel that is retired")
    mixed_channels = warning("libraries", "packages of Anaconda's channels and of conda-forge are mixed")
    classic_solver = warning("libraries", "conda uses its classic solver, which does not look at the driver")
    platform_without_cuda = error("project", "conda has no CUDA for this system")


class provision(Family):
    placeholder_package = warning("libraries", "a package without content is installed")
    wrong_package = warning(
        "libraries", "a package is installed that is another than its name makes believe", elsewhere=("project",)
    )
    dead_package = warning("libraries", "a package is installed that is no longer made")
    cu13_stub_name = error("project", "a requirement names an empty package")
    no_wheel_for_python = error("project", "a framework has no wheel for this Python")


class numpy(Family):
    abi_mismatch = error("libraries", "a package was compiled for NumPy 1, and NumPy 2 is installed")


class sys(Family):
    glibc_too_old = error("libraries", "a wheel needs a newer C library than this system has")


class tf(Family):
    gpu_stub_package = warning("framework", "tensorflow-gpu is an empty package", elsewhere=("project",))
    windows_native_unsupported = error("framework", "TensorFlow has no GPU build for Windows since 2.11")
    aarch64_cpu_only = error("framework", "TensorFlow's wheels for ARM are for the CPU")
    cpu_build = error("framework", "TensorFlow is a build for the CPU")
    arch_unsupported_new = error("framework", "TensorFlow has no kernels for the GPU, or only PTX", milder=(WARNING,))
    cuda_libs_missing = error("framework", "TensorFlow's CUDA libraries are missing", explains="run.")
    cuda_libs_unreachable = error("framework", "TensorFlow does not find the CUDA libraries that are installed")
    arch_unsupported_old = error("framework", "TensorFlow no longer has kernels for an old GPU")


class jax(Family):
    windows_unsupported = error("framework", "JAX has no CUDA on Windows")
    no_cuda_plugin = error(
        "framework", "JAX has no CUDA plugin, so it runs on the CPU", explains="run.", milder=(INFO,)
    )
    plugin_version_skew = error("framework", "JAX's CUDA plugin is for another jaxlib")
    cuda_libs_missing = error("framework", "JAX does not find its CUDA libraries")
    dnn_init_failed = error("framework", "cuDNN does not start in JAX")


class trt(Family):
    engine_incompatible = error("framework", "a TensorRT engine was built with another TensorRT, or for another GPU")


class bnb(Family):
    binary_missing = error("framework", "bitsandbytes has no library for torch's CUDA")


class ext(Family):
    abi_mismatch = error(
        "framework",
        "a compiled extension was built for another torch",
        explains="ext.cuda_libs ext.arch run.",
        milder=(WARNING,),
    )
    arch_unsupported = error("framework", "an extension has no kernels for the GPU", milder=(WARNING,))
    cuda_libs_missing = error(
        "framework", "an extension does not find its CUDA libraries", explains="run.", milder=(WARNING,)
    )
    cpu_only = error("framework", "an extension is a build without CUDA", milder=(WARNING, INFO))


class ort(Family):
    cpu_and_gpu_both = error("framework", "onnxruntime and onnxruntime-gpu fill the same folder")


class xla(Family):
    libdevice_missing = warning("framework", "XLA finds no libdevice, which it compiles with")
    ptxas_too_old = error("toolkit", "the ptxas that XLA calls is too old")


class run(Family):
    import_failed = error("framework", "a framework cannot be imported")
    gpu_not_seen = error("framework", "a framework runs and sees no GPU")
    operation_failed = error("framework", "a framework fails at its first operation on the GPU")


class vllm(Family):
    cvd_uuid = error("variables", "a program reads CUDA_VISIBLE_DEVICES as numbers, and it holds UUIDs")


class pip(Family):
    externally_managed = error("project", "the system's Python refuses packages from pip")
    index_missing = error("project", "a package index that is asked does not exist")
    platform_without_cuda = error("project", "there is no CUDA build for this platform")


class cpu(Family):
    no_avx = error("hardware", "the processor lacks instructions that a build uses")


class nccl(Family):
    system_error = error("container", "NCCL could not use the system")
    version_mismatch = error("libraries", "nodes of a job have different versions of NCCL")


class build(Family):
    no_nvcc = error("toolkit", "an extension has to be compiled, and there is no nvcc")
    nvcc_torch_mismatch = error("toolkit", "an extension is compiled with another CUDA than torch")
    nvcc_too_old = error("toolkit", "nvcc does not know the GPU's architecture")
    host_compiler_too_new = error("toolkit", "the host compiler is too new for nvcc")
    libcuda_not_linkable = error("toolkit", "the linker does not find libcuda")
    no_torch = error("project", "a package needs torch while it is built")


class windows(Family):
    paging_file = error("hardware", "Windows' paging file is too small")
    dll_missing = error("libraries", "a DLL that a library needs is not on this Windows", explains="run.")


class jupyter(Family):
    kernel_wrong_python = error("notebook", "the notebook's kernel runs another Python")
    kernel_env_differs = warning("notebook", "the notebook's kernel gets other variables than the shell")
    bang_pip = note("project", "a notebook installs with !pip")


class code(Family):
    model_on_cpu = error(
        "project",
        "a model that is never moved to the GPU",
        fix="move it before the optimizer is made: `model.to(device)`, and each batch in the loop",
    )
    to_result_discarded = error(
        "project",
        "the result of `tensor.to()` is thrown away",
        fix="assign it: `x = x.to(device)`; only modules are moved in place",
    )
    device_hardcoded_cpu = error(
        "project",
        "the device is written down as the CPU",
        fix='`torch.device("cuda" if torch.cuda.is_available() else "cpu")`',
    )
    device_selection_inverted = error("project", "the CPU is chosen where there is a GPU", fix="swap the two devices")
    availability_not_called = warning(
        "project",
        "whether there is a GPU is asked without the call",
        fix="`torch.cuda.is_available()`: without the brackets it is a function, and always true",
    )
    device_default_cpu = warning(
        "project",
        "the default of an option is the CPU",
        fix="let the default be what the machine has: `cuda` where it is available",
    )
    moved_back_to_cpu = error(
        "project",
        "the model is moved to the CPU, and trained on",
        fix="save a copy: `{k: v.cpu() for k, v in model.state_dict().items()}`",
    )
    tensor_created_on_cpu_in_forward = error(
        "project",
        "a tensor made without a device inside the model",
        fix="give it the device of the input: `device=x.device`",
    )
    unregistered_submodule = error(
        "project",
        "layers in a plain list or dict",
        fix="use `nn.ModuleList` or `nn.ModuleDict`: only then `.to()` and `.parameters()` see them",
    )
    cvd_disabled = error(
        "project", "the script hides every GPU", fix="remove the line; choose GPUs where the job is started"
    )
    cvd_set_too_late = error(
        "project",
        "CUDA_VISIBLE_DEVICES is set after CUDA has read it",
        fix="set it above the first use of CUDA, best before the framework is imported",
    )
    lightning_cpu = error("project", "Lightning's Trainer or Fabric is told to use the CPU", fix='`accelerator="auto"`')
    hf_trainer_cpu = error(
        "project",
        "the Hugging Face Trainer is told to use the CPU",
        fix="remove `use_cpu` or `no_cuda`: the Trainer takes the GPU by itself",
    )
    hf_pipeline_cpu = error("project", "a pipeline is put on the CPU", fix="`pipeline(..., device=0)`")
    device_map_cpu = error("project", "a model is loaded onto the CPU and used there", fix='`device_map="auto"`')
    accelerate_cpu = error("project", "Accelerate is told to use the CPU", fix="remove `cpu=True`")
    accelerate_not_prepared = error(
        "project",
        "a model that is not passed to `prepare()`",
        fix="`model, optimizer, loader = accelerator.prepare(model, optimizer, loader)`",
    )
    fabric_not_setup = error(
        "project", "a model that is not passed to `setup()`", fix="`model, optimizer = fabric.setup(model, optimizer)`"
    )
    tf_device_cpu = error(
        "project",
        "TensorFlow trains inside a scope of the CPU",
        fix="remove the scope: TensorFlow places on the GPU by itself",
    )
    tf_gpu_hidden = error("project", "TensorFlow is told to see no GPU", fix="remove the line")
    tf_config_too_late = error(
        "project",
        "TensorFlow's devices are configured after they were started",
        fix="move the line to the top, before the first tensor or model",
    )
    keras_backend_cpu_only = error(
        "project", "Keras is told to take a backend that cannot train", fix="choose `jax`, `torch` or `tensorflow`"
    )
    jax_cpu_forced = error("project", "JAX is told to use the CPU", fix="remove the line")
    jax_platforms_too_late = warning(
        "project",
        "JAX_PLATFORMS is set after JAX has read it",
        fix='set it above `import jax`, or call `jax.config.update("jax_platforms", "cuda")`',
    )
    jax_committed_to_cpu = error(
        "project",
        "`device_put` commits arrays to the CPU, and with them all that is computed from them",
        fix="leave out `device_put`: JAX places arrays on the GPU by itself",
    )
    jax_host_array_in_loop = warning(
        "project",
        "each turn of a loop copies the same array of NumPy to JAX's device",
        fix="put it there once, above the loop: `x = jax.device_put(x)`",
    )
    cupy_roundtrip = warning(
        "project",
        "arrays leave the GPU in each turn of a loop",
        fix="stay in CuPy: most functions of NumPy have the same name there",
    )
    host_compute_in_loop = warning(
        "project",
        "a step of training computes with NumPy and goes back",
        fix="use the function of torch with the same meaning: the tensor stays on the GPU",
    )
    library_on_cpu = warning(
        "project",
        "a library is told to compute on the CPU, or not told to use the GPU",
        fix="give it the option that names the GPU; its page lists them",
    )
    parameter_moved = error(
        "project",
        "a parameter that is moved when it is made is none any more",
        fix="make it where it belongs, `nn.Parameter(torch.ones(3, device=device))`, or move the whole module",
    )
    config_device_cpu = warning("project", "a configuration names the CPU", fix="`auto`, or `cuda`")
    illegal_access = error("project", "a kernel touches memory that is not its own")
    device_assert = error("project", "the program passes an index or a label that is out of range")
    device_index_out_of_range = error("project", "the program asks for a GPU number that is not there")
    tensor_not_moved = error("project", "a tensor is on another device than the model")
    cuda_in_fork = error("project", "CUDA is used in a process that was forked after it had started")
    load_without_map_location = error("project", "a model that was saved on a GPU is loaded where there is none")


class info(Family):
    ecc_recovered = note("hardware", "worn rows of a GPU's memory were replaced")
    kernel_log_unreadable = note("hardware", "the kernel log could not be read")
    power_capped = note("hardware", "a GPU runs at its power limit")
    mig_single_visible = note("variables", "a process uses one MIG slice, which is normal")
    cpu_on_purpose = note("project", "the CPU is chosen on purpose", fix="nothing to do, if the reason still holds")
    version_decides = note(
        "project",
        "the installed version of a library decides whether this uses the GPU",
        fix="name the device, then every version does the same; `--env ENV` lets lint look at what is installed",
    )
    tf_gpu_hidden_for_other_framework = note(
        "project",
        "TensorFlow sees no GPU, as another framework uses it",
        fix="nothing to do: this keeps TensorFlow from taking the memory of the GPU",
    )


KINDS: Mapping[str, FindingKind] = {kind.id: kind for kind in Family.every}
IN_CODE: Mapping[str, FindingKind] = {name: kind for name, kind in KINDS.items() if kind.fix}
