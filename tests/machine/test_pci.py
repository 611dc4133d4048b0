"""NVIDIA cards on the bus."""

from pathlib import Path

import pytest

from cudafit.machine.pci import DEVICES, is_switch, read_pci, with_errors
from cudafit.model.machine import PciDevice, PcieErrors
from tests.machine.trees import Link, Tree, image, problems


def card(address: str, device: str, driver: str | None, pci_class: str = "0x030000", vendor: str = "0x10de") -> Tree:
    folder = f"{DEVICES}/{address}"
    files: dict[str, str | bytes | Link] = {
        f"{folder}/vendor": f"{vendor}\n",
        f"{folder}/device": f"0x{device}\n",
        f"{folder}/class": f"{pci_class}\n",
    }
    if driver:
        files[f"{folder}/driver"] = Link(f"../../../bus/pci/drivers/{driver}")
    return dict(files)


def test_cards_with_whoever_drives_them(tmp_path: Path) -> None:
    tree = {
        **card("0000:01:00.0", "2684", "nvidia"),
        **card("0000:02:00.0", "1b06", "nouveau"),
        **card("0000:03:00.0", "2204", "vfio-pci"),
        **card("0000:04:00.0", "20b0", None, "0x030200"),
    }
    assert read_pci(image(tmp_path, tree)) == (
        PciDevice("0000:01:00.0", "10de:2684", "0x030000", "nvidia"),
        PciDevice("0000:02:00.0", "10de:1b06", "0x030000", "nouveau"),
        PciDevice("0000:03:00.0", "10de:2204", "0x030000", "vfio-pci"),
        PciDevice("0000:04:00.0", "10de:20b0", "0x030200", None),
    )


def test_sound_parts_and_other_vendors_are_no_nvidia_gpus(tmp_path: Path) -> None:
    tree = {
        **card("0000:01:00.1", "22ba", "snd_hda_intel", "0x040300"),
        **card("0000:05:00.0", "744c", "amdgpu", vendor="0x1002"),
    }
    assert read_pci(image(tmp_path, tree)) == ()


def test_nvswitches_come_after_the_cards(tmp_path: Path) -> None:
    tree = {
        **card("0000:05:00.0", "22a3", "nvidia-nvswitch", "0x068000"),
        **card("0000:19:00.0", "2330", "nvidia", "0x030200"),
        **card("0000:00:08.0", "0373", "forcedeth", "0x068000"),  # the network of an old nForce board
    }
    found = read_pci(image(tmp_path, tree))
    assert [(device.device_id, is_switch(device.pci_class)) for device in found] == [
        ("10de:2330", False),
        ("10de:22a3", True),
    ]


COR = "RxErr 4\nBadTLP 0\nTOTAL_ERR_COR 12\n"
NONFATAL = "Undefined 0\nUnsupReq 2\nTOTAL_ERR_NONFATAL 3\n"
FATAL = "DLP 0\nTOTAL_ERR_FATAL 1\n"


@pytest.mark.parametrize(
    ("texts", "errors"),
    [
        ((COR, NONFATAL, FATAL), PcieErrors(12, 3, 1, 2)),
        (("TOTAL_ERR_COR 7\n", "", "garbage\n"), PcieErrors(7, None, None, None)),
        ((), None),
    ],
)
def test_errors_of_the_link(texts: tuple[str, ...], errors: PcieErrors | None, tmp_path: Path) -> None:
    tree = {**card("0000:01:00.0", "2684", "nvidia")}
    for kind, text in zip(("correctable", "nonfatal", "fatal"), texts, strict=False):
        tree[f"{DEVICES}/0000:01:00.0/aer_dev_{kind}"] = text
    context = image(tmp_path, tree)
    (device,) = with_errors(context, read_pci(context))
    assert device.errors == errors
    assert problems(context) == []


def test_no_bus_is_no_problem(tmp_path: Path) -> None:
    context = image(tmp_path, {})
    assert read_pci(context) == ()
    assert problems(context) == []
