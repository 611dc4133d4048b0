"""NVIDIA's kernel modules on the disk: for which kernels they were built, loaded or not."""

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


def read_modules(context: Context) -> tuple[str, ...]:
    """The kernel releases that have an `nvidia.ko`, whatever it is packed with."""
    found = []
    for folder in ("/lib/modules", "/usr/lib/modules"):
        for release in context.names(PROBE, folder):
            places = [f"{folder}/{release}/{place}" for place in _PLACES]
            # Ubuntu's signed modules lie in a folder that is called after the branch: kernel/nvidia-550.
            places += [
                f"{folder}/{release}/kernel/{name}"
                for name in context.names(PROBE, f"{folder}/{release}/kernel", "nvidia*")
            ]
            if any(context.names(PROBE, place, "nvidia.ko*") for place in places):
                found.append(release)
    return tuple(dict.fromkeys(found))
