"""The facts: which builds exist, what each needs, and what toolkits, drivers and GPUs can do.

Every row points at its sources. `None` means *not known*; a CPU build's `cuda` is None because its variant is `cpu`.
"""

from collections.abc import Mapping
from dataclasses import field

from cudafit.model.frozen import frozen

SCHEMA = "cudafit.matrix/1"
CPU = "cpu"
DEFAULT_INDEX = "pypi"

# What stands behind a row, the strongest first: the bytes of a wheel; a lock that quotes a wheel's name and hash; a
# listing of an index, or a name without a hash; what the makers announced; that a package it is made for exists.
EVIDENCE = ("wheel", "lock", "listing", "release notes", "pairing")
WHEEL, LOCK, LISTING, ANNOUNCED, PAIRING = EVIDENCE

NO_LOCAL = "none"
# The notes of rows that are not verified: one that was entered because its partner exists, which the wheel itself or a
# lock settles; and one whose wheel is sure to exist, and whose kernels nobody read.
NUMPY_ABI, TORCH_ABI, REFUSES = AGREEMENT_KINDS = ("numpy-abi", "torch-abi", "refuses")
PAIRED = "known by its pairing"
UNREAD_KERNELS = "which kernels it holds was not read"


@frozen
class Build:
    """One framework version in one variant on one platform, as one index serves it."""

    name: str
    version: str
    variant: str  # cpu, cu126, cu12 (where a build is for a whole CUDA major), ...
    platform: str  # linux-x86_64, linux-aarch64, windows-x86_64, macos-aarch64, ...
    index: str  # a key of indexes.yaml
    cuda: str | None = None
    cudnn: str | None = None
    nccl: str | None = None
    triton: str | None = None
    kernels: tuple[str, ...] | None = None  # sm_86, sm_90a, compute_90: what is compiled into its own libraries
    pythons: tuple[str, ...] = ()  # 3.12, 3.13t, 3.9+ (stable ABI); empty: any that `requires_python` admits
    requires_python: str | None = None  # told where the wheels' names leave the Pythons open
    tags: tuple[str, ...] = ()  # platform tags of its wheels
    extra: str | None = None  # the extra of the package that brings its CUDA libraries (`and-cuda`, `cuda12`)
    requires: tuple[str, ...] = ()  # requirements that fitting rests on, markers and that extra already applied
    local: str | None = None  # what follows the `+` in its wheels' version where it is not the variant; `none`: nothing
    evidence: str = WHEEL  # one of EVIDENCE
    verified: bool = True
    note: str | None = None
    sources: tuple[str, ...] = ()
    partly: tuple[str, ...] = ()  # sm_90:249/1398: what only some of its fat binaries hold, and how many
    opens: tuple[str, ...] | None = None  # CUDA libraries that it links or opens and does not bring, by file name
    needs: tuple[str, ...] = ()  # the newest GLIBC and GLIBCXX that its libraries need
    torch_abi: str | None = None  # c++: made for one release of torch; stable: for later ones too
    torch_cudas: tuple[str, ...] = ()  # the CUDA versions of torch for which it holds a library, if it has one for each
    nearest: bool = False  # and without that of torch's CUDA it takes another one of the same major


def wheel_version(build: Build) -> str:
    """The version as the names of its wheels have it: `2.14.1+cu126`, and `0.24.1` of CUDA wheels without a mark."""
    if build.index == DEFAULT_INDEX or build.local == NO_LOCAL:
        return build.version
    return f"{build.version}+{build.local or build.variant}"


@frozen
class ToolkitRelease:
    """A CUDA toolkit: the driver packaged with it (all features) and the GPUs it compiles for, first and last."""

    cuda: str
    linux_driver: str | None = None
    windows_driver: str | None = None
    first_capability: str | None = None
    last_capability: str | None = None
    verified: bool = True
    note: str | None = None
    sources: tuple[str, ...] = ()


