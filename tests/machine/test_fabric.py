"""The Fabric Manager by files: its version, and whether it runs."""

from pathlib import Path

import pytest

from cudafit.files import Files
from cudafit.machine.context import Context
from cudafit.machine.fabric import DPKG, LOG, read_fabric_manager
from cudafit.model.machine import FabricManager
from tests.machine.trees import Tree, image, plant, problems

INSTALLED = "Package: nvidia-fabricmanager-580\nStatus: install ok installed\nVersion: 580.126.09-1\n\n"


def live(root: Path, tree: Tree) -> Context:
    return Context("linux", Files(str(plant(root, tree))), {})


@pytest.mark.parametrize(
    ("tree", "version", "via"),
    [
        ({DPKG: f"Package: bash\nVersion: 5.1\n\n{INSTALLED}"}, "580.126.09", DPKG),
        ({DPKG: INSTALLED.replace("install ok installed", "deinstall ok config-files")}, None, None),
        ({DPKG: INSTALLED.replace("Package: nvidia-fabricmanager", "Package: nvidia-fabricmanager-dev")}, None, None),
        (
            {DPKG: INSTALLED.replace("580.126.09", "535.1.1") + "Description: x (transitional package)\n" + INSTALLED},
            "535.1.1",
            DPKG,
        ),
        (
            {LOG: "[INFO] Fabric Manager version 535.54.03 is running\n[INFO] Fabric Manager version 550.54.15 is r\n"},
            "550.54.15",
            LOG,
        ),
        ({}, None, None),
    ],
)
def test_version(tree: Tree, version: str | None, via: str | None, tmp_path: Path) -> None:
    context = image(tmp_path, tree)
    assert read_fabric_manager(context) == FabricManager(version, None, via)
    assert problems(context) == []


def test_a_transitional_package_has_no_program(tmp_path: Path) -> None:
    old = "Package: nvidia-fabricmanager-535\nStatus: install ok installed\nVersion: 535.261.03-0ubuntu2\n"
    text = f"{old}Description: Fabric Manager (transitional package)\n\n{INSTALLED}"
    assert read_fabric_manager(image(tmp_path, {DPKG: text})).version == "580.126.09"


@pytest.mark.parametrize(
    ("tree", "running"),
    [
        ({"/proc/1/comm": "systemd\n", "/proc/77/comm": "nv-fabricmanage\n"}, True),
        ({"/proc/1/comm": "systemd\n", "/proc/77/comm": "nv-hostengine\n"}, False),
        ({"/proc/77/comm": "python\n"}, None),
    ],
)
def test_running(tree: Tree, running: bool | None, tmp_path: Path) -> None:
    assert read_fabric_manager(live(tmp_path, tree)).running is running


def test_a_disk_has_no_processes(tmp_path: Path) -> None:
    assert read_fabric_manager(image(tmp_path, {"/proc/1/comm": "systemd\n"})).running is None
