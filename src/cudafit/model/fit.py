"""What `cudafit resolve` answers: the picks, why the other builds lost, and what else would work.

The fields without a default are the contract that other programs rely on.
"""

from typing import Final, Literal

from cudafit.model.frameworks import OF_CONDA
from cudafit.model.frozen import frozen

SCHEMA = "cudafit.resolve/1"

FIT: Final = "fit"
CPU: Final = "cpu"
NO_FIT: Final = "no-fit"

NATIVE: Final = "native"  # the driver is at least the one of the build's CUDA toolkit
MINOR: Final = "minor"  # it reaches the floor of that CUDA major only: PTX cannot be compiled
FORWARD: Final = "forward"  # a cuda-compat package bridges it

CUBIN: Final = "cubin"
PTX: Final = "ptx"
UNKNOWN: Final = "unknown"  # nobody has read which kernels the build holds

Status = Literal["fit", "cpu", "no-fit"]
Compat = Literal["native", "minor", "forward", "cpu"]
How = Literal["cubin", "ptx", "unknown"]


@frozen
class Served:
    """How one GPU is served: by which kernel of the build, ready to run (cubin) or compiled by the driver (ptx)."""

    index: int
    kernel: str | None
    how: How
    machine: str | None = None  # told where there are several


@frozen
class Pick:
    """One build to install. `requirement` is what a package installer takes, `index` where it must come from."""

    name: str
    version: str
    variant: str
    cuda: str | None
    cudnn: str | None
    requirement: str
    index: str  # the address; `pypi` is the default index, whatever pip or uv is configured with
    compat: Compat | None  # None: neither driver nor GPU matters to it
    gpus: tuple[Served, ...]
    sources: tuple[str, ...]
    index_name: str = "pypi"
    requested: bool = True  # False: it comes along as part of another pick
    verified: bool = True
    note: str | None = None
    because: tuple[str, ...] = ()  # who needs it, where nobody asked for it: `ultralytics 8.3.1 needs torch>=1.8`

    @property
    def specifications(self) -> tuple[str, ...]:
        """What an installer is given: conda's jaxlib, which has the builds for CUDA, does not bring jax itself."""
        of = OF_CONDA.get(self.requirement.partition("=")[0])
        return (*(of.conda_beside if of else ()), self.requirement)


@frozen
class Rejection:
    """Why a build lost: the rule, what it needs, what the machine has, and where the fact was read."""

    name: str
    version: str
    variant: str
    rule: str
    need: str
    have: str
    source: str | None
    index: str | None = None
    machine: str | None = None
    driver: str | None = None  # the driver from which on this reason would not hold


@frozen
class Upgrade:
    """A newer driver, and what it unlocks."""

    driver: str
    unlocks: str


@frozen
class Constraint:
    """A requirement to install with the picks, since a package installer would choose what does not work."""

    requirement: str
    why: str
    source: str | None


@frozen
class Passed:
    """A requirement that is none of ours: left to the package installer as it is."""

    requirement: str
    origin: str
    note: str | None = None


@frozen
class Alternative:
    """Something near that would work: another version, driver, Python, GPU, kind of environment, or the CPU."""

    kind: str
    text: str
    command: tuple[str, ...] = ()


@frozen
class Group:
    """Machines that one fit serves."""

    machines: tuple[str, ...]
    status: Status
    python: str
    picks: tuple[Pick, ...]


@frozen
class Target:
    """What a lock must suit: the least that the machines of one platform have."""

    platform: str
    libc: str | None  # None: not known
    cuda: str | None  # the newest CUDA that every driver knows; None: there is no driver, or it is not to be used
    cuda_arch: str | None = None  # the least capability of the GPUs, as 6.1; None: there are none, or it is hidden


@frozen
class MatrixVersion:
    """The matrix that answered."""

    version: str


@frozen
class Resolution:
    """The answer."""

    status: Status
    python: str
    picks: tuple[Pick, ...]
    rejected: tuple[Rejection, ...]
    upgrades: tuple[Upgrade, ...]
    matrix: MatrixVersion
    machines: tuple[str, ...] = ()  # one line each: what decided
    reason: str | None = None  # of `cpu` and `no-fit`, in one line
    causes: tuple[str, ...] = ()  # of `no-fit`: the smallest set of reasons
    alternatives: tuple[Alternative, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    passed: tuple[Passed, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    all: tuple[Pick, ...] = ()
    command: tuple[str, ...] = ()
    before: tuple[str, ...] = ()  # what makes the environment that the command installs to, where there is none
    targets: tuple[Target, ...] = ()