@frozen
class Floor:
    """CUDA minor-version compatibility: the oldest driver that runs any build of a CUDA major."""

    major: str
    linux_driver: str
    windows_driver: str | None = None
    note: str | None = None
    sources: tuple[str, ...] = ()


@frozen
class ForwardRule:
    """A rule of forward compatibility (cuda-compat packages)."""

    rule: str
    verified: bool = True
    sources: tuple[str, ...] = ()


@frozen
class DriverBranch:
    """A driver branch: the CUDA version it reports, its kind and state, and the GPU families it dropped or needs."""

    branch: str
    cuda: str | None = None
    kind: str | None = None  # LTS, PB (production), NFB (new feature)
    status: str | None = None
    first_capability: str | None = None
    until: str | None = None  # the month until which NVIDIA maintains it: 2028-06
    verified: bool = True
    note: str | None = None
    sources: tuple[str, ...] = ()


@frozen
class ArchitectureSupport:
    """The drivers of a GPU family: the last branch for it, and which kernel modules can drive it."""

    architecture: str
    capabilities: tuple[str, ...]
    last_branch: str | None = None  # None: the newest branch still supports it
    open_module: str | None = None  # yes, no, required
    note: str | None = None
    sources: tuple[str, ...] = ()


@frozen
class LibraryRelease:
    """A CUDA library's wheel (cuDNN, NCCL): the kernels in it, for those platforms whose wheels hold the same ones."""

    package: str
    version: str
    kernels: tuple[str, ...] | None = None
    platforms: tuple[str, ...] = ()
    verified: bool = True
    note: str | None = None
    sources: tuple[str, ...] = ()


@frozen
class SharedPlace:
    """Packages of which no two may be installed together, since they put different files in one place."""

    place: str
    packages: tuple[str, ...]
    note: str | None = None
    sources: tuple[str, ...] = ()


@frozen
class Agreement:
    """What must agree in one process though no metadata says so: beside a `package` of these `versions` another one
    must be such as is admitted."""

    package: str
    versions: str  # a specifier; one bound for a package of others, so that its opposite is one
    other: str
    admits: str  # a specifier
    kind: str  # numpy-abi, torch-abi (without the other it does not work at all), refuses
    why: str  # follows the name and version of the package: "is compiled for NumPy 1"
    platforms: tuple[str, ...] = ()  # where it is so; empty: everywhere
    same_cuda: bool = False  # and be for the same CUDA, its minor version included
    sources: tuple[str, ...] = ()


@frozen
class Spare:
    """A package that works on GPUs for which its own kernels are not made."""

    package: str
    why: str
    sources: tuple[str, ...] = ()


@frozen
class NameHint:
    """What a package's name means: a `stand-in` for one of several, a `wrong` one, the `cpu-of` a framework, or
    `another` package, whose name is only near; or what is to be known of the package: its wheels are `elsewhere`, it is
    `dead`, or another one serves `instead` where it does not fit."""

    name: str
    means: tuple[str, ...]  # of `elsewhere` none, of `dead` and `wrong` what to take in its place, if anything
    kind: str  # stand-in, wrong, cpu-of, another, elsewhere, dead, instead
    note: str | None = None
    sources: tuple[str, ...] = ()


@frozen
class GpuModel:
    """A GPU by its name, with the peak figures that benchmarks are judged by (dense, no sparsity)."""

    name: str
    compute_capability: str
    architecture: str | None = None
    chip: str | None = None
    cores: str | None = None
    memory_gb: str | None = None
    bandwidth_gb_s: str | None = None
    fp32_tflops: str | None = None
    tensor_tflops: str | None = None  # fp16/bf16 with fp32 accumulation
    bf16: bool | None = None
    note: str | None = None
    sources: tuple[str, ...] = ()


@frozen
class BenchSpeed:
    """How fast an operation is expected to be: a peak figure of the GPU times a factor, and the share of it below which
    it is slow."""

    test: str
    dtype: str
    of: str  # a peak figure of GpuModel, or pcie_gb_s
    times: str
    share: str
    reason: str
    sources: tuple[str, ...] = ()


