"""The published schemas are the records', and both the contract's own example and real output satisfy them."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from cudafit import shipped
from cudafit.machine.saved import plain
from cudafit.model.finding import Report
from cudafit.model.machine import Machine
from cudafit.model.record import from_plain
from cudafit.model.schema import json_schema
from tests.schemas import RECORDS, described, records, sentences, validate


def test_every_key_has_a_sentence_and_every_sentence_a_key() -> None:
    used: set[tuple[str, str]] = set()
    for name in RECORDS:
        for record, keys in records(json.loads(shipped.schema_text(name))):
            for key, value in keys.items():
                text = value["description"]
                assert re.fullmatch(r"\S.*\.", text), f"{record}.{key}"
                used.add((record if key in sentences().get(record, {}) else "any", key))
    assert {(record, key) for record, keys in sentences().items() for key in keys} == used


# The example of the contract that other programs rely on.
CONTRACT = {
    "schema": "cudafit.machine/1",
    "os": {
        "system": "linux",
        "arch": "x86_64",
        "libc": "glibc 2.36",
        "distro": "debian 12",
        "wsl": False,
        "container": None,
    },
    "driver": {"version": "550.54.15", "cuda": "12.4", "via": "nvml"},
    "gpus": [
        {
            "index": 0,
            "name": "NVIDIA H100 80GB HBM3",
            "uuid": "GPU-1",
            "compute_capability": "9.0",
            "memory_mib": 81559,
            "mig": False,
            "compute_mode": "default",
            "visible": True,
        }
    ],
    "problems": [{"probe": "nvml", "error": "Driver/library version mismatch (18)"}],
}


@pytest.mark.parametrize("name", RECORDS)
def test_published_schema_is_the_records_own(name: str) -> None:
    kind, title = RECORDS[name]
    published = json.loads(shipped.schema_text(name))
    Draft202012Validator.check_schema(published)
    assert published == described(json_schema(kind, title)), "run `make schemas`"


def test_contract_example_satisfies_the_schema_and_can_be_read() -> None:
    validate(CONTRACT, "machine-1")
    machine = from_plain(Machine, CONTRACT)
    written = plain(machine)
    for key, value in CONTRACT.items():
        assert _is_part(value, written[key]), key


def _is_part(expected: Any, found: Any) -> bool:
    """Whether all of `expected` is in `found`, which may have more keys."""
    if isinstance(expected, dict):
        return all(key in found and _is_part(value, found[key]) for key, value in expected.items())
    if isinstance(expected, list):
        return len(expected) == len(found) and all(map(_is_part, expected, found))
    return bool(expected == found)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("driver", "version"), "five hundred"),
        (("driver", "cuda"), 12.4),
        (("gpus", 0, "memory_mib"), "81559"),
        (("gpus", 0, "visible"), None),
        (("os", "wsl"), "no"),
        (("schema",), "cudafit.machine/2"),
    ],
)
def test_schema_and_reader_refuse_the_same(place: tuple[str | int, ...], value: object) -> None:
    wrong: Any = json.loads(json.dumps(CONTRACT))
    holder = wrong
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = value
    with pytest.raises(ValidationError):
        validate(wrong, "machine-1")
    if place != ("schema",):
        with pytest.raises(ValueError, match="expected"):
            from_plain(Machine, wrong)


@pytest.mark.parametrize(
    ("name", "record", "field", "values"),
    [
        ("resolve-1", None, "status", ["fit", "cpu", "no-fit"]),
        ("doctor-1", None, "status", ["ok", "warning", "error", "unknown"]),
        ("doctor-1", "Finding", "severity", ["error", "warning", "info"]),
        ("lint-1", "CodeFinding", "severity", ["error", "warning", "info"]),
        ("bench-1", None, "verdict", ["pass", "slow", "wrong", "not-verified"]),
        ("repair-1", "Step", "action", ["install", "replace", "reinstall", "remove"]),
    ],
)
def test_closed_choices_are_enums(name: str, record: str | None, field: str, values: list[str]) -> None:
    published = json.loads(shipped.schema_text(name))
    assert (published["$defs"][record] if record else published)["properties"][field]["enum"] == values


def test_a_choice_that_is_none_is_refused_by_its_place() -> None:
    finding = {"id": "x", "severity": "fatal", "layer": "driver", "title": "t", "evidence": []}
    with pytest.raises(ValueError, match=r'at `findings\[0\].severity`: expected "error" or "warning" or "info"'):
        from_plain(Report, {"status": "ok", "cause": None, "findings": [finding], "skipped": []})
