"""The conda side of a fit, solved: every package of the environment, for each platform."""

from cudafit.conda.solver import Question, Record, solve
from cudafit.lock.conda_names import conda_platform
from cudafit.lock.order import CONDA, Order
from cudafit.lock.specs import all_specifications, caps
from cudafit.model.fit import CPU, Target
from cudafit.model.frozen import frozen
from cudafit.model.versions import numbers


@frozen
class Solved:
    """One platform's packages."""

    target: Target
    platform: str
    virtual: tuple[tuple[str, str], ...]
    records: tuple[Record, ...]


def solved(order: Order) -> tuple[Solved, ...]:
    """Raises CudafitError."""
    targets = order.resolution.targets
    channel = order.indexes.of(CONDA, CONDA)
    specs = tuple(all_specifications(order))
    limits = caps(order.resolution.constraints)
    questions = [
        Question(
            (channel,), conda_platform(target.platform), specs, virtual_packages(order, target), constraints=limits
        )
        for target in targets
    ]
    answers = solve(questions)
    return tuple(
        Solved(target, question.platform, question.virtual, tuple(sorted(records, key=lambda record: record.name)))
        for target, question, records in zip(targets, questions, answers, strict=True)
    )


# The oldest kernel that conda-forge's packages ask for; the real one is not told of every machine.
_LINUX = "5.10"
_GLIBC = "2.28"
_MACOS = "13.0"
CUDA_ARCH = "__cuda_arch"  # not without `__cuda` (CEP 46)
_ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "aarch64"}


def virtual_packages(order: Order, target: Target) -> tuple[tuple[str, str], ...]:
    """Without CUDA where the fit is one for the CPU."""
    return virtual_of(target, cuda=order.resolution.status != CPU)


def virtual_of(target: Target, *, cuda: bool = True) -> tuple[tuple[str, str], ...]:
    """All of them, by the target and not by this machine: what a solver is not told, it takes from where it runs."""
    system, _, arch = target.platform.partition("-")
    found = [("__archspec", "1")] if arch in _ARCHITECTURES else []
    if system == "linux":
        glibc = target.libc.partition(" ")[2] if target.libc and target.libc.startswith("glibc") else _GLIBC
        found += [("__unix", "0"), ("__linux", _LINUX), ("__glibc", ".".join(map(str, numbers(glibc)[:2])))]
    elif system == "macos":
        found += [("__unix", "0"), ("__osx", _MACOS)]
    else:
        found += [("__win", "0")]
    if target.cuda and cuda:
        found.append(("__cuda", target.cuda))
        if target.cuda_arch:
            found.append((CUDA_ARCH, target.cuda_arch))
    return tuple(found)