@frozen
class BenchError:
    """How large the error of an operation may be, in proportion to what went into it."""

    test: str
    dtype: str
    bound: str
    reason: str
    sources: tuple[str, ...] = ()


@frozen
class PciGpu:
    """A GPU by its PCI device id, for where no driver tells its name."""

    device: str
    name: str
    compute_capability: str
    architecture: str | None = None
    verified: bool = True
    sources: tuple[str, ...] = ()


@frozen
class Index:
    """Where builds come from. The default index has no address here: pip's or uv's own configuration names it."""

    name: str
    kind: str  # default, extra, conda
    url: str | None = None
    note: str | None = None
    sources: tuple[str, ...] = ()


@frozen
class QuotedWheels:
    """The wheels of one version on one platform that locks quote, each as `file=sha256`: a lock that quotes the same
    file with another hash is forged, or that one is."""

    package: str
    version: str  # as in the names of the files
    platform: str
    index: str
    files: tuple[str, ...]  # name=sha256; of conda, whose name has no suffix, `NAME-VERSION-BUILD=sha256`
    sources: tuple[str, ...] = ()


@frozen
class Source:
    """Where a fact was read."""

    name: str
    title: str
    kind: str  # wheel, lock, document, repository
    url: str | None = None
    read: str | None = None  # the date
    reliability: str | None = None  # A vendor or bytes, B several concordant quotations, C one
    package: str | None = None
    version: str | None = None
    file: str | None = None
    sha256: str | None = None


@frozen
class CondaRule:
    """How conda-forge expresses CUDA."""

    rule: str
    verified: bool = True
    sources: tuple[str, ...] = ()


@frozen
class CondaName:
    """A package that conda-forge has under the name that the Python index gives it."""

    package: str
    sources: tuple[str, ...] = ()


@frozen
class CondaBuild:
    """What a conda-forge feedstock builds for one CUDA version on one platform. Of several builds of it the one that
    asks for least counts: a solver takes any of them."""

    feedstock: str
    version: str
    cuda: str
    platform: str
    kernels: tuple[str, ...] | None = None
    pythons: tuple[str, ...] = ()  # none: not known
    requires: tuple[str, ...] = ()  # of NVIDIA's libraries, by conda's names: libcudnn>=9.10.2.21,<10.0a0
    evidence: str = ANNOUNCED  # one of EVIDENCE; a recipe announces
    verified: bool = True
    note: str | None = None
    sources: tuple[str, ...] = ()


@frozen
class Facts:
    """Everything that is not a framework's builds."""

    toolkits: tuple[ToolkitRelease, ...] = ()
    floors: tuple[Floor, ...] = ()
    forward: tuple[ForwardRule, ...] = ()
    drivers: tuple[DriverBranch, ...] = ()
    architectures: tuple[ArchitectureSupport, ...] = ()
    libraries: tuple[LibraryRelease, ...] = ()
    places: tuple[SharedPlace, ...] = ()
    names: tuple[NameHint, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    spares: tuple[Spare, ...] = ()
    gpus: tuple[GpuModel, ...] = ()
    pci_gpus: tuple[PciGpu, ...] = ()
    bench_speeds: tuple[BenchSpeed, ...] = ()
    bench_errors: tuple[BenchError, ...] = ()
    indexes: tuple[Index, ...] = ()
    conda_rules: tuple[CondaRule, ...] = ()
    conda_builds: tuple[CondaBuild, ...] = ()
    conda_names: tuple[CondaName, ...] = ()
    wheels: tuple[QuotedWheels, ...] = ()
    sources: tuple[Source, ...] = ()


@frozen
class Matrix:
    """A whole matrix: the facts, and the builds of each package."""

    facts: Facts
    builds: Mapping[str, tuple[Build, ...]] = field(default_factory=dict)
