"""The device files through which programs reach the driver."""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import replace

from cudafit.machine.context import Context
from cudafit.model.machine import DeviceNode
from cudafit.system.posix import posix

PROBE = "device-nodes"
MODPROBE = "/usr/bin/nvidia-modprobe"
# Tegra's GPU is reached through nvmap and nodes of its own; the many others are for video and cameras.
_TEGRA = r"nvmap|nvhost-(as-|ctrl-|dbg-|prof-)?gpu"
_NAMES = re.compile(rf"nvidia(\d+|ctl|-uvm|-uvm-tools|-modeset)|dxg|{_TEGRA}")


def read_device_nodes(context: Context) -> tuple[DeviceNode, ...]:
    """The nodes with mode and owner, and whether their mode lets this user open them."""
    found = []
    for name in context.names(PROBE, "/dev"):
        if not _NAMES.fullmatch(name):
            continue
        path = f"/dev/{name}"
        try:
            status = context.files.stat(path)
        except OSError as error:
            found.append(DeviceNode(path, "", None, None, access=None, error=error.strerror or str(error)))
            continue
        access = os.access(path, os.R_OK | os.W_OK) if context.here else None
        mode = f"{stat.S_IMODE(status.st_mode):04o}"
        error_text = "Permission denied" if access is False else None
        owner, group = _names_of(context, status.st_uid, status.st_gid)
        found.append(DeviceNode(path, mode, owner, group, access, error_text))
    return tuple(found)


def makes_nodes(context: Context) -> bool | None:
    """Whether libcuda can have missing nodes made: by nvidia-modprobe with root's rights, or itself as root."""
    try:
        status = context.files.stat(MODPROBE)
    except FileNotFoundError:
        return context.here and posix.geteuid() == 0
    except OSError:
        return None
    return (status.st_uid == 0 and bool(status.st_mode & stat.S_ISUID)) or (context.here and posix.geteuid() == 0)


def is_tegra(node: DeviceNode) -> bool:
    """These belong to the chip's own driver: they are no sign that NVML ought to answer."""
    return re.fullmatch(_TEGRA, node.path.removeprefix("/dev/")) is not None


def with_openings(nodes: tuple[DeviceNode, ...], opened: Mapping[str, str | None]) -> tuple[DeviceNode, ...]:
    """The nodes with what opening them for real told: a control group may forbid what the mode allows."""
    return tuple(
        replace(node, access=opened[node.path] is None, error=opened[node.path]) if node.path in opened else node
        for node in nodes
    )


def _names_of(context: Context, uid: int, gid: int) -> tuple[str, str]:
    """From the root's own files, never the network: a name service may hang."""
    return _name(context, "/etc/passwd", uid), _name(context, "/etc/group", gid)


def _name(context: Context, path: str, number: int) -> str:
    for line in (context.head(PROBE, path, 1 << 20) or "").splitlines():
        fields = line.split(":")
        if len(fields) > 2 and fields[2] == str(number):
            return fields[0]
    return str(number)
