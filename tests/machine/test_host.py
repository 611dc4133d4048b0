"""The host: system, libc, container, WSL, board."""

from pathlib import Path

import pytest

from cudafit.machine.container import read_container
from cudafit.machine.host import KERNEL_RELEASE, SECURE_BOOT, read_os
from cudafit.machine.tegra import parse_l4t
from tests.machine.trees import ELF_AARCH64, ELF_X86_64, Tree, image, problems

OVERLAY = "1034 870 0:312 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/AB:x\n"
BANNER = b"\0GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\n\0"
DISK = "29 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw\n"
OTHER_OVERLAY = "1034 870 0:312 / / rw,relatime - overlay overlay rw,lowerdir=/layers/1\n"


@pytest.mark.parametrize(
    ("text", "distro"),
    [
        ('PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n', "debian 12"),
        ("ID=ubuntu\nVERSION_ID='24.04'\n", "ubuntu 24.04"),
        ('ID="rocky"\nVERSION_ID="9.4"\n', "rocky 9.4"),
        ("ID=arch\n", "arch"),
    ],
)
def test_distribution(text: str, distro: str, tmp_path: Path) -> None:
    system = read_os(image(tmp_path, {"/etc/os-release": text}))
    assert (system.distro, system.via["distro"]) == (distro, "/etc/os-release")


def test_os_release_without_a_name_is_a_problem(tmp_path: Path) -> None:
    context = image(tmp_path, {"/etc/os-release": "NAME=x\n"})
    assert read_os(context).distro is None
    assert problems(context) == ["host: /etc/os-release: no ID in it"]


@pytest.mark.parametrize(
    ("tree", "libc"),
    [
        (
            {"/lib/x86_64-linux-gnu/libc.so.6": BANNER},
            "glibc 2.36",
        ),
        ({"/lib64/libc.so.6": "GNU C Library (GNU libc) stable release version 2.28.\n"}, "glibc 2.28"),
        (
            {"/lib/ld-musl-x86_64.so.1": "", "/lib/apk/db/installed": "C:Q1\nP:musl\nV:1.2.4-r2\nA:x86_64\n"},
            "musl 1.2.4",
        ),
        ({"/lib/ld-musl-aarch64.so.1": ""}, "musl"),
        ({"/lib64/libc.so.6": "garbage"}, None),
    ],
)
def test_libc(tree: Tree, libc: str | None, tmp_path: Path) -> None:
    assert read_os(image(tmp_path, tree)).libc == libc


@pytest.mark.parametrize(
    ("header", "arch"), [(ELF_X86_64, "x86_64"), (ELF_AARCH64, "aarch64"), (b"#!/bin/dash", None), (b"\x7fELF", None)]
)
def test_processor_of_another_root(header: bytes, arch: str | None, tmp_path: Path) -> None:
    assert read_os(image(tmp_path, {"/bin/sh": header})).arch == arch


@pytest.mark.parametrize(("data", "on"), [(b"\6\0\0\0\1", True), (b"\6\0\0\0\0", False), (b"\6", None), (None, None)])
def test_secure_boot(data: bytes | None, on: bool | None, tmp_path: Path) -> None:
    assert read_os(image(tmp_path, {SECURE_BOOT: data} if data is not None else {})).secure_boot is on


@pytest.mark.parametrize(
    ("tree", "environ", "kind", "via"),
    [
        ({"/.dockerenv": "", "/proc/self/mountinfo": OVERLAY}, {}, "docker", "/.dockerenv"),
        ({"/.dockerenv": "", "/proc/self/mountinfo": DISK}, {}, None, None),
        ({"/proc/self/mountinfo": OVERLAY}, {}, "docker", "/proc/self/mountinfo"),
        ({"/proc/self/mountinfo": DISK}, {}, None, None),
        ({"/run/.containerenv": 'engine="podman-4.3.1"\n'}, {}, "podman", "/run/.containerenv"),
        ({"/.dockerenv": ""}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes", "KUBERNETES_SERVICE_HOST"),
        ({"/run/secrets/kubernetes.io/token": ""}, {}, "kubernetes", "/run/secrets/kubernetes.io"),
        ({"/proc/1/cgroup": "1:name=systemd:/lxc.payload.box\n"}, {}, "lxc", "/proc/1/cgroup"),
        ({"/proc/1/cgroup": "0::/kubepods/besteffort/pod1\n"}, {}, "kubernetes", "/proc/1/cgroup"),
        ({}, {"container": "systemd-nspawn"}, "systemd-nspawn", "container="),
        ({}, {"container": "lxc"}, "lxc", "container="),
        ({"/.singularity.d/env/x": ""}, {}, "apptainer", "/.singularity.d"),
        ({}, {"APPTAINER_CONTAINER": "/x.sif"}, "apptainer", "APPTAINER_CONTAINER"),
        ({"/proc/self/mountinfo": OTHER_OVERLAY, "/proc/1/cgroup": "0::/init.scope\n"}, {}, None, None),
    ],
)
def test_container(tree: Tree, environ: dict[str, str], kind: str | None, via: str | None, tmp_path: Path) -> None:
    found = read_container(image(tmp_path, tree, environ))
    assert found == (None if kind is None else (kind, via))


@pytest.mark.parametrize(
    ("release", "tree", "version"),
    [
        ("4.4.0-19041-Microsoft", {}, 1),
        ("5.15.153.1-microsoft-standard-WSL2", {}, 2),
        ("6.1.0-mine", {"/dev/dxg": "", "/usr/lib/wsl/lib/libcuda.so.1": ""}, 2),
        ("6.1.0-mine", {"/dev/dxg": ""}, None),
        ("6.1.0-21-amd64", {}, None),
    ],
)
def test_wsl(release: str, tree: Tree, version: int | None, tmp_path: Path) -> None:
    system = read_os(image(tmp_path, {KERNEL_RELEASE: f"{release}\n", **tree}))
    assert (system.wsl, system.wsl_version) == (version is not None, version)


def test_jetson(tmp_path: Path) -> None:
    text = "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64, DATE: Wed Jan  8 2025\n"
    tree = {"/etc/nv_tegra_release": text, "/proc/device-tree/model": "NVIDIA Jetson AGX Orin Developer Kit\0"}
    tegra = read_os(image(tmp_path, tree)).tegra
    assert tegra is not None
    assert (tegra.model, tegra.l4t) == ("NVIDIA Jetson AGX Orin Developer Kit", "36.4.3")
    assert parse_l4t("garbage") is None


def test_a_tegra_without_its_release_file(tmp_path: Path) -> None:
    tree = {"/proc/device-tree/compatible": "nvidia,p3737\0nvidia,tegra234\0", "/proc/device-tree/model": "Orin\0"}
    tegra = read_os(image(tmp_path, tree)).tegra
    assert tegra is not None
    assert (tegra.model, tegra.l4t, tegra.via) == ("Orin", None, "/proc/device-tree/compatible")
