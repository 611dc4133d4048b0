"""What a Python environment is, read from its files alone: nothing of it was imported or run.

`None` means *not known*; what is known to be absent is an empty tuple.
"""

from collections.abc import Iterable, Mapping
from dataclasses import field

from cudafit.model.finding import Owner
from cudafit.model.frameworks import CONDA_KINDS, FRAMEWORKS, OF_CONDA, TENSORFLOW, TORCH, TWINS, Framework
from cudafit.model.frozen import frozen
from cudafit.model.machine import Problem
from cudafit.model.messages import Explanation

VENV = "venv"
CONDA = "conda"
SYSTEM = "system"


@frozen
class Distribution:
    """An installed distribution, by its metadata folder."""

    name: str  # normalised
    version: str | None
    place: str  # the folder that it is installed in
    metadata: str  # its .dist-info or .egg-info
    installer: str | None = None
    origin: str | None = None  # the address that it came from, by direct_url.json, without secrets
    requires: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()  # of its wheel, as cp312-cp312-manylinux_2_28_x86_64
    files: int | None = None  # how many it lists; None: it lists none
    editable: bool = False


# What distributions write as INSTALLER, and where Debian's packages lie: their files are not for others to change.
_DISTRIBUTIONS = ("debian", "rpm", "dnf", "apk", "pacman", "zypper", "portage")
_OF_DEBIAN = "/usr/lib/python3/dist-packages"


def is_of_distribution(one: Distribution) -> bool:
    """Whether the system's own package manager keeps its files."""
    return one.place == _OF_DEBIAN or (one.installer or "").lower() in _DISTRIBUTIONS


def by_real_name(distributions: Iterable[Distribution]) -> dict[str, str]:
    """The versions that are there; tensorflow-cpu 2.20.0 is a tensorflow 2.20.0."""
    installed = {one.name: one.version for one in distributions if one.version}
    for name, twins in TWINS.items():
        for twin in twins:
            if twin in installed:
                installed.setdefault(name, installed[twin])
    return installed


@frozen
class CondaPackage:
    """A package that conda installed, by conda-meta."""

    name: str
    version: str
    build: str
    channel: str | None = None
    cuda_arch: str | None = None  # the least capability of GPUs that it is for, where it asks for one


@frozen
class Doubled:
    """A package that conda installed, and pip after it: conda's files are gone or overwritten."""

    name: str  # Python's name of it
    conda: str  # conda's
    version: str | None  # pip's
    conda_version: str
    metadata: str


@frozen
class CondaDamage:
    """Files of a conda package that are missing, or not as conda-meta tells them."""

    package: str
    missing: tuple[str, ...]
    altered: tuple[str, ...]


@frozen
class TorchBuild:
    """What the torch in an environment really is: METADATA does not tell."""

    version: str | None
    cuda: str | None  # None with `has_cuda` False: a CPU build
    has_cuda: bool | None
    path: str
    kernels: tuple[str, ...] | None = None
    hip: str | None = None
    cuda_library: bool | None = None  # whether libtorch_cuda is there


@frozen
class TensorflowBuild:
    """By its build_info.py."""

    version: str | None
    has_cuda: bool | None
    cuda: str | None
    cudnn: str | None
    kernels: tuple[str, ...] | None
    path: str


@frozen
class SharedLibrary:
    """A CUDA library inside the environment: the file that a program would load."""

    soname: str  # libcudnn.so.9
    path: str
    package: str | None = None


# How a library is found of which only the environment's own folders were looked at, and none of the system's.
NOT_LOOKED = "not looked"


@frozen
class Load:
    """A library that a program would load: which file, by whose wish, and how it is found."""

    soname: str  # libcudnn.so.9
    path: str | None  # None: nowhere
    by: str  # the file that needs it
    via: str  # RPATH, LD_LIBRARY_PATH, RUNPATH, /etc/ld.so.conf, default folders, preload; "not looked"


@frozen
class TooOld:
    """A library that lacks a version of its interface: `GLIBCXX_3.4.30` of libstdc++."""

    path: str
    version: str
    by: str  # the file that needs it
    via: str  # how the library is found


@frozen
class Extension:
    """A package with CUDA code or libraries of its own, as its shared libraries tell."""

    package: str
    path: str  # one of its libraries: the one that has, or lacks, what is told
    kernels: tuple[str, ...] | None = None  # of all its libraries together; None: they could not be read
    missing: tuple[Load, ...] = ()
    by_name: tuple[str, ...] = ()  # those of the missing ones that it opens itself, by their names
    symbols: tuple[str, ...] = ()  # what it takes from torch, and torch has not
    glibc: tuple[str, str] | None = None  # the newest GLIBC_2.x that it needs, and which of its libraries does


