"""The list of kernels in a library's bytes."""

import pytest

from cudafit.model.kernel_list import kernel_list


@pytest.mark.parametrize(
    ("data", "kernels"),
    [
        (b"\0sm_50 sm_80 sm_90\0", ("sm_50", "sm_80", "sm_90")),
        (b"\0sm_50 sm_80\0junk\0sm_75 sm_80 sm_86 compute_90\0", ("sm_75", "sm_80", "sm_86", "compute_90")),
        (b"\0sm_90a sm_100f\0", ("sm_90a", "sm_100f")),
        (b"\0sm_87\0", ("sm_87",)),
        (b"x" * 5000 + b"\0sm_70 sm_80\0" + b"y" * 5000 + b" sm_ sm_", ("sm_70", "sm_80")),
        (b"sm_80 and sm_90 are GPUs", None),
        (b"", None),
        (b" sm_", None),
        (b"\0compute_90\0", None),
    ],
)
def test_list(data: bytes, kernels: tuple[str, ...] | None) -> None:
    assert kernel_list(data) == kernels
