"""cuDNN and NCCL that drop old GPUs: the constraint that keeps a package solver from the newest."""

import pytest

from cudafit.model.matrix import LibraryRelease
from cudafit.resolve.libraries import Cap, Lack, Libraries, boundary, kernels_text

PACKAGE = "nvidia-cudnn-cu12"


def release(version: str, *kernels: str, platforms: tuple[str, ...] = ()) -> LibraryRelease:
    return LibraryRelease(PACKAGE, version, kernels=kernels or None, platforms=platforms, sources=("read",))


LIBRARIES = Libraries(
    [
        release("9.11.0.98", "sm_75", "sm_80", "compute_120"),
        release("9.1.0.70", "sm_50", "sm_70", "sm_80"),
        release("9.10.2.21", "sm_50", "sm_70", "sm_80"),
        release("9.20.0.48"),  # nobody has read it
    ]
)


def judged(specifier: str, *gpus: tuple[int, int]) -> Cap | Lack | None:
    return LIBRARIES.judge(PACKAGE, (specifier,), "linux-x86_64", gpus)


def test_an_open_requirement_is_capped_below_the_first_release_without_kernels() -> None:
    assert judged(">=9.1", (7, 0)) == Cap("nvidia-cudnn-cu12<9.11", "9.11.0.98", "read")
    assert judged(">=9.1", (8, 0), (7, 0)) == Cap("nvidia-cudnn-cu12<9.11", "9.11.0.98", "read")


def test_no_cap_where_the_newest_serves_or_the_specifier_keeps_below() -> None:
    assert judged(">=9.1", (8, 0)) is None
    assert judged(">=9.1,<9.11", (7, 0)) is None
    assert judged(">=9.1", (12, 0)) is None, "by its PTX"


def test_nothing_that_is_admitted_serves() -> None:
    lack = judged("==9.11.0.98", (7, 0))
    assert isinstance(lack, Lack)
    assert lack.capability == (7, 0)
    assert lack.kernels == ("sm_75", "sm_80", "compute_120")


def test_what_nobody_read_stops_nothing() -> None:
    assert judged("==9.20.0.48", (7, 0)) is None
    assert LIBRARIES.judge("nvidia-other", (">=1",), "linux-x86_64", ((7, 0),)) is None


def test_rows_of_another_platform_say_nothing() -> None:
    arm = Libraries([release("9.11.0.98", "sm_75", platforms=("linux-aarch64",))])
    assert arm.judge(PACKAGE, (">=9",), "linux-x86_64", ((7, 0),)) is None
    assert isinstance(arm.judge(PACKAGE, (">=9",), "linux-aarch64", ((7, 0),)), Lack)


@pytest.mark.parametrize(
    ("last", "first", "bound"),
    [
        ("9.10.2.21", "9.11.0.98", "9.11"),
        ("9.10.2.21", "10.0.0.1", "10"),
        ("2.27.5", "2.27.6", "2.27.6"),
        ("9.10.2.21", "9.10.2.30", "9.10.2.30"),
    ],
)
def test_the_shortest_version_between_two(last: str, first: str, bound: str) -> None:
    assert boundary(last, first) == bound


def test_kernels_in_words() -> None:
    assert kernels_text(("sm_75", "sm_80", "sm_90")) == "sm_75 to sm_90"
    assert kernels_text(("sm_75", "sm_80")) == "sm_75 sm_80"
