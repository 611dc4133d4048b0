"""Records to JSON values and back."""

import json
from typing import Any

import pytest

from cudafit.model.machine import Machine
from cudafit.model.record import RecordError, from_plain, to_plain
from cudafit.model.versions import cuda_from_number, dotted_version, major_minor, natural_key, numbers
from tests.machines import FOLDER, NAMES


def value(name: str = "h100x8-580") -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_round_trip(name: str) -> None:
    machine = from_plain(Machine, value(name))
    assert from_plain(Machine, json.loads(json.dumps(to_plain(machine)))) == machine


@pytest.mark.parametrize(
    ("path", "wrong", "said"),
    [
        (("gpus",), {}, "at `gpus`: expected a list, found an object"),
        (("gpus", 3), 1, "at `gpus[3]`: expected an object, found 1"),
        (("gpus", 0, "index"), True, "at `gpus[0].index`: expected a whole number, found true"),
        (("gpus", 0, "memory_mib"), 1.5, "at `gpus[0].memory_mib`: expected a whole number, found 1.5"),
        (
            ("gpus", 0, "compute_capability"),
            "9",
            'at `gpus[0].compute_capability`: expected a version such as `8.9`, found "9"',
        ),
        (("gpus", 0, "clocks", "sm"), "fast", 'at `gpus[0].clocks.sm`: expected a whole number, found "fast"'),
        (("gpus", 0, "unread"), [], "at `gpus[0].unread`: expected an object, found a list"),
        (("gpus", 0, "throttle_reasons", 0), None, "at `gpus[0].throttle_reasons[0]`: expected a text, found null"),
        (
            ("visible_devices", "order", 0),
            1.5,
            "at `visible_devices.order[0]`: expected a whole number or a text, found 1.5",
        ),
        (("driver", "version"), "N/A", 'at `driver.version`: expected a version such as `550.54.15`, found "N/A"'),
        (("os",), None, "at `os`: expected an object, found null"),
    ],
)
def test_a_wrong_value_is_told_with_its_place(path: tuple[str | int, ...], wrong: object, said: str) -> None:
    changed = value()
    holder = changed
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = wrong
    with pytest.raises(RecordError) as caught:
        from_plain(Machine, changed)
    assert str(caught.value) == said


def test_keys_of_a_newer_cudafit_are_passed_over() -> None:
    changed = value()
    changed["novelty"] = {"x": 1}
    changed["gpus"][0]["novelty"] = 2
    assert from_plain(Machine, changed) == from_plain(Machine, value())


def test_whole_numbers_do_for_numbers() -> None:
    changed = value()
    changed["gpus"][0]["power_w"] = 70
    assert from_plain(Machine, changed).gpus[0].power_w == 70


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("550.54.15", "550.54.15"),
        ("580.65.06", "580.65.06"),
        ("N/A", None),
        ("550", None),
        (None, None),
        ("1.2x", None),
    ],
)
def test_dotted_version_keeps_the_raw_text(text: object, version: str | None) -> None:
    assert dotted_version(text) == version


def test_version_helpers() -> None:
    assert [cuda_from_number(number) for number in (12040, 13000, 11080, 12100)] == ["12.4", "13.0", "11.8", "12.10"]
    assert sorted(["cuda-12.10", "cuda-12.9", "cuda-9"], key=natural_key) == ["cuda-9", "cuda-12.9", "cuda-12.10"]
    assert sorted(["3.9", "3.13t", "3.13", "rc1"], key=natural_key) == ["3.9", "3.13", "3.13t", "rc1"]
    assert (major_minor("12.4.1"), numbers("580.65.06")) == ("12.4", (580, 65, 6))