# What decides about the GPU, and what a kernel may get differently from the shell.
DECIDING = ("CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "JAX_PLATFORMS", "XLA_FLAGS", "PYTHONPATH", "CUDA_HOME")


@frozen
class JupyterServer:
    """A running server, and all variables that it got; they are never written out as a whole."""

    path: str
    variables: Mapping[str, str]


@frozen
class Kernel:
    """A kernelspec of Jupyter: the program that it starts, and the variables that it sets.

    `server` is where the variables of the running server were read; `differs` has what decides about the GPU and is not
    the same there as in the shell: name, the shell's value, the server's.
    """

    name: str
    path: str
    argv: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    server: str | None = None
    differs: tuple[tuple[str, str | None, str | None], ...] = ()


@frozen
class Ran:
    """What a framework said when it was run (`--deep`): how many GPUs it sees, and on which an operation worked."""

    framework: str
    version: str | None = None
    devices: int | None = None
    worked: tuple[int, ...] = ()
    error: str | None = None
    imported: bool = False
    stderr: tuple[str, ...] = ()  # the last lines of what it wrote beside that
    meaning: Explanation | None = None  # what error and stderr say, by the rules for error texts

    @property
    def said(self) -> tuple[str, ...]:
        """All that it said of what went wrong: JAX falls back to the CPU without an error, and tells why on stderr."""
        return (self.error, *self.stderr) if self.error else self.stderr


@frozen
class Environment:
    """One environment."""

    path: str
    kind: str
    python: str | None  # 3.12.4
    interpreter: str | None
    program: str | None = None  # the file that the interpreter's links lead to
    header: bool | None = None  # whether its Python.h is there
    compiler: str | None = None  # a C compiler that is part of the environment
    places: tuple[str, ...] = ()  # site-packages and what lies before them on sys.path, in order
    distributions: tuple[Distribution, ...] = ()
    conda: tuple[CondaPackage, ...] = ()
    doubled: tuple[Doubled, ...] = ()
    damaged: tuple[CondaDamage, ...] = ()  # of the packages whose files were compared
    torch: TorchBuild | None = None
    tensorflow: TensorflowBuild | None = None
    libraries: tuple[SharedLibrary, ...] = ()
    companions: Mapping[str, str] = field(default_factory=dict)  # torchvision and torchaudio, by their version.py
    bitsandbytes: tuple[str, ...] | None = None  # its libraries by name; None: it is not installed
    bitsandbytes_falls_back: bool = False  # whether it takes the nearest library of the same CUDA major
    bitsandbytes_without_lt: bool = False  # whether it has another library for cards before Turing
    no_vc_runtime: tuple[str, ...] = ()  # on Windows: what torch needs of Visual C++'s runtime, and is nowhere
    xformers_cuda: str | None = None  # the CUDA that xformers was compiled with, by its cpp_lib.json; "" for none
    libdevice: str | None = None  # where XLA finds its device library
    accelerate_cpu: str | None = None  # the configuration file of Accelerate that says use_cpu
    kernel: Kernel | None = None  # the kernel by which this environment was found
    active: str | None = None  # the environment that is active, or in the folder, where a kernel was asked for
    openmp: tuple[str, ...] = ()  # every copy of Intel's OpenMP
    loads: Mapping[str, tuple[Load, ...]] = field(default_factory=dict)  # for each framework whose libraries were read
    too_old: tuple[TooOld, ...] = ()
    cudnn_made_for: tuple[str, str] | None = None  # what its cuDNN opens (libcublasLt.so.12), and the file that tells
    glibc: tuple[str, str] | None = None  # the newest GLIBC_2.x that the frameworks' libraries need, and which one does
    extensions: tuple[Extension, ...] = ()
    gone: tuple[tuple[Distribution, str], ...] = ()  # packages with a library that they list and that is not there
    ran: tuple[Ran, ...] | None = None  # None: nothing was run
    system_site: bool = False
    base: str | None = None
    uv: bool = False
    platform: str | None = None  # win_amd64 and the like where it is not this machine's
    managed_by: str | None = None  # of a system's Python: the file that says that its distribution keeps it
    found_by: str = ""
    problems: tuple[Problem, ...] = ()
    via: Mapping[str, str] = field(default_factory=dict)
    owner: Owner | None = None  # who keeps it; None: nobody asked, or it is the system's

    def distribution(self, name: str) -> Distribution | None:
        """The one that is imported: the first on the path."""
        return next((one for one in self.distributions if one.name == name), None)

    def has(self, framework: Framework) -> bool:
        """By the file that tells of its build, where there is one to read; by its distribution else."""
        if framework is TORCH:
            return self.torch is not None
        if framework is TENSORFLOW:
            return self.tensorflow is not None
        return any(framework.is_called(one.name) for one in self.distributions)

    @property
    def has_something(self) -> bool:
        """Whether there is anything in it that could use a GPU: without that, nothing in it can be judged."""
        of_conda = any(one.name in OF_CONDA or one.name in CONDA_KINDS for one in self.conda)
        parts = self.loads or self.extensions or self.libraries or self.gone or self.bitsandbytes is not None
        return bool(of_conda or parts) or any(self.has(one) for one in FRAMEWORKS)

    def version(self, name: str) -> str | None:
        found = self.distribution(name)
        return found.version if found else None
