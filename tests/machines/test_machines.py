"""Every described machine gives exactly its committed snapshot, and what each is there to show."""

import json
from pathlib import Path

import pytest

from cudafit.machine.saved import load, plain
from cudafit.model.machine import Machine
from cudafit.render.json_text import json_text
from tests import fake_nvml
from tests.machines import FOLDER, NAMES, snapshot_text
from tests.schemas import validate


def machine(name: str) -> Machine:
    return load(str(FOLDER / f"{name}.json"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.skipif(fake_nvml.compiler() is None, reason="the test NVML needs a C compiler (cc or gcc)")
def test_snapshot_is_what_the_probes_read(name: str, tmp_path: Path) -> None:
    assert snapshot_text(name, tmp_path) == (FOLDER / f"{name}.json").read_text(encoding="utf-8"), "run `make machines`"


@pytest.mark.parametrize("name", NAMES)
def test_snapshot_satisfies_the_schema_and_reads_back_the_same(name: str) -> None:
    path = FOLDER / f"{name}.json"
    text = path.read_text(encoding="utf-8")
    validate(json.loads(text), "machine-1")
    assert json_text(plain(load(str(path)))) == text


# name: driver, CUDA, [(capability, visible)], why it is not determined
SHOWN = {
    "rtx4090-550": ("550.54.15", "12.4", [("8.9", True)], False),
    "gtx1080ti-535": ("535.183.01", "12.2", [("6.1", True)], False),
    "v100-535": ("535.183.01", "12.2", [("7.0", True)], False),
    "a100-mig-550": ("550.54.15", "12.4", [("8.0", True)], False),
    "h100x8-580": ("580.65.06", "13.0", [("9.0", True)] * 8, False),
    "h200-580": ("580.95.05", "13.0", [("9.0", True)], False),
    "rtx5090-570": ("570.124.06", "12.8", [("12.0", True)], False),
    "mixed-1080ti-3090-580": ("580.65.06", "13.0", [("6.1", False), ("8.6", True)], False),
    "gb10-580": ("580.95.05", "13.0", [("12.1", True)], False),
    "wsl2-560": ("560.94", "12.6", [("8.9", True)], False),
    "a100x4-slurm-550": ("550.54.15", "12.4", [("8.0", True)], False),
    "a100x8-535": ("535.183.01", "12.2", [("8.0", True)] * 8, False),
    "b200x2-575": ("575.64.03", "12.9", [("10.0", True)] * 2, False),
    "gh200-560": ("560.35.03", "12.6", [("9.0", True)], False),
    "l4-podman-570": ("570.133.20", "12.8", [("8.9", True)], False),
    "rtx2080ti-470-centos7": ("470.256.02", "11.4", [("7.5", True)] * 2, False),
    "rtx3090x2-535-debian": ("535.183.01", "12.2", [("8.6", True)] * 2, False),
    "rtx4060-laptop-575": ("575.64.03", "12.9", [("8.9", True)], False),
    "rtx4080-580-arch": ("580.95.05", "13.0", [("8.9", True)], False),
    "rtx6000ada-570-fedora": ("570.133.20", "12.8", [("8.9", True)], False),
    "rtxpro6000-580": ("580.95.05", "13.0", [("12.0", True)], False),
    "t4-kubernetes-535": ("535.183.01", "12.2", [("7.5", True)], False),
    "v100-mps-535": ("535.183.01", "12.2", [("7.0", True)], False),
    "wsl2-docker-566": ("566.36", "12.7", [("8.6", True)], False),
    "container-no-gpu": ("550.54.15", None, [(None, True)], True),
    "no-gpu": (None, None, [], False),
    "library-mismatch": ("550.54.15", None, [(None, True)], True),
    "nouveau": (None, None, [(None, True)], False),
}


@pytest.mark.parametrize("name", SHOWN)
def test_snapshot_shows_its_machine(name: str) -> None:
    version, cuda, gpus, undetermined = SHOWN[name]
    shown = machine(name)
    assert (shown.driver.version if shown.driver else None) == version
    assert (shown.driver.cuda if shown.driver else None) == cuda
    assert [(gpu.compute_capability, gpu.visible) for gpu in shown.gpus] == gpus
    assert bool(shown.undetermined) == undetermined


def test_every_machine_is_shown() -> None:
    assert set(NAMES) == set(SHOWN)


def test_mismatch_keeps_both_versions() -> None:
    driver = machine("library-mismatch").driver
    assert driver is not None
    assert (driver.kernel, driver.library) == ("550.54.15", "550.90.07")


def test_nouveau_card_is_named_by_its_pci_id() -> None:
    (gpu,) = machine("nouveau").gpus
    assert (gpu.bound_driver, gpu.pci_device_id, gpu.via) == ("nouveau", "10de:1b06", "pci")


def test_a_machine_shows_what_decides_whether_cuda_starts() -> None:
    switched, job, container = machine("a100x8-535"), machine("a100x4-slurm-550"), machine("l4-podman-570")
    assert (len(switched.nvswitches or ()), switched.fabric_manager and switched.fabric_manager.running) == (6, True)
    assert [node.access for node in job.device_nodes or ()] == [False, False, True, False, True, True]
    assert (container.os.container, container.environment["NVIDIA_VISIBLE_DEVICES"]) == ("podman", "void")
    assert "PM: suspend exit" in (machine("rtx4060-laptop-575").kernel_log or ())


def test_shared_memory_is_unread_and_no_problem() -> None:
    shown = machine("gb10-580")
    assert shown.gpus[0].memory_mib is None
    assert "memory_mib" in shown.gpus[0].unread
    assert shown.problems == ()
