"""Snapshots in files: `inspect --save` writes them, `--machine` reads them."""

import errno
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

from cudafit.errors import InputError
from cudafit.model.machine import SCHEMA, Machine
from cudafit.model.record import RecordError, from_plain, to_plain
from cudafit.system.parsing import reason
from cudafit.system.reading import read_bytes, read_named, standard_input

_LIMIT = 16 << 20
# What lies beside snapshots in a room of machines, for `cudafit report`.
_BESIDE = ("cudafit.doctor/1", "cudafit.bench/1")


class _OtherRecordError(InputError):
    """It is another record of cudafit's."""


def plain(machine: Machine) -> dict[str, Any]:
    """The JSON object of a snapshot."""
    return {"schema": SCHEMA, **to_plain(machine)}


def load(path: str) -> Machine:
    """The snapshot in a file, or on stdin for `-`; raises InputError with the file, the place and what was expected."""
    name = "stdin" if path == "-" else f"`{path}`"
    return _machine(_value(_text(path, name), name), name)


def load_all(paths: Sequence[str]) -> Iterator[tuple[str, Machine]]:
    """The snapshots in files and in folders of files, each with its name.

    Those that are alike in everything that decides share one `Machine`: of ten thousand machines of fifty kinds,
    fifty are read in full.
    """
    alike = Alike()
    other = None  # the last file beside the snapshots; an error where there are none
    some = False
    for path, found in _files(paths):
        name = "stdin" if path == "-" else f"`{path}`"
        text = _text(path, name, found=found)
        try:
            value = _value(text, name)
        except _OtherRecordError as error:
            if not found:
                raise
            other = error
            continue
        some = True
        yield ("stdin" if path == "-" else os.path.basename(path).removesuffix(".json")), alike.machine(value, name)
    if other and not some:
        raise other


class Alike:
    """Machines that were read, by what decides."""

    def __init__(self) -> None:
        self._machines: dict[object, Machine] = {}

    def machine(self, value: dict[str, Any], name: str) -> Machine:
        """The snapshot in a JSON object with its schema; raises InputError, which calls it `name`."""
        key = _what_decides(value)
        machine = self._machines.get(key) if key else None
        if machine is None:
            machine = _machine(value, name)
            if key:
                self._machines[key] = machine
        return machine


def _files(paths: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Each, and whether it was found in a folder."""
    for path in paths:
        if path == "-" or not os.path.isdir(path):
            yield path, False
            continue
        try:
            names = sorted(name for name in os.listdir(path) if name.endswith(".json"))
        except OSError as error:
            raise InputError(f"cannot read `{path}`: {error.strerror or error}") from None
        if not names:
            raise InputError(f"`--machine {path}`: there is no snapshot (*.json) in this folder")
        yield from ((os.path.join(path, name), True) for name in names)


def _what_decides(value: dict[str, Any]) -> object:
    """What tells two machines apart for every question about builds; None where the snapshot is not as it should be."""
    try:
        host, driver, seen = value["os"], value["driver"], value.get("visible_devices")
        key = (
            (host["system"], host["arch"], host["libc"], host["wsl"], host.get("tegra") is None),
            driver and (driver["version"], driver["cuda"]),
            tuple(
                (gpu["index"], gpu["name"], gpu["compute_capability"], gpu["visible"], gpu.get("pci_device_id"))
                for gpu in value["gpus"]
            ),
            value.get("undetermined"),
            seen and seen.get("variable"),
            tuple((one["variable"], one["value"]) for one in value.get("overrides") or ()),
            tuple(python["version"] for python in value.get("pythons") or ()),
        )
        hash(key)
    except (KeyError, TypeError, AttributeError):
        return None
    return key


def _value(text: str, name: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{name} is not a machine snapshot: expected JSON, but {_lower(error)}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is not a machine snapshot: {reason(error)}") from None
    if not isinstance(value, dict):
        raise InputError(f"{name} is not a machine snapshot: expected a JSON object")
    if value.get("schema") != SCHEMA:
        found = "no such key" if "schema" not in value else f"found {json.dumps(value['schema'])[:60]}"
        kind = _OtherRecordError if value.get("schema") in _BESIDE else InputError
        raise kind(f"{name} is not a machine snapshot: at `schema`: expected `{SCHEMA}`, {found}")
    return value


def _machine(value: dict[str, Any], name: str) -> Machine:
    try:
        return from_plain(Machine, value)
    except RecordError as error:
        raise InputError(f"{name} is not a machine snapshot: {error}") from None


def save(path: str, text: str) -> None:
    """Write a snapshot whole or not at all; raises InputError."""
    from cudafit.atomic import write_text  # noqa: PLC0415 - slow to import, and seldom needed

    try:
        write_text(path, text)
    except OSError as error:
        raise InputError(f"cannot write `{path}`: {error.strerror or error}") from None


def _text(path: str, name: str, *, found: bool = False) -> str:
    """`found`: it lies in a folder that was named; so it must be a regular file."""
    try:
        read = read_bytes if found else read_named
        data = standard_input(_LIMIT) if path == "-" else read(path, _LIMIT)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise InputError(f"{name} is not a machine snapshot: {error.strerror}") from None
        raise InputError(f"cannot read {name}: {error.strerror or error}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{name} is not a machine snapshot: expected JSON, but it is not UTF-8 text") from None


def _lower(error: Exception) -> str:
    text = str(error)
    return text[:1].lower() + text[1:]
