"""The operating system, from the files that distributions ship."""

import sys
from pathlib import Path

import pytest

from cudafit.files import Files
from cudafit.machine.context import Context
from cudafit.machine.host import EFI, KERNEL_RELEASE, SECURE_BOOT, read_os
from tests.machine.trees import ELF_AARCH64, ELF_X86_64, Folder, Link, Tree, image, plant, problems

DEBIAN = """\
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
HOME_URL="https://www.debian.org/"
"""
UBUNTU = """\
PRETTY_NAME="Ubuntu 24.04.1 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
VERSION="24.04.1 LTS (Noble Numbat)"
ID=ubuntu
ID_LIKE=debian
"""
ROCKY = """\
NAME="Rocky Linux"
VERSION="9.4 (Blue Onyx)"
ID="rocky"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.4"
"""
ALPINE = """\
NAME="Alpine Linux"
ID=alpine
VERSION_ID=3.20.3
PRETTY_NAME="Alpine Linux v3.20"
"""
ARCH = """\
NAME='Arch Linux'
ID='arch'
BUILD_ID=rolling
"""


@pytest.mark.parametrize(
    ("text", "distro"),
    [
        pytest.param(DEBIAN, "debian 12", id="debian"),
        pytest.param(UBUNTU, "ubuntu 24.04", id="ubuntu"),
        pytest.param(ROCKY, "rocky 9.4", id="rocky"),
        pytest.param(ALPINE, "alpine 3.20.3", id="alpine"),
        pytest.param(ARCH, "arch", id="rolling, without a version"),
    ],
)
def test_distributions(text: str, distro: str, tmp_path: Path) -> None:
    system = read_os(image(tmp_path, {"/usr/lib/os-release": text, "/etc/os-release": Link("../usr/lib/os-release")}))
    assert system.distro == distro
    assert system.via["distro"] == "/etc/os-release"


def test_the_second_place_is_asked_where_the_first_is_missing(tmp_path: Path) -> None:
    system = read_os(image(tmp_path, {"/usr/lib/os-release": ROCKY}))
    assert (system.distro, system.via["distro"]) == ("rocky 9.4", "/usr/lib/os-release")


def test_a_release_file_without_an_id_is_a_problem(tmp_path: Path) -> None:
    context = image(tmp_path, {"/etc/os-release": "NAME=Something\nID_LIKE=debian\n"})
    assert read_os(context).distro is None
    assert problems(context) == ["host: /etc/os-release: no ID in it"]


def test_an_empty_root_tells_nothing_and_is_no_problem(tmp_path: Path) -> None:
    context = image(tmp_path, {})
    system = read_os(context)
    assert (system.system, system.arch, system.distro, system.kernel, system.container) == ("linux", *[None] * 4)
    assert (system.wsl, system.secure_boot, system.tegra, system.via) == (False, None, None, {})
    assert problems(context) == []


@pytest.mark.parametrize(
    ("tree", "arch", "via"),
    [
        pytest.param({"/bin/sh": ELF_X86_64}, "x86_64", "/bin/sh", id="x86_64"),
        pytest.param({"/bin/sh": ELF_AARCH64 + b"more"}, "aarch64", "/bin/sh", id="aarch64"),
        pytest.param({"/usr/bin/env": ELF_AARCH64}, "aarch64", "/usr/bin/env", id="no shell"),
        pytest.param(
            {"/usr/bin/dash": ELF_X86_64, "/usr/bin/sh": Link("dash"), "/bin": Link("usr/bin")},
            "x86_64",
            "/bin/sh",
            id="merged /usr",
        ),
        pytest.param(
            {"/bin/busybox": ELF_X86_64, "/bin/sh": Link("/bin/busybox")}, "x86_64", "/bin/sh", id="absolute link"
        ),
        pytest.param(
            {"/bin/sh": b"#!/bin/busybox\n", "/bin/busybox": ELF_X86_64}, "x86_64", "/bin/busybox", id="script"
        ),
        pytest.param({"/bin/sh": ELF_X86_64[:18] + b"\x99\x99"}, None, None, id="another machine"),
        pytest.param({"/bin/sh": b"\x7fELF"}, None, None, id="cut short"),
        pytest.param(
            {"/bin/sh": b"\x7fELF\x02\x02\x01" + bytes(9) + b"\x00\x03\x00\xb7"}, "aarch64", "/bin/sh", id="big-endian"
        ),
    ],
)
def test_what_programs_below_another_root_were_built_for(
    tree: Tree, arch: str | None, via: str | None, tmp_path: Path
) -> None:
    system = read_os(image(tmp_path, tree))
    assert (system.arch, system.via.get("arch")) == (arch, via)


def test_kernel_and_processor(tmp_path: Path) -> None:
    cpuinfo = "processor\t: 0\nmodel name\t: AMD EPYC 9554 64-Core Processor\n\nprocessor\t: 1\nmodel name\t: other\n"
    system = read_os(image(tmp_path, {KERNEL_RELEASE: "6.8.0-45-generic\n", "/proc/cpuinfo": cpuinfo}))
    assert (system.kernel, system.via["kernel"]) == ("6.8.0-45-generic", KERNEL_RELEASE)
    assert (system.processor, system.via["processor"]) == ("AMD EPYC 9554 64-Core Processor", "/proc/cpuinfo")


def test_a_processor_that_has_no_name(tmp_path: Path) -> None:
    cpuinfo = "processor\t: 0\nBogoMIPS\t: 2000.00\nCPU implementer\t: 0x41\n"
    assert read_os(image(tmp_path, {"/proc/cpuinfo": cpuinfo})).processor is None


@pytest.mark.parametrize(
    ("variable", "on"),
    [
        pytest.param(b"\x06\0\0\0\x01", True, id="on"),
        pytest.param(b"\x06\0\0\0\x00", False, id="off"),
        pytest.param(b"\x06\0\0", None, id="cut short"),
    ],
)
def test_secure_boot_by_its_variable(variable: bytes, on: bool | None, tmp_path: Path) -> None:
    system = read_os(image(tmp_path, {SECURE_BOOT: variable}))
    assert system.secure_boot is on
    assert system.via.get("secure_boot") == (None if on is None else SECURE_BOOT)


@pytest.mark.parametrize(
    ("tree", "live", "on"),
    [
        pytest.param({"/sys/firmware/acpi/x": ""}, True, False, id="a machine without EFI"),
        pytest.param({"/sys/firmware/acpi/x": ""}, False, None, id="not running"),
        pytest.param({"/sys/firmware/acpi/x": "", f"{EFI}/x": ""}, True, None, id="EFI, variables not mounted"),
        pytest.param({}, True, None, id="a container that hides the folder"),
    ],
)
def test_secure_boot_without_its_variable(tree: Tree, live: bool, on: bool | None, tmp_path: Path) -> None:
    assert read_os(Context("linux", Files(str(plant(tmp_path, tree))), {}, live=live)).secure_boot is on


def test_an_unreadable_secure_boot_variable_is_a_problem(tmp_path: Path) -> None:
    context = image(tmp_path, {SECURE_BOOT: Folder()})
    assert read_os(context).secure_boot is None
    assert problems(context) == [f"host: {SECURE_BOOT}: it is a folder"]


@pytest.mark.skipif(sys.platform != "linux", reason="asks the running Linux")
def test_the_running_system_is_asked_for_its_own_arch() -> None:
    system = read_os(Context("linux", Files(), {}))
    assert system.arch
    assert system.via["arch"] == "uname"
