"""Which kernel serves a GPU: the rules of cubins, family and architecture kernels, PTX and Jetsons."""

import pytest

from cudafit.model.kernels_in_use import in_use
from cudafit.resolve.kernels import capability, oldest, serving_cubin, serving_ptx, sm

TORCH_CU126 = ("sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90")


@pytest.mark.parametrize(
    ("kernels", "gpu", "served"),
    [
        (TORCH_CU126, (6, 1), "sm_60"),  # the same major, a lower minor
        (TORCH_CU126, (8, 9), "sm_86"),  # the highest minor that is not above
        (TORCH_CU126, (8, 0), "sm_80"),
        (TORCH_CU126, (12, 0), None),  # another major
        (("sm_86",), (8, 0), None),  # a higher minor
        (("sm_90a",), (9, 0), "sm_90a"),
        (("sm_90a",), (9, 1), None),  # its own GPU only
        (("sm_90", "sm_90a"), (9, 0), "sm_90"),
        (("sm_100f",), (10, 3), "sm_100f"),  # its family
        (("sm_120f",), (12, 1), "sm_120f"),
        (("sm_100f",), (12, 0), None),
        (("sm_100",), (10, 1), "sm_100"),
        (("compute_90",), (9, 0), None),  # PTX is no cubin
        (("nonsense",), (9, 0), None),
        ((), (9, 0), None),
    ],
)
def test_cubin(kernels: tuple[str, ...], gpu: tuple[int, int], served: str | None) -> None:
    assert serving_cubin(kernels, gpu) == served


def test_a_jetson_runs_its_own_cubins_only() -> None:
    assert serving_cubin(("sm_80", "sm_87"), (8, 7), exact=True) == "sm_87"
    assert serving_cubin(("sm_80", "sm_86"), (8, 7), exact=True) is None


@pytest.mark.parametrize(
    ("kernels", "gpu", "served"),
    [
        (("compute_60", "compute_90"), (12, 0), "compute_90"),  # the newest that is not above
        (("compute_60", "compute_90"), (7, 5), "compute_60"),
        (("compute_90",), (8, 9), None),
        (("compute_90a",), (12, 0), None),  # tied to its GPU
        (("compute_90a",), (9, 0), "compute_90a"),
        (("compute_100f",), (10, 3), "compute_100f"),
        (("sm_90",), (12, 0), None),
    ],
)
def test_ptx(kernels: tuple[str, ...], gpu: tuple[int, int], served: str | None) -> None:
    assert serving_ptx(kernels, gpu) == served


@pytest.mark.parametrize(
    ("partly", "used"),
    [
        ((), ("sm_52", "sm_80", "compute_52")),
        (("sm_52:1/414", "compute_52:1/414", "sm_80:127/414"), ("sm_80",)),
        (("sm_52:10/163",), ("sm_52", "sm_80", "compute_52")),
        (("sm_52:1/414", "compute_52:1/414", "sm_80:1/414"), ("sm_52", "sm_80", "compute_52")),
    ],
)
def test_what_next_to_none_of_the_code_is_compiled_for_serves_no_gpu(
    partly: tuple[str, ...], used: tuple[str, ...]
) -> None:
    assert in_use(("sm_52", "sm_80", "compute_52"), partly) == used


def test_names_and_numbers_of_capabilities() -> None:
    assert capability("12.0") == (12, 0)
    assert sm((12, 0)) == "sm_120"
    assert oldest(("sm_90", "compute_75", "sm_100")) == (7, 5)
    assert oldest(()) is None
