"""Machines to test with: each a description (`NAME.toml`) and the snapshot that inspect takes of it (`NAME.json`).

A description holds the files that the probes would find and a spec for the test NVML. `make machines` takes the
snapshots anew: through the real probes and a real libnvidia-ml.so.1, below a root made for it.
The GPUs' names, PCI ids, cores and memory are those of the cards; UUIDs and addresses are made up.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from cudafit.files import Files
from cudafit.machine.context import Context
from cudafit.machine.question import Answer, Question
from cudafit.machine.saved import plain
from cudafit.machine.snapshot import take
from cudafit.model.machine import DeviceNode
from cudafit.model.record import from_plain
from cudafit.render.json_text import json_text
from tests import fake_nvml
from tests.older import tomllib

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml") if path.stem != "bases")

# What a child says on a machine without the library.
NO_LIBRARY = '{"key": "init", "gpu": null, "part": null, "code": 12, "text": "libnvidia-ml.so.1 was not found"}'

# e_machine of the two processors, in an ELF header that says no more.
ELF_MACHINE = {"x86_64": b"\x3e\0", "aarch64": b"\xb7\0"}


class NotInstalled(Question):
    """NVML where there is none, whatever the machine that the tests run on has."""

    def __init__(self) -> None:
        pass

    def answer(self) -> Answer:
        return Answer((NO_LIBRARY,))


def snapshot_text(name: str, folder: Path) -> str:
    """The snapshot that inspect takes of a described machine, built below `folder`."""
    described = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    bases = tomllib.loads((FOLDER / "bases.toml").read_text(encoding="utf-8"))
    base = bases[described["base"]]
    root = folder / "root"
    root.mkdir()
    links = {**base.get("links", {}), **described.get("links", {})}
    plant(root, {**base["files"], **described.get("files", {})}, links)
    program = root / "bin" / "sh"
    program.parent.mkdir(exist_ok=True)
    program.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(11) + ELF_MACHINE[base["arch"]])
    for card in described.get("pci", []):
        plant_card(root, card)
    environ = described.get("environ", {})
    context = Context("linux", Files(str(root)), environ, live=True)
    question: Question = NotInstalled()
    if "nvml" in described:
        question = Question(fake_nvml.environment(described["nvml"], folder, {**os.environ, **environ}), silence_s=20)
    machine = take(context, question)
    nodes = tuple(from_plain(DeviceNode, node) for node in described.get("device_nodes", []))
    value = plain(replace(machine, device_nodes=nodes, root="/"))
    text = json_text(value).replace(str(folder / "lib"), described.get("libraries", "/usr/lib/x86_64-linux-gnu"))
    assert str(folder) not in text, "a path of the machine that the tests run on got into the snapshot"
    return text


def plant(root: Path, files: dict[str, str], links: dict[str, str]) -> None:
    for path, text in files.items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    for path, target in links.items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)


def plant_card(root: Path, card: dict[str, Any]) -> None:
    """A card on the PCI bus, as /sys shows it."""
    folder = f"/sys/bus/pci/devices/{card['address']}"
    ids = {"vendor": "0x10de", "device": f"0x{card['device']}", "class": card.get("class", "0x030000")}
    links = {f"{folder}/driver": f"../../../../bus/pci/drivers/{card['driver']}"} if "driver" in card else {}
    plant(root, {f"{folder}/{name}": f"{value}\n" for name, value in ids.items()}, links)
