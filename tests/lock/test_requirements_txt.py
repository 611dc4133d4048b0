"""Which wheel of another index is named, and how its address is written."""

import pytest

from cudafit.errors import CudafitError
from cudafit.lock.order import Order
from cudafit.lock.requirements_txt import requirements_text
from cudafit.lock.uv import Compiled, File, Package, uv_platform
from cudafit.model.fit import MatrixVersion, Resolution, Target

HASH = "0" * 64


def order(platform: str = "linux-x86_64", libc: str | None = "glibc 2.35", python: str = "3.12") -> Order:
    targets = (Target(platform, libc, None),)
    return Order(Resolution("fit", python, (), (), (), MatrixVersion("1"), targets=targets), (), cudafit="0")


def named(given: Order, *names: str) -> str:
    wheels = tuple(File(name, f"https://example.org/whl/{name}", HASH) for name in names)
    text = requirements_text(given, Compiled((Package("torch", "2.9", wheels, elsewhere=True),), ""))
    return text.splitlines()[-2].removesuffix(" \\").rpartition("/")[2]


OLD = "torch-2.9-cp312-cp312-manylinux2014_x86_64.whl"
NEW = "torch-2.9-cp312-cp312-manylinux_2_28_x86_64.whl"
NEWEST = "torch-2.9-cp312-cp312-manylinux_2_39_x86_64.whl"
PLAIN = "torch-2.9-py3-none-any.whl"


@pytest.mark.parametrize(
    ("given", "names", "best"),
    [
        (order(), (OLD, NEW, NEWEST, PLAIN), NEW),
        (order(libc="glibc 2.17"), (OLD, NEW, PLAIN), OLD),
        (order(libc=None), (OLD, NEW, NEWEST), NEW),
        (order(), (PLAIN, "torch-2.9-cp311-cp311-manylinux_2_28_x86_64.whl"), PLAIN),
        (
            order(),
            ("torch-2.9-cp310-abi3-manylinux_2_28_x86_64.whl", PLAIN),
            "torch-2.9-cp310-abi3-manylinux_2_28_x86_64.whl",
        ),
        (
            order(python="3.13t"),
            ("torch-2.9-cp313-cp313-linux_x86_64.whl", "torch-2.9-cp313-cp313t-linux_x86_64.whl"),
            "torch-2.9-cp313-cp313t-linux_x86_64.whl",
        ),
        (
            order("windows-x86_64", None),
            ("torch-2.9-cp312-cp312-win_amd64.whl", NEW),
            "torch-2.9-cp312-cp312-win_amd64.whl",
        ),
        (
            order("windows-aarch64", None),
            ("torch-2.9-cp312-cp312-win_amd64.whl", "torch-2.9-cp312-cp312-win_arm64.whl", NEW),
            "torch-2.9-cp312-cp312-win_arm64.whl",
        ),
        (
            order("macos-aarch64", None),
            ("torch-2.9-cp312-none-macosx_11_0_arm64.whl", NEW),
            "torch-2.9-cp312-none-macosx_11_0_arm64.whl",
        ),
        (
            order("linux-x86_64", "musl 1.2.5"),
            ("torch-2.9-cp312-cp312-musllinux_1_2_x86_64.whl", NEW),
            "torch-2.9-cp312-cp312-musllinux_1_2_x86_64.whl",
        ),
        (
            order("linux-aarch64"),
            ("torch-2.9-cp312-cp312-manylinux_2_28_aarch64.whl", NEW),
            "torch-2.9-cp312-cp312-manylinux_2_28_aarch64.whl",
        ),
        (order(), ("torch-2.9+cu126-cp312-cp312-linux_x86_64.whl",), "torch-2.9%2Bcu126-cp312-cp312-linux_x86_64.whl"),
    ],
)
def test_the_wheel_that_an_installer_would_choose(given: Order, names: tuple[str, ...], best: str) -> None:
    assert named(given, *names) == best


def test_no_wheel_for_the_target() -> None:
    with pytest.raises(CudafitError, match=r"no wheel of torch 2\.9 is for linux-x86_64"):
        named(order(), "torch-2.9-cp311-cp311-manylinux_2_28_x86_64.whl", "nonsense.whl")


@pytest.mark.parametrize(
    ("given", "platform"),
    [
        (order(libc="glibc 2.35"), "x86_64-manylinux_2_35"),
        (order(libc="glibc 2.30"), "x86_64-manylinux_2_28"),
        (order(libc="glibc 2.99"), "x86_64-manylinux_2_40"),
        (order(libc="glibc 2.12"), "x86_64-manylinux_2_17"),
        (order(libc=None), "x86_64-manylinux_2_28"),
        (order("linux-aarch64", "musl 1.2"), "aarch64-unknown-linux-musl"),
        (order("windows-x86_64", None), "x86_64-pc-windows-msvc"),
        (order("windows-aarch64", None), "aarch64-pc-windows-msvc"),
        (order("macos-aarch64", None), "aarch64-apple-darwin"),
    ],
)
def test_uvs_name_of_the_target(given: Order, platform: str) -> None:
    assert uv_platform(given.target) == platform
