"""The frameworks: what each is called, installed as, built for and told by, said once.

Adding one is a descriptor here, its rows in matrices/frameworks, and its checks: CONTRIBUTING has the steps.
"""

from collections.abc import Mapping

from cudafit.model.frozen import frozen


@frozen
class Framework:
    """One framework. Names of distributions are normalised."""

    name: str  # as people ask for it
    module: str  # what is imported
    distributions: tuple[str, ...]  # what it is installed as; `cupy-cuda*` is all that begin so
    builds: tuple[str, ...]  # the distributions of which there is a build for each CUDA, the main one first
    leading: bool = False  # shown where nothing is asked for, probed by `--deep`, chosen anew by `repair`
    twins: tuple[str, ...] = ()  # what fills the folder of the main build under another name
    of_the_cpu: str | None = None  # the one of them that is a build for the CPU
    companions: tuple[str, ...] = ()  # what is compiled against one version of it, and moves along
    parts: tuple[str, ...] = ()  # what its builds pin exactly, besides the main one
    cuda_extra: str = ""  # the beginning of the extra by which CUDA comes along: `and-cuda`, `cuda12`
    system_cuda: bool = False  # without an extra its wheels look for the system's CUDA libraries
    build_file: str | None = None  # what tells of a build, below site-packages
    kernel_libraries: tuple[str, ...] = ()  # which of its libraries holds the list of kernels
    libraries: tuple[tuple[str, str], ...] = ()  # beginnings of libraries in a process -> what they tell
    optional: str = r"\0"  # a pattern of the libraries of engines that are off unless they are there
    conda: tuple[str, ...] = ()  # conda's names, the main package first
    feedstock: str | None = None  # conda-forge's recipe, whose builds the matrix holds
    conda_kinds: tuple[str, ...] = ()  # conda's packages that ask for one kind of build by their name
    conda_beside: tuple[str, ...] = ()  # what conda's main package does not bring
    images: tuple[str, ...] = ()  # the last part of the names of NVIDIA's monthly images

    @property
    def build(self) -> str:
        """The main distribution of which there are several builds."""
        return self.builds[0]

    def is_called(self, distribution: str) -> bool:
        return any(
            distribution.startswith(name[:-1]) if name.endswith("*") else distribution == name
            for name in self.distributions
        )


TORCH = Framework(
    name="torch",
    module="torch",
    distributions=("torch",),
    builds=("torch",),
    leading=True,
    companions=("torchvision", "torchaudio"),
    build_file="torch/version.py",
    kernel_libraries=("libtorch_python.so", "torch_python.dll"),
    libraries=(("libtorch_cuda.so", "torch with CUDA"), ("libtorch_cpu.so", "torch")),
    conda=("pytorch",),
    feedstock="pytorch-cpu",
    conda_kinds=("pytorch-cpu", "pytorch-gpu", "cpuonly", "pytorch-mutex", "pytorch-cuda", "libtorch"),
    images=("pytorch",),
)
TENSORFLOW = Framework(
    name="tensorflow",
    module="tensorflow",
    distributions=(
        "tensorflow",
        "tensorflow-cpu",
        "tensorflow-gpu",
        "tf-nightly",
        "tf-nightly-gpu",
        "tf-nightly-cpu",
        "tensorflow-intel",
    ),
    builds=("tensorflow",),
    leading=True,
    twins=("tensorflow-cpu", "tensorflow-gpu", "tf-nightly"),
    of_the_cpu="tensorflow-cpu",
    cuda_extra="and-cuda",
    system_cuda=True,
    build_file="tensorflow/python/platform/build_info.py",
    libraries=(("libtensorflow_cc.so", "TensorFlow"), ("libtensorflow_framework.so", "TensorFlow")),
    conda=("tensorflow", "tensorflow-base"),
    feedstock="tensorflow",
    conda_kinds=("tensorflow-cpu", "tensorflow-gpu", "tensorflow-base", "tensorflow-estimator"),
    images=("tensorflow",),
)
JAX = Framework(
    name="jax",
    module="jax",
    distributions=("jax",),
    builds=("jaxlib",),
    leading=True,
    parts=("jax-cuda12-pjrt", "jax-cuda13-pjrt"),
    cuda_extra="cuda",
    libraries=(
        ("libjax_common.so", "JAX"),
        ("xla_extension.so", "JAX"),
        ("xla_cuda_plugin.so", "JAX's CUDA plugin"),
    ),
    conda=("jaxlib",),
    feedstock="jaxlib",
    conda_beside=("jax",),
)
CUPY = Framework(
    name="cupy",
    module="cupy",
    distributions=("cupy", "cupy-cuda*"),
    builds=("cupy-cuda13x", "cupy-cuda12x", "cupy-cuda11x"),
    system_cuda=True,
    optional=r"lib(cutensor|cutensorMg|nccl|cudnn|cusparseLt)",
)
ONNXRUNTIME = Framework(
    name="onnxruntime",
    module="onnxruntime",
    distributions=("onnxruntime", "onnxruntime-gpu"),
    builds=("onnxruntime-gpu",),
    twins=("onnxruntime",),
    of_the_cpu="onnxruntime",
    system_cuda=True,
    libraries=(("libonnxruntime", "ONNX Runtime"),),
    optional=r"lib(nvinfer|nvonnxparser)",
)

FRAMEWORKS = (TORCH, TENSORFLOW, JAX, CUPY, ONNXRUNTIME)
LEADING = tuple(one for one in FRAMEWORKS if one.leading)

# The names of the leading ones, and of what has their builds.
LEADING_NAMES = frozenset(name for one in LEADING for name in (one.name, one.build))
LEADING_BUILDS = frozenset(one.build for one in LEADING)
# What fills the folder of a build under another name.
TWINS: Mapping[str, tuple[str, ...]] = {one.build: one.twins for one in FRAMEWORKS if one.twins}
# The builds for the CPU by another name, and the main build that each stands for.
OF_THE_CPU: Mapping[str, str] = {one.of_the_cpu: one.build for one in FRAMEWORKS if one.of_the_cpu}
# conda's names of frameworks.
OF_CONDA: Mapping[str, Framework] = {name: one for one in FRAMEWORKS for name in one.conda}
CONDA_KINDS: Mapping[str, Framework] = {name: one for one in FRAMEWORKS for name in one.conda_kinds}
MAIN_OF_CONDA: Mapping[str, Framework] = {one.conda[0]: one for one in FRAMEWORKS if one.conda}
