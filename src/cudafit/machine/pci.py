"""NVIDIA cards on the PCI bus, whoever drives them: seen even where no driver of NVIDIA's is loaded."""

import re
from dataclasses import replace

from cudafit.machine.context import Context
from cudafit.model.machine import PciDevice, PcieErrors

PROBE = "pci"
DEVICES = "/sys/bus/pci/devices"
NVIDIA = "0x10de"

# PCI class codes: 0x0300 VGA controller, 0x0302 3D controller. The sound, USB and bridge parts of a card are not GPUs.
DISPLAY_CLASS = "0x03"
# 0x0680 is "other bridge": NVSwitches up to H100's. The network parts of old nForce boards say the same of themselves.
SWITCH_CLASS = "0x0680"
_NETWORK_DRIVER = "forcedeth"


def read_pci(context: Context) -> tuple[PciDevice, ...]:
    """Cards first, then NVSwitches."""
    found: tuple[list[PciDevice], list[PciDevice]] = ([], [])
    for address in context.names(PROBE, DEVICES):
        folder = f"{DEVICES}/{address}"
        if (context.read(PROBE, f"{folder}/vendor") or "").strip() != NVIDIA:
            continue
        pci_class = (context.read(PROBE, f"{folder}/class") or "").strip()
        if not pci_class.startswith((DISPLAY_CLASS, SWITCH_CLASS)):
            continue
        device = (context.read(PROBE, f"{folder}/device") or "").strip().removeprefix("0x")
        link = context.files.link_target(f"{folder}/driver")
        driver = link.rsplit("/", 1)[-1] if link else None
        if driver != _NETWORK_DRIVER:
            found[is_switch(pci_class)].append(PciDevice(address, f"10de:{device}", pci_class, driver))
    return (*found[0], *found[1])


def is_switch(pci_class: str) -> bool:
    return pci_class.startswith(SWITCH_CLASS)


def with_errors(context: Context, devices: tuple[PciDevice, ...]) -> tuple[PciDevice, ...]:
    """The devices with what the kernel counted (Advanced Error Reporting), where it counts."""
    return tuple(replace(device, errors=_errors(context, device.address)) for device in devices)


def _errors(context: Context, address: str) -> PcieErrors | None:
    folder = f"{DEVICES}/{address}"
    texts = [context.read(PROBE, f"{folder}/aer_dev_{kind}", 1 << 12) for kind in ("correctable", "nonfatal", "fatal")]
    if all(text is None for text in texts):
        return None
    correctable, nonfatal, fatal = (_count(text, r"TOTAL_ERR_\w+") for text in texts)
    return PcieErrors(correctable, nonfatal, fatal, _count(texts[1], "UnsupReq"))


def _count(text: str | None, name: str) -> int | None:
    """Lines are `RxErr 0`, and a sum at the end (Documentation/ABI/testing/sysfs-bus-pci-devices-aer_stats)."""
    match = re.search(rf"^{name}\s+(\d{{1,20}})\s*$", text or "", re.M)
    return int(match.group(1)) if match else None
