"""The kernel module's own texts."""

from pathlib import Path

import pytest

from cudafit.machine.kernel_driver import (
    PROC_VERSION,
    SYS_VERSION,
    KernelDriver,
    ProcGpu,
    parse_information,
    parse_proc_version,
    read_kernel_driver,
    read_proc_gpus,
)
from tests.machine.trees import image, problems

GCC = "GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n"
OPEN = "NVRM version: NVIDIA UNIX Open Kernel Module for "


@pytest.mark.parametrize(
    ("line", "version", "module"),
    [
        (
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024",
            "535.183.01",
            "proprietary",
        ),
        (
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  450.80.02  Wed Sep 23 01:13:39 UTC 2020",
            "450.80.02",
            "proprietary",
        ),
        (
            f"{OPEN}x86_64  565.57.01  Release Build  (dvs-builder@U16-A24-9-2)  Thu Oct 10 12:15:00 UTC 2024",
            "565.57.01",
            "open",
        ),
        (f"{OPEN}x86_64  525.60.11  Release Build  (archlinux-builder@localhost)  ", "525.60.11", "open"),
        (f"{OPEN}x86_64  610.43.02  Release Build  (archlinux-builder@)", "610.43.02", "open"),
        (f"{OPEN}x86_64  555.58  Release Build  (portage@localhost)  Sat 29 Jun 2024 14:36:22 MSK", "555.58", "open"),
        (
            f"{OPEN}aarch64  35.3.1  Release Build  (buildbrain@mobile-u64-6289-d7000)  Sun Mar 19 08:09:33 PDT 2023",
            "35.3.1",
            "open",
        ),
        (
            "NVRM version: NVIDIA UNIX Open Kernel x86_64 Kernel Module  590.48.01  Mon Dec  8 11:22:45 UTC 2025",
            "590.48.01",
            "open",
        ),
        ("NVRM version: N/A", None, None),
        ("", None, None),
        ("\0\xff garbage 12", None, None),
    ],
)
def test_version_line(line: str, version: str | None, module: str | None) -> None:
    assert parse_proc_version(f"{line}\n{GCC}") == (version, module)


def test_none_where_no_module_is_loaded(tmp_path: Path) -> None:
    context = image(tmp_path, {})
    assert read_kernel_driver(context) is None
    assert problems(context) == []


def test_sys_tells_when_proc_does_not(tmp_path: Path) -> None:
    assert read_kernel_driver(image(tmp_path, {SYS_VERSION: "550.54.15\n"})) == KernelDriver(
        "550.54.15", SYS_VERSION, None
    )


def test_a_text_without_a_version_is_a_problem_and_a_module_all_the_same(tmp_path: Path) -> None:
    context = image(tmp_path, {PROC_VERSION: "NVRM version: N/A\n", SYS_VERSION: "N/A\n"})
    assert read_kernel_driver(context) == KernelDriver(None, SYS_VERSION, None)
    assert problems(context) == [
        f"kernel-driver: {PROC_VERSION}: no version in 'NVRM version: N/A'",
        f"kernel-driver: {SYS_VERSION}: no version in 'N/A'",
    ]


INFORMATION = """\
Model: \t\t NVIDIA GeForce RTX 3080
IRQ:   \t\t 139
GPU UUID: \t GPU-b9ac1b2c-1111-2222-3333-444455556666
Video BIOS: \t 94.02.26.48.3c
Bus Type: \t PCIe
DMA Size: \t 47 bits
Bus Location: \t 0000:0A:00.0
Device Minor: \t 0
GPU Excluded:\t No
"""


def test_information_of_a_gpu() -> None:
    expected = ProcGpu("0000:0a:00.0", "NVIDIA GeForce RTX 3080", "GPU-b9ac1b2c-1111-2222-3333-444455556666")
    assert parse_information("x", INFORMATION) == expected


def test_a_card_that_was_not_started_has_no_name() -> None:
    text = "Model: \t\t Unknown\nGPU UUID: \t GPU-????????-????-????-????-????????????\n"
    assert parse_information("0000:0a:00.0", text) == ProcGpu("0000:0a:00.0", None, None)


def test_every_listed_gpu_is_read(tmp_path: Path) -> None:
    folder = "/proc/driver/nvidia/gpus"
    tree = {f"{folder}/0000:0a:00.0/information": INFORMATION, f"{folder}/0000:0b:00.0/information": "garbage"}
    assert [gpu.address for gpu in read_proc_gpus(image(tmp_path, tree))] == ["0000:0a:00.0", "0000:0b:00.0"]
