"""What CUDA enumerates under CUDA_VISIBLE_DEVICES, by its own rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cudafit.model.machine import Clocks, Gpu, MigDevice, VisibleDevices
from cudafit.model.visible_devices import ORDER_VARIABLE, VARIABLE, visible_devices

UUIDS = (
    "GPU-0a1b2c3d-1111-2222-3333-444455556666",
    "GPU-0a1bffff-1111-2222-3333-444455556666",
    "GPU-5a1b2c3d-1111-2222-3333-444455556666",
)
SLICE = "MIG-8a1b2c3d-1111-5222-8333-444455556666"
SECOND_SLICE = "MIG-9a1b2c3d-1111-5222-8333-444455556666"


def gpu(
    index: int,
    name: str = "NVIDIA GeForce RTX 4090",
    capability: str | None = "8.9",
    *,
    cores: int | None = None,
    mhz: int | None = None,
    mig_devices: tuple[MigDevice, ...] | None = None,
) -> Gpu:
    return Gpu(
        index,
        name,
        UUIDS[index],
        capability,
        24564,
        mig=mig_devices is not None,
        compute_mode="default",
        visible=True,
        cores=cores,
        clocks=Clocks(sm_max=mhz) if mhz else None,
        mig_devices=mig_devices or (),
    )


ALIKE = (gpu(0), gpu(1), gpu(2))
GTX_1080_TI = gpu(0, "NVIDIA GeForce GTX 1080 Ti", "6.1", cores=3584, mhz=1911)
RTX_3090 = gpu(1, "NVIDIA GeForce RTX 3090", "8.6", cores=10496, mhz=2100)
SLICES = (
    MigDevice(SLICE, gpu_instance=1, compute_instance=0),
    MigDevice(SECOND_SLICE, gpu_instance=2, compute_instance=0),
)
IN_MIG = gpu(0, "NVIDIA A100-SXM4-40GB", "8.0", mig_devices=SLICES)


def seen(gpus: tuple[Gpu, ...], value: str | None, order: str | None = None) -> VisibleDevices:
    environment = {VARIABLE: value, ORDER_VARIABLE: order}
    return visible_devices(gpus, {name: text for name, text in environment.items() if text is not None})


@pytest.mark.parametrize(
    ("value", "order"),
    [
        pytest.param(None, (0, 1, 2), id="unset"),
        pytest.param("", (), id="empty"),
        pytest.param(" ", (), id="a space"),
        pytest.param("-1", (), id="-1"),
        pytest.param("NoDevFiles", (), id="a word"),
        pytest.param("1,0", (1, 0), id="its own order"),
        pytest.param("2", (2,), id="one"),
        pytest.param(" 1 , 0 ", (1, 0), id="spaces"),
        pytest.param("5", (), id="no such GPU"),
        pytest.param("0,5,1", (0,), id="cut at no such GPU"),
        pytest.param("0,banana,1", (0,), id="cut at a word"),
        pytest.param("0,-1,1", (0,), id="cut at -1"),
        pytest.param("0,,1", (0,), id="cut at nothing"),
        pytest.param("0,1,", (0, 1), id="ends with a comma"),
        pytest.param(",0", (), id="begins with a comma"),
        pytest.param("1gpu", (1,), id="text after a number"),
        pytest.param("+1", (1,), id="a sign"),
        pytest.param("01", (1,), id="a zero before it"),
        pytest.param("0,0", (), id="repeated"),
        pytest.param("0,1,0", (), id="repeated later"),
        pytest.param("0,5,0", (0,), id="repeated after the cut"),
        pytest.param(UUIDS[2], (2,), id="UUID"),
        pytest.param("GPU-5a1b", (2,), id="prefix of a UUID"),
        pytest.param("GPU-0a1b2", (0,), id="prefix just long enough"),
        pytest.param("GPU-0a1b", (), id="prefix of two"),
        pytest.param("GPU-", (), id="prefix of all"),
        pytest.param("GPU-5A1B2C3D", (2,), id="upper case"),
        pytest.param("gpu-5a1b2c3d", (), id="lower-case GPU-"),
        pytest.param(f"{UUIDS[2]}x", (), id="more than a UUID"),
        pytest.param(f"{UUIDS[2]},{UUIDS[0]}", (2, 0), id="UUIDs in their own order"),
        pytest.param(f"{UUIDS[2]},1", (2,), id="cut at an index among UUIDs"),
        pytest.param(f"{UUIDS[2]},GPU-7777,{UUIDS[0]}", (2,), id="cut at an unknown UUID"),
        pytest.param(f"{UUIDS[2]},GPU-5a1b", (), id="one GPU by two names"),
        pytest.param(f"1,{UUIDS[2]}", (1,), id="cut at a UUID among indices"),
        pytest.param(SLICE, (), id="a MIG device that is not here"),
    ],
)
def test_alike_gpus(value: str | None, order: tuple[int, ...]) -> None:
    found = seen(ALIKE, value)
    assert (found.variable, found.order, found.certain) == (value, order, True)


@pytest.mark.parametrize(
    ("value", "note"),
    [
        (None, None),
        ("1,0", None),
        ("", "CUDA_VISIBLE_DEVICES is set and empty: every GPU is hidden"),
        ("0,banana,1", "`banana` is not the number of a GPU here: CUDA ignores it and all that follows"),
        ("GPU-0a1b", "`GPU-0a1b` names no GPU here, or more than one: CUDA ignores it and all that follows"),
        ("0,0", "`0` is repeated: CUDA then shows no GPU at all"),
    ],
)
def test_what_was_cut_off_is_told(value: str | None, note: str | None) -> None:
    assert seen(ALIKE, value).note == note


@pytest.mark.parametrize(
    ("value", "order", "expected"),
    [
        pytest.param("0", None, (1,), id="0 is the faster one"),
        pytest.param("1", None, (0,), id="1 is the other"),
        pytest.param(None, None, (1, 0), id="the faster one first"),
        pytest.param("0", "FASTEST_FIRST", (1,), id="said so"),
        pytest.param("0", "PCI_BUS_ID", (0,), id="by the bus"),
        pytest.param(None, "PCI_BUS_ID", (0, 1), id="all by the bus"),
        pytest.param("GPU-0a1b2", None, (0,), id="a UUID is no position"),
    ],
)
def test_unlike_gpus_are_numbered_fastest_first(
    value: str | None, order: str | None, expected: tuple[int, ...]
) -> None:
    found = seen((GTX_1080_TI, RTX_3090), value, order)
    assert (found.order, found.certain, found.note) == (expected, True, None)


UNKNOWN_SPEED = (
    gpu(0, "NVIDIA GeForce GTX 1080 Ti", "6.1"),
    gpu(1, "NVIDIA GeForce RTX 3090", "8.6", cores=10496),
)


def test_cards_whose_speed_is_not_known_have_no_certain_number() -> None:
    first = seen(UNKNOWN_SPEED, "0")
    assert first.certain is False
    assert first.note is not None
    assert "which these are is certain only with CUDA_DEVICE_ORDER=PCI_BUS_ID" in first.note
    both = seen(UNKNOWN_SPEED, "1,0")
    assert (sorted(map(str, both.order)), both.certain) == (["0", "1"], False)
    assert both.note is not None
    assert "which comes first is certain only with" in both.note


@pytest.mark.parametrize(("value", "order"), [("0", "PCI_BUS_ID"), ("GPU-0a1b2", None), ("", None), ("-1", None)])
def test_what_needs_no_number_is_certain_all_the_same(value: str, order: str | None) -> None:
    assert seen(UNKNOWN_SPEED, value, order).certain is True


def test_a_newer_but_slower_card_leaves_the_order_open() -> None:
    big_and_old = gpu(0, "NVIDIA TITAN RTX", "7.5", cores=4608, mhz=2100)
    small_and_new = gpu(1, "NVIDIA GeForce RTX 3050", "8.6", cores=2560, mhz=1800)
    assert seen((big_and_old, small_and_new), "0").certain is False


def test_only_the_fastest_of_three_kinds_is_certain() -> None:
    slow = gpu(2, "NVIDIA T400", "7.5")
    third = (GTX_1080_TI, RTX_3090, gpu(2, "NVIDIA GeForce GTX 1060", "6.1", cores=1280, mhz=1708))
    assert (seen(third, "0").order, seen(third, "0").certain) == ((1,), True)
    assert seen(third, "1").certain is False
    assert seen((GTX_1080_TI, RTX_3090, slow), "0").certain is False


@pytest.mark.parametrize(
    ("value", "order"),
    [
        pytest.param(SLICE, (SLICE,), id="UUID"),
        pytest.param("MIG-9a1b", (SECOND_SLICE,), id="prefix"),
        pytest.param(SLICE.upper(), (SLICE,), id="upper case"),
        pytest.param(f"MIG-{UUIDS[0]}/2/0", (SECOND_SLICE,), id="older form"),
        pytest.param(f"MIG-{UUIDS[0]}/7/0", (), id="older form, no such instance"),
        pytest.param(f"MIG-{UUIDS[0]}", (), id="older form cut short"),
        pytest.param("MIG-", (), id="prefix of both"),
        pytest.param("MIG-7777", (), id="unknown"),
    ],
)
def test_a_mig_device_by_its_name(value: str, order: tuple[str, ...]) -> None:
    found = seen((IN_MIG, gpu(1)), value)
    assert (found.order, found.certain) == (order, True)


@pytest.mark.parametrize("value", [None, "0", f"{SLICE},{SECOND_SLICE}", UUIDS[0]])
def test_of_mig_devices_the_first_is_used_and_no_more_is_certain(value: str | None) -> None:
    found = seen((IN_MIG,), value)
    assert (found.order, found.certain) == ((SLICE,), False)
    assert found.note is not None
    assert "one compute instance" in found.note


def test_a_gpu_in_mig_mode_without_an_instance_is_no_cuda_device() -> None:
    empty = gpu(0, "NVIDIA A100-SXM4-40GB", "8.0", mig_devices=())
    found = seen((empty, gpu(1, "NVIDIA A100-SXM4-40GB", "8.0")), None)
    assert found.order == (1,)
    assert found.note == "a GPU in MIG mode without a compute instance cannot run CUDA programs"


def test_no_gpus() -> None:
    assert seen((), None) == VisibleDevices(None, ())
    assert seen((), "0").order == ()
    assert seen((), UUIDS[0]).order == ()


TOKENS = st.one_of(
    st.sampled_from(("0", "1", "2", "-1", "", " ", "MIG-", "GPU-", "GPU-0a1b", f"MIG-{UUIDS[0]}/1/0", SLICE, *UUIDS)),
    st.text(max_size=6),
)
MACHINES = st.sampled_from(((), ALIKE, (GTX_1080_TI, RTX_3090), UNKNOWN_SPEED, (IN_MIG,), (IN_MIG, gpu(1))))


@given(
    gpus=MACHINES,
    value=st.one_of(st.none(), st.text(), st.lists(TOKENS, max_size=5).map(",".join)),
    order=st.sampled_from((None, "PCI_BUS_ID", "FASTEST_FIRST", "nonsense")),
)
def test_whatever_the_variable_says_only_devices_that_exist_are_seen_and_each_once(
    gpus: tuple[Gpu, ...], value: str | None, order: str | None
) -> None:
    found = seen(gpus, value, order)
    there = {card.index for card in gpus} | {part.uuid for card in gpus for part in card.mig_devices}
    assert set(found.order) <= there
    assert len(set(found.order)) == len(found.order)
    assert found.variable == value


def test_a_number_longer_than_any_is_no_gpu() -> None:
    assert seen(ALIKE, "9" * 5000).order == ()
