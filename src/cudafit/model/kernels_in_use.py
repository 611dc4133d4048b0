"""Which of a build's kernels run its work: those that more than next to none of its fat binaries hold."""

from functools import cache

from cudafit.model.versions import number

_FEW = 50  # one in so many


@cache
def in_use(kernels: tuple[str, ...], partly: tuple[str, ...]) -> tuple[str, ...]:
    """Without those that next to none of a build's fat binaries hold: what one file, or the linker, left in vllm for
    sm_52 makes nothing else run there."""
    few = set()
    for text in partly:
        name, _, share = text.partition(":")
        held, _, of = share.partition("/")
        if number(held or "0") * _FEW <= number(of or "0"):
            few.add(name)
    return tuple(kernel for kernel in kernels if kernel not in few) or kernels
