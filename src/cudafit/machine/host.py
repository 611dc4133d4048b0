"""The operating system: name, kernel, distribution, processor, secure boot."""

import os
import re
import sys
from typing import TypeVar

from cudafit.machine.container import read_container
from cudafit.machine.context import Context
from cudafit.machine.libc import read_libc
from cudafit.machine.tegra import read_tegra
from cudafit.machine.wsl import read_wsl
from cudafit.model.machine import OperatingSystem

PROBE = "host"

_ARCH = {"amd64": "x86_64", "arm64": "aarch64"}

# e_machine of an ELF header (System V ABI): what a program below another root was built for.
_ELF_MACHINES = {0x3E: "x86_64", 0xB7: "aarch64", 0x15: "ppc64le", 0x28: "armv7l", 0x03: "i686", 0xF3: "riscv64"}
_ANY_PROGRAM = ("/bin/sh", "/usr/bin/env", "/bin/busybox", "/usr/bin/bash")

OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")
KERNEL_RELEASE = "/proc/sys/kernel/osrelease"

# The EFI variable: four bytes of attributes, then one that is 1 when secure boot is on (UEFI specification, 3.3).
SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
EFI = "/sys/firmware/efi"

Value = TypeVar("Value")
Found = tuple[Value, str] | None


def read_os(context: Context) -> OperatingSystem:
    """The host. Each reader returns a value with the place it was read from, or None."""
    via: dict[str, str] = {}

    def told(name: str, found: Found[Value]) -> Value | None:
        if found is None:
            return None
        via[name] = found[1]
        return found[0]

    arch = told("arch", _arch(context))
    kernel = told("kernel", _kernel(context))
    if not context.linux:
        distro = told("distro", _release(context))
        return OperatingSystem(context.system, arch, None, distro, wsl=False, container=None, kernel=kernel, via=via)
    wsl_version = told("wsl", read_wsl(context, kernel))
    return OperatingSystem(
        system=context.system,
        arch=arch,
        libc=told("libc", read_libc(context)),
        distro=told("distro", _distro(context)),
        wsl=wsl_version is not None,
        container=told("container", read_container(context)),
        wsl_version=wsl_version,
        kernel=kernel,
        processor=told("processor", _processor(context)),
        secure_boot=told("secure_boot", _secure_boot(context)),
        tegra=read_tegra(context),
        via=via,
    )


def _arch(context: Context) -> Found[str]:
    if context.here:
        if hasattr(os, "uname"):
            name, via = os.uname().machine, "uname"
        else:
            name, via = context.environ.get("PROCESSOR_ARCHITECTURE", ""), "PROCESSOR_ARCHITECTURE"
        return (_ARCH.get(name.lower(), name), via) if name else None
    for path in _ANY_PROGRAM:
        try:
            header = context.files.head(path, 20)
        except OSError:
            continue
        if header[:4] == b"\x7fELF" and len(header) == 20:
            order = "little" if header[5] == 1 else "big"
            machine = int.from_bytes(header[18:20], order)  # type: ignore[arg-type]
            return (_ELF_MACHINES[machine], path) if machine in _ELF_MACHINES else None
    return None


def _kernel(context: Context) -> Found[str]:
    if context.linux:
        release = context.read(PROBE, KERNEL_RELEASE)
        return (release.strip(), KERNEL_RELEASE) if release and release.strip() else None
    return (os.uname().release, "uname") if hasattr(os, "uname") else None


def _release(context: Context) -> Found[str]:
    """The release name of a system that is not Linux; of no Linux distribution, so asked of the system itself."""
    if context.system == "windows" and sys.platform == "win32":
        version = sys.getwindowsversion()
        return f"windows {version.major}.{version.minor}.{version.build}", "GetVersionEx"
    if context.system == "macos" and sys.platform == "darwin":
        import platform  # noqa: PLC0415 - used on macOS only, and slow to import

        return f"macos {platform.mac_ver()[0]}", "SystemVersion.plist"
    return None


def _distro(context: Context) -> Found[str]:
    for path in OS_RELEASE:
        text = context.read(PROBE, path)
        if text is None:
            continue
        pairs = (line.partition("=") for line in text.splitlines())
        fields = {name: value.strip().strip("\"'") for name, _, value in pairs}
        if name := fields.get("ID"):
            return " ".join(part for part in (name, fields.get("VERSION_ID")) if part), path
        context.notes.problem(PROBE, f"{path}: no ID in it")
    return None


def _processor(context: Context) -> Found[str]:
    text = context.head(PROBE, "/proc/cpuinfo") or ""
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.M)
    return (match.group(1).strip(), "/proc/cpuinfo") if match else None


def _secure_boot(context: Context) -> Found[bool]:
    try:
        data = context.files.head(SECURE_BOOT, 16)
    except FileNotFoundError:
        # Without EFI there is no secure boot; but a container's /sys may hide the folder.
        if context.live and context.files.exists("/sys/firmware/acpi") and not context.files.exists(EFI):
            return False, f"no {EFI}"
        return None
    except OSError as error:
        context.notes.problem(PROBE, f"{SECURE_BOOT}: {error.strerror or error}")
        return None
    return (data[4] == 1, SECURE_BOOT) if len(data) >= 5 else None
