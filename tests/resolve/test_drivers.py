"""Whether a driver runs a build's CUDA, over the packaged tables."""

from pathlib import Path
from typing import Any

import pytest

from cudafit.matrix.load import open_matrix
from cudafit.model.frozen import frozen
from cudafit.resolve.drivers import FACTS, Drivers, at_least
from cudafit.resolve.host import Kind

A100 = {"capabilities": ((8, 0),), "data_centre": True}


@pytest.fixture(scope="module")
def drivers() -> Drivers:
    book = open_matrix(environ={"HOME": str(Path.home())})
    return Drivers(book.facts(*FACTS), "2026-11-21")


def kind(driver: str | None, **more: Any) -> Kind:
    words: dict[str, Any] = {
        "state": "gpu",
        "platform": "linux-x86_64",
        "libc": "glibc 2.35",
        "wsl": False,
        "tegra": False,
        "driver": driver,
        "cuda": None,
        "capabilities": ((8, 9),),
        "data_centre": False,
        "pythons": (),
    }
    return Kind(**{**words, **more})


@frozen
class Case:
    """A driver, a CUDA, and how well they go together."""

    driver: str | None
    cuda: tuple[int, int | None]
    compat: str | None
    needs: str | None = None


@pytest.mark.parametrize(
    "case",
    [
        Case("580.65.06", (13, 0), "native"),
        Case("580.65.06", (13, 2), "minor"),
        Case("580.65.06", (12, 6), "native"),
        Case("535.183.01", (12, 2), "native"),
        Case("535.183.01", (12, 6), "minor"),
        Case("535.183.01", (13, 0), None, "580.65.06"),
        Case("525.60.13", (12, 9), "minor"),
        Case("525.53", (12, 0), None, "525.60.13"),  # below the floor of CUDA 12
        Case("470.256.02", (11, 8), "minor"),
        Case("470.256.02", (12, 0), None, "525.60.13"),
        Case("450.80.02", (11, 8), "minor"),
        Case("450.51.06", (11, 8), None, "450.80.02"),
        Case("450.80.02", (10, 2), "native"),  # before minor-version compatibility: an older toolkit
        Case("418.39", (10, 2), None, "440.33"),
        Case("440.33.01", (10, 2), "native"),
        Case("390.157", (9, 0), "native"),
        Case("390.157", (10, 0), None, "410.48"),
        Case("570", (12, 8), "native"),  # a branch alone is its newest driver
        Case("580.65.06", (13, None), "native"),  # for all of a major
        Case("535.183.01", (13, None), None, "580.65.06"),
        Case(None, (12, 6), None, "525.60.13"),  # no driver
    ],
)
def test_verdict(drivers: Drivers, case: Case) -> None:
    verdict = drivers.verdict(case.cuda, kind(case.driver))
    assert verdict.compat == case.compat
    if case.needs:
        assert verdict.driver == case.needs


def test_ptx_is_compiled_by_a_native_driver_only(drivers: Drivers) -> None:
    assert drivers.verdict((12, 2), kind("535.183.01")).ptx
    minor = drivers.verdict((12, 6), kind("535.183.01"))
    assert not minor.ptx
    assert minor.native_driver
    assert minor.native_driver.startswith("560.")


def test_the_drivers_own_word_goes_before_the_table(drivers: Drivers) -> None:
    assert drivers.verdict((12, 4), kind("535.183.01", cuda="12.4")).compat == "native"
    assert drivers.verdict((13, 0), kind(None, cuda="13.0")).compat == "native"
    assert drivers.limit(kind("535.183.01")) == (12, 2)
    assert drivers.limit(kind("535.183.01", cuda="12.4")) == (12, 4)
    assert drivers.limit(kind("300.1")) == (0, 0)


def test_windows_has_floors_of_its_own_and_wsl_the_drivers_word(drivers: Drivers) -> None:
    assert drivers.verdict((12, 6), kind("527.41", platform="windows-x86_64")).compat == "minor"
    assert drivers.verdict((12, 6), kind("525.60.13", platform="windows-x86_64")).compat is None
    assert drivers.verdict((12, 6), kind("560.94", cuda="12.6", wsl=True)).compat == "native"


@pytest.mark.parametrize(
    ("driver", "more", "compat"),
    [
        ("580.65.06", A100, "native"),
        ("550.54.15", A100, None),  # 550 is no longer maintained
        ("535.183.01", A100, None),  # nor is 535
        ("580.65.06", {}, "native"),
    ],
)
def test_forward_compatibility_is_for_maintained_branches(
    drivers: Drivers, driver: str, more: dict[str, Any], compat: str | None
) -> None:
    assert drivers.verdict((13, 0), kind(driver, **more)).compat == compat


def test_forward_compatibility_while_the_branch_was_maintained() -> None:
    book = open_matrix(environ={"HOME": str(Path.home())})
    then = Drivers(book.facts(*FACTS), "2026-05-01")
    assert then.verdict((13, 0), kind("535.183.01", **A100)).compat == "forward"
    assert then.verdict((13, 0), kind("535.183.01")).compat is None, "no data-centre GPU"
    assert then.verdict((13, 0), kind("535.183.01", **{**A100, "platform": "windows-x86_64"})).compat is None


def test_which_branch_to_install(drivers: Drivers) -> None:
    assert drivers.branch_to_install("525.60.13", None) == "580"
    assert drivers.branch_to_install("580.65.06", "580") == "580"
    assert drivers.branch_to_install("580.65.06", "470") is None, "the card's last branch is older"


def test_a_branch_stands_for_its_newest() -> None:
    assert at_least("580", "580.65.06")
    assert not at_least("580.64", "580.65.06")
    assert at_least("580.65.06", "580.65.06")
    assert not at_least("575", "580.65.06")
