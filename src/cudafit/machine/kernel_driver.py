"""The kernel's side of the NVIDIA driver, from the files it shows: no library is needed, so it answers when NVML can't.

Texts of /proc/driver/nvidia/version, all met in the wild (the version is the first number after the words):

    NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024
    NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  565.57.01  Release Build  (builder@host)  Thu Oct 10 ...
"""

import re

from cudafit.machine.context import Context
from cudafit.model.frozen import frozen
from cudafit.model.versions import dotted_version

PROBE = "kernel-driver"
PROC_VERSION = "/proc/driver/nvidia/version"
SYS_VERSION = "/sys/module/nvidia/version"
PROC_GPUS = "/proc/driver/nvidia/gpus"


@frozen
class KernelDriver:
    """The loaded NVIDIA kernel module."""

    version: str | None
    via: str
    module: str | None  # "open" or "proprietary"


@frozen
class ProcGpu:
    """A GPU as the kernel module lists it."""

    address: str
    name: str | None
    uuid: str | None


def read_kernel_driver(context: Context) -> KernelDriver | None:
    """None when no NVIDIA module is loaded."""
    text = context.read(PROBE, PROC_VERSION)
    version, module = parse_proc_version(text) if text is not None else (None, None)
    if version is not None:
        return KernelDriver(version, PROC_VERSION, module)
    if text is not None:
        context.notes.problem(PROBE, f"{PROC_VERSION}: no version in {_first_line(text)!r}")
    short = context.read(PROBE, SYS_VERSION)
    if short is not None:
        version = dotted_version(short.strip())
        if version is None:
            context.notes.problem(PROBE, f"{SYS_VERSION}: no version in {_first_line(short)!r}")
        return KernelDriver(version, SYS_VERSION, module)
    return KernelDriver(None, PROC_VERSION, module) if text is not None else None


def parse_proc_version(text: str) -> tuple[str | None, str | None]:
    """The version, and whether the module is the open or the proprietary one."""
    match = re.search(
        r"^NVRM version:\s*(NVIDIA UNIX.{1,80}?Module.{0,80}?)\s(\d{2,4}\.\d+(?:\.\d+)?)(?:\s|$)", text, re.M
    )
    if match is None:
        return None, None
    return match.group(2), "open" if re.search(r"\bOpen\b", match.group(1)) else "proprietary"


def read_proc_gpus(context: Context) -> list[ProcGpu]:
    found = []
    for address in context.names(PROBE, PROC_GPUS):
        text = context.read(PROBE, f"{PROC_GPUS}/{address}/information")
        if text is not None:
            found.append(parse_information(address, text))
    return found


def parse_information(address: str, text: str) -> ProcGpu:
    """A card that the module could not start has `Unknown` for a model and question marks in its UUID."""
    pairs = (line.partition(":") for line in text.splitlines())
    fields = {name: value.strip() for name, sign, value in pairs if sign}
    name = fields.get("Model")
    uuid = fields.get("GPU UUID")
    return ProcGpu(
        fields.get("Bus Location", address).lower(),
        name if name and name != "Unknown" else None,
        uuid if uuid and "?" not in uuid else None,
    )


def _first_line(text: str) -> str:
    return text.strip().split("\n", 1)[0][:80]
