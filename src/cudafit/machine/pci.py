"""NVIDIA cards on the PCI bus, whoever drives them: seen even where no driver of NVIDIA's is loaded."""

from cudafit.machine.context import Context
from cudafit.model.machine import PciDevice

PROBE = "pci"
DEVICES = "/sys/bus/pci/devices"
NVIDIA = "0x10de"

# PCI class codes: 0x0300 VGA controller, 0x0302 3D controller. The sound, USB and bridge parts of a card are not GPUs.
DISPLAY_CLASS = "0x03"


def read_pci(context: Context) -> tuple[PciDevice, ...]:
    found = []
    for address in context.names(PROBE, DEVICES):
        folder = f"{DEVICES}/{address}"
        if (context.read(PROBE, f"{folder}/vendor") or "").strip() != NVIDIA:
            continue
        pci_class = (context.read(PROBE, f"{folder}/class") or "").strip()
        if not pci_class.startswith(DISPLAY_CLASS):
            continue
        device = (context.read(PROBE, f"{folder}/device") or "").strip().removeprefix("0x")
        driver = context.files.link_target(f"{folder}/driver")
        found.append(PciDevice(address, f"10de:{device}", pci_class, driver.rsplit("/", 1)[-1] if driver else None))
    return tuple(found)
