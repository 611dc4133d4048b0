"""Which library of bitsandbytes is loaded beside a torch."""

import pytest

from cudafit.model.bitsandbytes import has_library, library_cudas


def test_the_cuda_of_its_libraries_is_told_by_their_names() -> None:
    names = [
        "bitsandbytes/libbitsandbytes_cuda118.so",
        "libbitsandbytes_cuda121.dll",
        "libbitsandbytes_cuda110_nocublaslt.so",
        "libbitsandbytes_cpu.so",
        "libbitsandbytes_rocm714.so",
    ]
    assert library_cudas(names) == ("11.8", "12.1")


@pytest.mark.parametrize(
    ("nearest", "cuda", "has"),
    [
        (False, (12, 1), True),
        (False, (12, 6), False),
        (False, (12, None), True),
        (True, (12, 6), True),
        (True, (13, 0), False),
        (False, (1, 2), False),
    ],
)
def test_the_library_of_torchs_cuda_or_one_near_it(nearest: bool, cuda: tuple[int, int | None], has: bool) -> None:
    assert has_library(("11.8", "12.1"), nearest, *cuda) is has
