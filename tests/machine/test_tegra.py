"""Jetson boards, by the files that only they have."""

from pathlib import Path

import pytest

from cudafit.machine.tegra import COMPATIBLE, MODEL, RELEASE, parse_l4t, read_tegra
from cudafit.model.machine import Tegra
from tests.machine.trees import Link, image

R35 = "# R35 (release), REVISION: 3.1, GCID: 32827747, BOARD: t186ref, EABI: aarch64\n"
R36 = """\
# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64, DATE: Wed Jan  8 01:49:37 UTC 2025
# KERNEL_VARIANT: oot
TARGET_USERSPACE_LIB_DIR=nvidia
"""


@pytest.mark.parametrize(
    ("text", "l4t"),
    [
        (R35, "35.3.1"),
        (R36, "36.4.3"),
        ("# R32 (release), REVISION: 7.4, GCID: 33514132", "32.7.4"),
        ("# R36 (release), GCID: 38968081", None),
        ("garbage", None),
        ("", None),
    ],
)
def test_release_texts(text: str, l4t: str | None) -> None:
    assert parse_l4t(text) == l4t


def test_a_jetson_by_its_release_file(tmp_path: Path) -> None:
    tree = {
        RELEASE: R36,
        MODEL: "NVIDIA Jetson AGX Orin Developer Kit\0",
        COMPATIBLE: "nvidia,p3737-0000\0nvidia,tegra234\0",
    }
    assert read_tegra(image(tmp_path, tree)) == Tegra("NVIDIA Jetson AGX Orin Developer Kit", "36.4.3", RELEASE)


def test_a_jetson_by_its_device_tree(tmp_path: Path) -> None:
    tree = {MODEL: "NVIDIA Jetson Orin Nano\0", COMPATIBLE: "nvidia,p3768-0000+p3767-0005\0nvidia,tegra234\0"}
    assert read_tegra(image(tmp_path, tree)) == Tegra("NVIDIA Jetson Orin Nano", None, COMPATIBLE)


def test_an_empty_release_file_still_tells_that_it_is_one(tmp_path: Path) -> None:
    assert read_tegra(image(tmp_path, {RELEASE: ""})) == Tegra(None, None, RELEASE)


def test_other_boards_are_none(tmp_path: Path) -> None:
    board = {MODEL: "Raspberry Pi 5 Model B Rev 1.0\0", COMPATIBLE: "raspberrypi,5-model-b\0brcm,bcm2712\0"}
    assert read_tegra(image(tmp_path / "pi", board)) is None
    assert read_tegra(image(tmp_path / "pc", {})) is None
    assert read_tegra(image(tmp_path / "loop", {RELEASE: Link("nv_tegra_release")})) is None
