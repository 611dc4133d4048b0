"""Which kernel of a build serves a GPU.

Sources: CUDA C++ Programming Guide, "Binary Compatibility" and "Virtual Architecture Feature List"; NVCC manual,
"GPU Feature List": a cubin runs on its own major and an equal or higher minor; `sm_90a` on its own GPU only; `sm_120f`
within its family; PTX is compiled by the driver for any equal or higher capability.
"""

import re
from functools import cache

from cudafit.model.versions import number, numbers

Capability = tuple[int, int]


@cache
def capability(text: str) -> Capability:
    """`8.9` -> (8, 9)."""
    major, minor, *_ = (*numbers(text), 0, 0)
    return major, minor


def sm(gpu: Capability) -> str:
    """(8, 9) -> `sm_89`."""
    return f"sm_{gpu[0]}{gpu[1]}"


@cache
def serving_cubin(kernels: tuple[str, ...], gpu: Capability, exact: bool = False) -> str | None:
    """The cubin that this GPU runs: the one of the highest minor. `exact`: Jetson boards run their own only."""
    best: tuple[int, bool, str] | None = None
    for kernel in kernels:
        if (parts := _parts(kernel)) is None or parts[0] != "sm" or not _runs(parts[1], parts[2], gpu, exact):
            continue
        candidate = (parts[1][1], not parts[2], kernel)
        best = candidate if best is None or candidate[:2] > best[:2] else best
    return best[2] if best else None


@cache
def serving_ptx(kernels: tuple[str, ...], gpu: Capability) -> str | None:
    """The PTX that the driver can compile for this GPU: the newest."""
    best: tuple[Capability, str] | None = None
    for kernel in kernels:
        parts = _parts(kernel)
        if parts is None or parts[0] != "compute":
            continue
        fits = parts[1] <= gpu if not parts[2] else _runs(parts[1], parts[2], gpu, exact=False)
        if fits and (best is None or parts[1] > best[0]):
            best = (parts[1], kernel)
    return best[1] if best else None


@cache
def oldest(kernels: tuple[str, ...]) -> Capability | None:
    """The oldest GPU that any kernel is for."""
    return min((parts[1] for kernel in kernels if (parts := _parts(kernel))), default=None)


def _runs(kernel: Capability, suffix: str, gpu: Capability, exact: bool) -> bool:
    if exact or suffix == "a":
        return kernel == gpu
    return kernel[0] == gpu[0] and kernel[1] <= gpu[1]


@cache
def _parts(kernel: str) -> tuple[str, Capability, str] | None:
    match = re.fullmatch(r"(sm|compute)_(\d+)(\d)([af]?)", kernel)
    return (match[1], (number(match[2]), number(match[3])), match[4]) if match else None
