"""CUDA_VISIBLE_DEVICES as CUDA reads it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cudafit.model.machine import Clocks, Gpu, MigDevice
from cudafit.model.visible_devices import visible_devices

CARD = Gpu(0, "RTX 4090", "GPU-aa11", "8.9", 24564, mig=False, compute_mode="default", visible=True)
TWO = (CARD, replace(CARD, index=1, uuid="GPU-ab22"))
OLD = replace(CARD, name="GTX 1080 Ti", compute_capability="6.1", cores=3584, clocks=Clocks(sm_max=1911))
NEW = replace(
    CARD, index=1, name="RTX 3090", uuid="GPU-bb", compute_capability="8.6", cores=10496, clocks=Clocks(sm_max=2100)
)
MIXED = (OLD, NEW)
SLICES = (
    MigDevice("MIG-11", gpu_instance=1, compute_instance=0),
    MigDevice("MIG-22", gpu_instance=2, compute_instance=0),
)
MIG = (replace(CARD, mig=True, mig_devices=SLICES), replace(CARD, index=1, uuid="GPU-ab22"))


@pytest.mark.parametrize(
    ("value", "order"),
    [
        ("0,1", (0, 1)),
        ("1,0", (1, 0)),
        ("1", (1,)),
        ("", ()),
        (" ", ()),
        ("-1", ()),
        ("5", ()),
        ("0,banana,1", (0,)),
        ("0,-1,1", (0,)),
        ("0,5,1", (0,)),
        (" 1 , 0 ", (1, 0)),
        ("1gpu,0x", (1, 0)),
        ("+1", (1,)),
        ("0,0", ()),
        ("1,0,1", ()),
        ("GPU-aa11", (0,)),
        ("GPU-ab", (1,)),
        ("GPU-a", ()),
        ("GPU-AB22", (1,)),
        ("GPU-ab22,GPU-aa11", (1, 0)),
        ("GPU-ab22,0", (1,)),
        ("GPU-none,GPU-aa11", ()),
        ("0,GPU-ab22", (0,)),
        ("banana", ()),
        (",0", ()),
    ],
)
def test_two_equal_gpus(value: str, order: tuple[int, ...]) -> None:
    seen = visible_devices(TWO, {"CUDA_VISIBLE_DEVICES": value})
    assert (seen.order, seen.certain) == (order, True)
    assert bool(seen.note) == (len(order) < len([part for part in value.split(",") if part]) or not value.strip())


def test_unset_shows_all() -> None:
    seen = visible_devices(TWO, {})
    assert (seen.variable, seen.order, seen.note) == (None, (0, 1), None)


@pytest.mark.parametrize(
    ("value", "device_order", "order", "certain"),
    [
        ("0", None, (1,), True),
        ("1", None, (0,), True),
        ("0", "FASTEST_FIRST", (1,), True),
        ("0", "PCI_BUS_ID", (0,), True),
        ("0,1", None, (1, 0), True),
        ("GPU-bb", None, (1,), True),
    ],
)
def test_unlike_gpus_are_numbered_fastest_first(
    value: str, device_order: str | None, order: tuple[int, ...], certain: bool
) -> None:
    environ = {"CUDA_VISIBLE_DEVICES": value, **({"CUDA_DEVICE_ORDER": device_order} if device_order else {})}
    seen = visible_devices(MIXED, environ)
    assert (seen.order, seen.certain) == (order, certain)


def test_cards_whose_speed_is_not_known_are_not_certain() -> None:
    unknown = (replace(OLD, cores=None), NEW)
    seen = visible_devices(unknown, {"CUDA_VISIBLE_DEVICES": "0"})
    assert not seen.certain
    assert "CUDA_DEVICE_ORDER=PCI_BUS_ID" in (seen.note or "")


def test_only_the_first_place_is_certain_among_several_unlike_cards() -> None:
    third = replace(OLD, index=2, name="GTX 980", compute_capability="5.2", cores=2048)
    assert visible_devices((*MIXED, third), {"CUDA_VISIBLE_DEVICES": "0"}).certain
    assert not visible_devices((*MIXED, third), {"CUDA_VISIBLE_DEVICES": "0,1"}).certain


@pytest.mark.parametrize(
    ("value", "order", "certain"),
    [
        ("MIG-22", ("MIG-22",), True),
        ("MIG-1", ("MIG-11",), True),
        ("MIG-GPU-aa11/2/0", ("MIG-22",), True),
        ("MIG-GPU-aa11/9/0", (), True),
        ("MIG-11,MIG-22", ("MIG-11",), False),
        ("0", ("MIG-11",), False),
        ("1", (1,), True),
        (None, ("MIG-11",), False),
    ],
)
def test_mig(value: str | None, order: tuple[int | str, ...], certain: bool) -> None:
    seen = visible_devices(MIG, {} if value is None else {"CUDA_VISIBLE_DEVICES": value})
    assert (seen.order, seen.certain) == (order, certain)


def test_a_mig_gpu_without_slices_runs_nothing() -> None:
    seen = visible_devices((replace(CARD, mig=True), TWO[1]), {})
    assert seen.order == (1,)
    assert "without a compute instance" in (seen.note or "")


@given(st.text(st.sampled_from("0123-,GPUMIab /+x"), max_size=20))
def test_any_text_gives_existing_devices_once_each(value: str) -> None:
    for gpus in (TWO, MIXED, MIG, ()):
        order = visible_devices(gpus, {"CUDA_VISIBLE_DEVICES": value}).order
        there = {gpu.index for gpu in gpus} | {part.uuid for gpu in gpus for part in gpu.mig_devices}
        assert len(set(order)) == len(order)
        assert set(order) <= there
