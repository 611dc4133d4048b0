"""How a kernel module comes for another kernel, by who put it where it lies.

Sources: dkms(8) (updates/dkms); NVIDIA's driver README, "Installing the NVIDIA Driver" (`--dkms`);
Ubuntu Server documentation, "NVIDIA drivers installation" (linux-modules-nvidia-*, in kernel/nvidia-*); RPM Fusion,
"Howto/NVIDIA" (akmods, in extra).
"""

import re

from cudafit.model.finding import Fix
from cudafit.model.machine import Machine

Command = tuple[str, ...]
_OF_DEBIAN = ("ubuntu", "debian")


def built_for_kernel(machine: Machine) -> Fix:
    """The module for the running kernel. DKMS is asked only where its own folder says that it built the others."""
    folders = machine.kernel_module_folders
    kernel, distro = machine.os.kernel or "", (machine.os.distro or "").partition(" ")[0]
    places = [re.sub(r"^.*/modules/[^/]+/", "", folder) for folder in folders or ()]
    if folders is None or any(place == "updates/dkms" for place in places):
        return _by_dkms(kernel, distro)
    if signed := next((match for place in places if (match := re.fullmatch(r"kernel/nvidia-(\d+)", place))), None):
        return _signed(signed[1], kernel, distro)
    if any(place.startswith("extra") for place in places) and distro == "fedora":
        return Fix(
            "build the module for this kernel, then load it",
            (("akmods", "--kernels", kernel), ("modprobe", "nvidia")),
            root=True,
        )
    if any(place.startswith("kernel/drivers/video") for place in places):
        return Fix(
            "the module was installed by NVIDIA's .run file or by hand: run the same .run file again on this kernel"
            " (with `--dkms` it is built anew for later kernels), or boot the kernel that has it",
            root=True,
        )
    return Fix(
        "build the module for this kernel as it was built for the other, or boot the kernel that has it",
        root=True,
    )


def _by_dkms(kernel: str, distro: str) -> Fix:
    headers: tuple[Command, ...] = (("apt", "install", f"linux-headers-{kernel}"),) if distro in _OF_DEBIAN else ()
    return Fix(
        "install the headers of this kernel and build the module, or boot the kernel that has it; then reboot",
        (*headers, ("dkms", "autoinstall")),
        root=True,
        reboot=True,
    )


def _signed(branch: str, kernel: str, distro: str) -> Fix:
    return Fix(
        "install the signed module of this kernel, then load it; or boot the kernel that has it",
        (("apt", "install", f"linux-modules-nvidia-{branch}-{kernel}"), ("modprobe", "nvidia"))
        if distro == "ubuntu"
        else (),
        root=True,
    )
