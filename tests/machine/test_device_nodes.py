"""The device files, below another root: ordinary files stand for them, and /etc/passwd names their owners."""

import os
from pathlib import Path

import pytest

from cudafit.machine.device_nodes import is_tegra, makes_nodes, read_device_nodes, with_openings
from cudafit.model.machine import DeviceNode
from tests.machine.trees import Link, image, problems


def test_only_nvidias_nodes_are_listed(tmp_path: Path) -> None:
    names = ("nvidia0", "nvidia10", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset", "dxg")
    others = ("null", "nvidia", "nvidia0x", "nvidia-caps", "nvme0n1", "dxg0", "xnvidia0")
    context = image(tmp_path, {f"/dev/{name}": "" for name in (*names, *others)})
    assert [node.path for node in read_device_nodes(context)] == sorted(f"/dev/{name}" for name in names)
    assert problems(context) == []


def test_tegras_nodes_are_told_from_the_drivers(tmp_path: Path) -> None:
    names = ("nvhost-as-gpu", "nvhost-ctrl-gpu", "nvhost-gpu", "nvidia0", "nvmap")
    others = ("nvhost-nvdec", "nvhost-vic", "nvmapx")  # video
    found = read_device_nodes(image(tmp_path, {f"/dev/{name}": "" for name in (*names, *others)}))
    assert [(node.path, is_tegra(node)) for node in found] == [(f"/dev/{name}", name != "nvidia0") for name in names]


def test_mode_and_owner_by_the_roots_own_files(tmp_path: Path) -> None:
    uid, gid = os.getuid(), os.getgid()
    context = image(
        tmp_path,
        {
            "/dev/nvidia0": "",
            "/etc/passwd": f"broken line\nx:x:{uid}9:0::/:/bin/sh\nada:x:{uid}:100:Ada:/home/ada:/bin/sh\n",
            "/etc/group": f"video:x:{gid}:ada\nlater:x:{gid}:\n",
        },
    )
    (tmp_path / "dev/nvidia0").chmod(0o640)
    assert read_device_nodes(context) == (DeviceNode("/dev/nvidia0", "0640", "ada", "video", access=None),)


def test_an_owner_without_a_name_is_a_number(tmp_path: Path) -> None:
    (node,) = read_device_nodes(image(tmp_path, {"/dev/nvidiactl": ""}))
    assert (node.owner, node.group) == (str(os.getuid()), str(os.getgid()))


def test_a_node_that_cannot_be_looked_at_says_why(tmp_path: Path) -> None:
    context = image(tmp_path, {"/dev/nvidia0": Link("/dev/gone"), "/dev/nvidia1": Link("nvidia1")})
    assert read_device_nodes(context) == (
        DeviceNode("/dev/nvidia0", "", None, None, access=None, error="No such file or directory"),
        DeviceNode("/dev/nvidia1", "", None, None, access=None, error="Too many levels of symbolic links"),
    )


def test_no_nodes(tmp_path: Path) -> None:
    context = image(tmp_path, {})
    assert read_device_nodes(context) == ()
    assert problems(context) == []


@pytest.mark.parametrize(
    ("opened", "access", "error"),
    [
        ({"/dev/nvidia0": None}, True, None),
        ({"/dev/nvidia0": "Operation not permitted"}, False, "Operation not permitted"),
        ({"/dev/nvidia1": None}, False, "Permission denied"),
        ({}, False, "Permission denied"),
    ],
)
def test_opening_for_real_is_believed_before_the_mode(
    opened: dict[str, str | None], access: bool, error: str | None
) -> None:
    node = DeviceNode("/dev/nvidia0", "0660", "root", "video", access=False, error="Permission denied")
    assert with_openings((node,), opened) == (DeviceNode("/dev/nvidia0", "0660", "root", "video", access, error),)


def test_nvidia_modprobe_makes_nodes_where_it_has_roots_rights(tmp_path: Path) -> None:
    assert makes_nodes(image(tmp_path / "none", {})) is False
    context = image(tmp_path / "there", {"/usr/bin/nvidia-modprobe": ""})
    assert makes_nodes(context) is False
    if os.getuid() == 0:
        (tmp_path / "there/usr/bin/nvidia-modprobe").chmod(0o4755)
        assert makes_nodes(context) is True
