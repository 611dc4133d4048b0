"""The Fabric Manager, which sets up a machine's NVSwitches: is it installed, and does it run? By files alone.

Sources: Fabric Manager User Guide, "Managing the Fabric Manager Service" and "Fabric Manager Config Options" (the log).
"""

import re

from cudafit.machine.context import Context
from cudafit.model.machine import FabricManager
from cudafit.model.versions import dotted_version

PROBE = "fabric-manager"
DPKG = "/var/lib/dpkg/status"
LOG = "/var/log/fabricmanager.log"
COMM = "nv-fabricmanager"[:15]  # the kernel keeps fifteen characters of a program's name
_DPKG_LIMIT = 32 << 20
_MOST_PROCESSES = 50_000


def read_fabric_manager(context: Context) -> FabricManager:
    """Asked only where there are NVSwitches: reading every process costs time."""
    version, via = _version(context)
    return FabricManager(version, _running(context), via)


def _version(context: Context) -> tuple[str | None, str | None]:
    """By Debian's list of packages, else by the last line in which it told its version itself."""
    text = context.read(PROBE, DPKG, _DPKG_LIMIT) or ""
    for match in re.finditer(r"^Package: nvidia-fabricmanager(?:-\d+)?\n((?:.+\n)*)", text, re.M):
        fields = match.group(1)
        version = re.search(r"^Version: (?:\d+:)?(\d[\d.]*)", fields, re.M)
        # A transitional package of that name has another version and no program: the one that is depended on counts.
        if version and "ok installed" in fields and not re.search(r"transitional", fields, re.I):
            return dotted_version(version.group(1)), DPKG
    told: list[str] = re.findall(r"Fabric Manager version (?:is : )?(\d+\.\d+(?:\.\d+)?)", _log(context))
    return (told[-1], LOG) if told else (None, None)


def _log(context: Context) -> str:
    """Often for root alone: no problem, the version is not known then."""
    try:
        return context.files.tail_text(LOG, 4 << 20)
    except OSError:
        return ""


def _running(context: Context) -> bool | None:
    """None where the processes of others cannot be seen: in a container, with `hidepid`, on a disk."""
    if not context.live or not context.files.exists("/proc/1/comm"):
        return None
    for pid in context.names(PROBE, "/proc", "[0-9]*")[:_MOST_PROCESSES]:
        try:
            if context.files.head_text(f"/proc/{pid}/comm", 64).strip() == COMM:
                return True
        except OSError:
            continue  # it has ended, or is hidden
    return False
