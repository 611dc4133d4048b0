"""Records and plain JSON values: what goes out comes back, and what is wrong is told with its place."""

import copy
import json
import math
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cudafit.model.machine import Clocks, Gpu, Limits, Machine, OperatingSystem, VisibleDevices
from cudafit.model.record import RecordError, from_plain, to_plain


def records(kind: Any) -> st.SearchStrategy[Any]:
    """Any value that a field of this type may hold."""
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*map(records, typing.get_args(kind)))
    if origin is tuple:
        return st.lists(records(typing.get_args(kind)[0]), max_size=2).map(tuple)
    if origin is not None and issubclass(origin, Mapping):
        return st.dictionaries(st.text(max_size=5), records(typing.get_args(kind)[1]), max_size=2)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        parts = {}
        for part in fields(kind):
            pattern = part.metadata.get("pattern")
            text = st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True) if pattern else None
            parts[part.name] = st.one_of(st.none(), text) if text is not None else records(hints[part.name])
        return st.builds(kind, **parts)
    scalars = {
        str: st.text(max_size=5),
        int: st.integers(-(2**40), 2**40),
        float: st.floats(allow_nan=False, allow_infinity=False),
        bool: st.booleans(),
        types.NoneType: st.none(),
    }
    return scalars[kind]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(machine=records(Machine))
def test_every_machine_comes_back_from_json_as_it_was(machine: Machine) -> None:
    assert from_plain(Machine, json.loads(json.dumps(to_plain(machine)))) == machine


def test_keys_stand_in_the_order_of_the_fields() -> None:
    assert list(to_plain(Clocks(1, 2, 3, 4)).items()) == [
        ("sm", 1),
        ("sm_max", 2),
        ("memory", 3),
        ("memory_max", 4),
    ]


SMALLEST: dict[str, Any] = {
    "os": {
        "system": "linux",
        "arch": "x86_64",
        "libc": None,
        "distro": None,
        "wsl": False,
        "container": None,
    },
    "driver": {"version": "550.54.15", "cuda": "12.4", "via": "nvml"},
    "gpus": [
        {
            "index": 0,
            "name": "NVIDIA GeForce RTX 4090",
            "uuid": None,
            "compute_capability": "8.9",
            "memory_mib": 24564,
            "mig": False,
            "compute_mode": "default",
            "visible": True,
        }
    ],
    "problems": [],
}


def changed(place: str, value: object) -> dict[str, Any]:
    """The smallest machine with one value set: `gpus.0.name`; `...` removes the key."""
    machine = copy.deepcopy(SMALLEST)
    *way, last = place.split(".")
    inner: Any = machine
    for step in way:
        inner = inner[int(step)] if step.isdigit() else inner[step]
    if value is ...:
        del inner[last]
    else:
        inner[int(last) if last.isdigit() else last] = value
    return machine


def test_the_keys_without_a_default_are_enough() -> None:
    machine = from_plain(Machine, SMALLEST)
    assert machine.os == OperatingSystem("linux", "x86_64", None, None, wsl=False, container=None)
    assert machine.gpus[0].compute_capability == "8.9"
    assert (machine.root, machine.live, machine.visible_devices, machine.environment) == ("/", True, None, {})


