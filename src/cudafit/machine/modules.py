"""NVIDIA's kernel modules on the disk: for which kernels they were built, loaded or not."""

import re
from collections.abc import Iterable

from cudafit.machine.context import Context

PROBE = "kernel-modules"
_PLACES = (
    "updates/dkms",
    "updates",
    "extra",
    "extra/nvidia",
    "kernel/drivers/video",
    "kernel/drivers/video/nvidia",
)


_RELEASE = re.compile(r"/modules/([^/]+)/")


def read_module_folders(context: Context) -> tuple[str, ...]:
    """The folders below /lib/modules that have an `nvidia.ko`, whatever it is packed with."""
    found = []
    for folder in ("/lib/modules", "/usr/lib/modules"):
        for release in context.names(PROBE, folder):
            places = [f"{folder}/{release}/{place}" for place in _PLACES]
            # Ubuntu's signed modules lie in a folder that is called after the branch: kernel/nvidia-550.
            places += [
                f"{folder}/{release}/kernel/{name}"
                for name in context.names(PROBE, f"{folder}/{release}/kernel", "nvidia*")
            ]
            found += [place for place in places if context.names(PROBE, place, "nvidia.ko*")]
    return tuple(found)


def releases(folders: Iterable[str]) -> tuple[str, ...]:
    """The kernel releases that these folders are of."""
    return tuple(dict.fromkeys(match[1] for one in folders if (match := _RELEASE.search(one))))
