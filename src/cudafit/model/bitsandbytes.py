"""bitsandbytes holds a library for each CUDA, and loads that of torch's CUDA.

Source: `cextension.py` and `cuda_setup/main.py` in its wheels. From 0.40.1 on it goes by `torch.version.cuda`, before
that by the libcudart that it finds: torch's, where no other one is on the search path. From 0.50.0 on it takes the
nearest one of the same major where torch's own is not there.
"""

import re
from collections.abc import Collection, Iterable

NEAREST = "same major"  # in the source of those that do so
WITHOUT_LT = "_nocublaslt"  # in the source of those that have another library for cards before Turing
LIBRARY = re.compile(r"libbitsandbytes_cuda(\d\d)(\d)\.(so|dll)$")


def library_cudas(names: Iterable[str]) -> tuple[str, ...]:
    """`libbitsandbytes_cuda124.so` and its like -> `12.4`. Those without cuBLASLt stand beside these."""
    found = {(int(match[1]), int(match[2])) for name in names if (match := LIBRARY.search(name))}
    return tuple(f"{major}.{minor}" for major, minor in sorted(found))


def has_library(cudas: Collection[str], nearest: bool, major: int, minor: int | None) -> bool:
    """Whether one is loaded beside a torch for this CUDA: any of the major, where the minor is not known."""
    if nearest or minor is None:
        return any(one.startswith(f"{major}.") for one in cudas)
    return f"{major}.{minor}" in cudas