def test_keys_from_a_newer_cudafit_are_passed_over() -> None:
    machine = changed("gpus.0.quantum", {"deep": [1]})
    machine["tomorrow"] = 1
    assert from_plain(Machine, machine) == from_plain(Machine, SMALLEST)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("os", ..., "at `os`: expected an object, found no such key"),
        ("driver", ..., "at `driver`: expected an object or null, found no such key"),
        ("gpus", ..., "at `gpus`: expected a list, found no such key"),
        ("os.wsl", ..., "at `os.wsl`: expected true or false, found no such key"),
        ("gpus.0.memory_mib", ..., "at `gpus[0].memory_mib`: expected a whole number or null, found no such key"),
        ("os", None, "at `os`: expected an object, found null"),
        ("os", [], "at `os`: expected an object, found a list"),
        ("os.system", 1, "at `os.system`: expected a text, found 1"),
        ("os.system", None, "at `os.system`: expected a text, found null"),
        ("os.wsl", 0, "at `os.wsl`: expected true or false, found 0"),
        ("gpus", {}, "at `gpus`: expected a list, found an object"),
        ("gpus", "none", 'at `gpus`: expected a list, found "none"'),
        ("gpus.0", 7, "at `gpus[0]`: expected an object, found 7"),
        ("gpus.0.index", True, "at `gpus[0].index`: expected a whole number, found true"),
        ("gpus.0.index", 0.5, "at `gpus[0].index`: expected a whole number, found 0.5"),
        ("gpus.0.index", "0", 'at `gpus[0].index`: expected a whole number, found "0"'),
        ("gpus.0.name", {}, "at `gpus[0].name`: expected a text, found an object"),
        ("gpus.0.power_w", "1", 'at `gpus[0].power_w`: expected a number, found "1"'),
        ("gpus.0.power_w", False, "at `gpus[0].power_w`: expected a number, found false"),
        ("gpus.0.clocks", {"sm": "fast"}, 'at `gpus[0].clocks.sm`: expected a whole number, found "fast"'),
        ("gpus.0.throttle_reasons", ["a", 1], "at `gpus[0].throttle_reasons[1]`: expected a text, found 1"),
        ("gpus.0.unread", [], "at `gpus[0].unread`: expected an object, found a list"),
        ("gpus.0.unread", {"name": 3}, "at `gpus[0].unread.name`: expected a text, found 3"),
        ("environment", {"A": None}, "at `environment.A`: expected a text, found null"),
        ("os.system", ["x" * 50], "at `os.system`: expected a text, found a list"),
        ("os.wsl", "x" * 50, f'at `os.wsl`: expected true or false, found "{"x" * 40}"…'),
        (
            "visible_devices",
            {"variable": None, "order": [0, None]},
            "at `visible_devices.order[1]`: expected a whole number or a text, found null",
        ),
        (
            "visible_devices",
            {"variable": None, "order": [True]},
            "at `visible_devices.order[0]`: expected a whole number or a text, found true",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(place: str, value: object, said: str) -> None:
    with pytest.raises(RecordError) as caught:
        from_plain(Machine, changed(place, value))
    assert str(caught.value) == said


@pytest.mark.parametrize("value", [[], "text", 1, None, True])
def test_what_is_no_object_at_all(value: object) -> None:
    with pytest.raises(RecordError, match=r"^expected an object$"):
        from_plain(Machine, value)


@pytest.mark.parametrize(
    ("place", "value", "example"),
    [
        ("driver.version", "550", "550.54.15"),
        ("driver.version", "N/A", "550.54.15"),
        ("driver.version", "550.54.15\n", "550.54.15"),
        ("driver.version", "", "550.54.15"),
        ("driver.cuda", "12", "12.4"),
        ("driver.cuda", "12.4.1", "12.4"),
        ("gpus.0.compute_capability", "sm_89", "8.9"),
        ("gpus.0.compute_capability", "8.9a", "8.9"),
    ],
)
def test_a_version_has_the_form_of_one(place: str, value: str, example: str) -> None:
    with pytest.raises(RecordError) as caught:
        from_plain(Machine, changed(place, value))
    assert caught.value.expected == f"a version such as `{example}`"
    assert caught.value.found == f'"{value}"'


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("driver", None),
        ("driver.version", None),
        ("driver.version", "555.58"),
        ("driver.cuda", None),
        ("driver.cuda", "13.10"),
        ("gpus.0.compute_capability", "12.1"),
        ("gpus.0.name", None),
        ("gpus", []),
    ],
)
def test_what_is_right_is_kept(place: str, value: object) -> None:
    given_machine = changed(place, value)
    kept = to_plain(from_plain(Machine, given_machine))
    for step in place.split("."):
        kept = kept[int(step)] if step.isdigit() else kept[step]
    assert kept == value


def test_a_whole_number_will_do_for_a_number() -> None:
    assert from_plain(Limits, {"cpus": 4}) == Limits(cpus=4.0)


def test_devices_are_numbers_or_texts() -> None:
    plain = {"variable": None, "order": [1, "MIG-5555", 0]}
    assert from_plain(VisibleDevices, plain) == VisibleDevices(None, (1, "MIG-5555", 0))


@dataclass(frozen=True)
class Choice:
    """A field that may hold either of two records."""

    one: Clocks | Limits | str


def test_of_several_kinds_the_first_that_fits_is_taken() -> None:
    assert from_plain(Choice, {"one": {"sm": 1}}) == Choice(Clocks(sm=1))
    assert from_plain(Choice, {"one": "text"}) == Choice("text")
    with pytest.raises(RecordError) as caught:
        from_plain(Choice, {"one": 3})
    assert str(caught.value) == "at `one`: expected an object or an object or a text, found 3"


def test_a_record_says_nothing_that_json_cannot() -> None:
    gpu = from_plain(Gpu, SMALLEST["gpus"][0])
    plain = to_plain(gpu)
    assert json.loads(json.dumps(plain)) == plain
    assert plain["mig_devices"] == []
    assert plain["unread"] == {}


@pytest.mark.parametrize("value", [2**64, -(2**64), 10**4000])
def test_a_number_that_cannot_be_printed_is_refused(value: int) -> None:
    with pytest.raises(RecordError, match="at most 64 bits"):
        from_plain(Limits, {"memory_mib": value})
    with pytest.raises(RecordError, match="at most 64 bits"):
        from_plain(Limits, {"cpus": value})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(RecordError, match="expected a number"):
        from_plain(Limits, {"cpus": value})
