"""A machine as the rules see it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cudafit.machine.saved import load
from cudafit.matrix.load import open_matrix
from cudafit.model.machine import Driver, Gpu, Machine, Override, VisibleDevices
from cudafit.resolve.host import GPU, NO_DRIVER, NO_GPU, UNDETERMINED, Host, host_of, hosts_of
from tests.machines import FOLDER

BOOK = open_matrix(environ={"HOME": str(Path.home())})
V100 = load(str(FOLDER / "v100-535.json"))


def host(machine: Machine, **changes: Any) -> Host:
    return host_of(replace(machine, **changes), "m", BOOK.facts)


def gpu(**changes: Any) -> Gpu:
    return replace(V100.gpus[0], **changes)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, GPU),
        ({"gpus": ()}, NO_GPU),
        ({"gpus": (gpu(visible=False),)}, NO_GPU),
        ({"driver": None}, NO_DRIVER),
        ({"driver": Driver(version=None, cuda=None, via="x")}, UNDETERMINED),
        ({"gpus": (gpu(compute_capability=None, name=None, pci_device_id=None),)}, UNDETERMINED),
        ({"gpus": (gpu(compute_capability=None, name="NVIDIA Frobnicator", pci_device_id=None),)}, UNDETERMINED),
        ({"gpus": (gpu(compute_capability=None, pci_device_id=None),)}, GPU),  # its name tells
        ({"gpus": (gpu(compute_capability=None, name=None, pci_device_id="10de:1db1"),)}, GPU),  # its PCI id tells
        ({"undetermined": "NVML: Unknown Error", "gpus": ()}, UNDETERMINED),  # unknown is not absent
        ({"undetermined": "NVML: Unknown Error"}, GPU),  # what was read otherwise is enough
        ({"overrides": (Override("CONDA_OVERRIDE_CUDA", "cuda", ""),)}, NO_GPU),
    ],
)
def test_state(changes: dict[str, Any], state: str) -> None:
    seen = host(V100, **changes)
    assert seen.kind.state == state
    assert (seen.why is None) == (state == GPU)


def test_a_hidden_card_does_not_count_and_is_remembered() -> None:
    seen = host(load(str(FOLDER / "mixed-1080ti-3090-580.json")))
    assert seen.kind.capabilities == ((8, 6),)
    assert [card.index for card in seen.cards] == [1]
    assert [card.label for card in seen.hidden] == ["NVIDIA GeForce GTX 1080 Ti, sm_61"]


def test_every_card_hidden_names_the_variable() -> None:
    seen = host(V100, gpus=(gpu(visible=False),), visible_devices=VisibleDevices("-1", ()))
    assert seen.why == "every GPU is hidden (CUDA_VISIBLE_DEVICES='-1')"


def test_cards_of_one_capability_count_once() -> None:
    assert host(load(str(FOLDER / "h100x8-580.json"))).kind.capabilities == ((9, 0),)


def test_overrides_replace_what_was_measured_and_are_told() -> None:
    seen = host(V100, overrides=(Override("UV_CUDA_DRIVER_VERSION", "driver", "580.65.06"),))
    assert (seen.kind.driver, seen.kind.cuda) == ("580.65.06", None)
    assert seen.notes == ("the driver is 580.65.06 by UV_CUDA_DRIVER_VERSION",)
    seen = host(V100, overrides=(Override("CONDA_OVERRIDE_CUDA", "cuda", "13.0"),))
    assert (seen.kind.driver, seen.kind.cuda) == (None, "13.0")


ARCH = "CONDA_OVERRIDE_CUDA_ARCH"


@pytest.mark.parametrize(
    ("changes", "told", "capabilities", "hidden"),
    [
        ({}, "8.6", ((8, 6),), False),
        ({}, "", ((7, 0),), True),  # conda's virtual package alone is hidden, not the card
        ({}, "sm_86", ((7, 0),), False),  # not as conda takes it
        ({"gpus": ()}, "8.6", ((8, 6),), False),  # where images are made, a driver can be told and no card is seen
        ({"gpus": (gpu(visible=False),)}, "8.6", (), False),
        ({"gpus": (), "driver": None}, "8.6", (), False),  # not without a driver (CEP 46)
        ({"gpus": (gpu(compute_capability=None, name=None, pci_device_id=None),)}, "8.6", ((8, 6),), False),
    ],
)
def test_the_capability_that_the_user_tells(
    changes: dict[str, Any], told: str, capabilities: tuple[tuple[int, int], ...], hidden: bool
) -> None:
    seen = host(V100, overrides=(Override(ARCH, "gpus.compute_capability", told),), **changes)
    assert seen.kind.capabilities == capabilities
    assert seen.kind.arch_hidden == hidden
    assert (seen.kind.state == GPU) == bool(capabilities)
    assert any(ARCH in note for note in seen.notes) == bool(capabilities)


def test_which_cards_are_for_data_centres() -> None:
    assert host(V100).kind.data_centre
    assert not host(load(str(FOLDER / "rtx4090-550.json"))).kind.data_centre
    assert not host(V100, gpus=(gpu(), gpu(name="NVIDIA GeForce RTX 4090"))).kind.data_centre


def test_machines_that_are_one_object_are_viewed_once() -> None:
    asked: list[str] = []

    def facts(*lists: str) -> Any:
        asked.append(lists[0])
        return BOOK.facts(*lists)

    unnamed = replace(V100, gpus=(gpu(compute_capability=None, pci_device_id=None),))
    found = hosts_of([("a", unnamed), ("b", unnamed)], facts)
    assert [one.label for one in found] == ["a", "b"]
    assert found[0].kind is found[1].kind
    assert len(asked) == 1
