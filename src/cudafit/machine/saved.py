"""Snapshots in files: `inspect --save` writes them, `--machine` reads them."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from cudafit.errors import InputError
from cudafit.model.machine import SCHEMA, Machine
from cudafit.model.record import RecordError, from_plain, to_plain

_LIMIT = 16 << 20


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
    alike: dict[object, Machine] = {}
    for path in _files(paths):
        name = "stdin" if path == "-" else f"`{path}`"
        value = _value(_text(path, name), name)
        key = _what_decides(value)
        machine = alike.get(key) if key else None
        if machine is None:
            machine = _machine(value, name)
            if key:
                alike[key] = machine
        yield ("stdin" if path == "-" else os.path.basename(path).removesuffix(".json")), machine


def _files(paths: Sequence[str]) -> Iterator[str]:
    for path in paths:
        if path == "-" or not os.path.isdir(path):
            yield path
            continue
        names = sorted(name for name in os.listdir(path) if name.endswith(".json"))
        if not names:
            raise InputError(f"`--machine {path}`: there is no snapshot (*.json) in this folder")
        yield from (os.path.join(path, name) for name in names)


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
    except (KeyError, TypeError):
        return None
    return key


def _value(text: str, name: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except RecursionError:
        raise InputError(f"{name} is not a machine snapshot: it is nested too deeply") from None
    except ValueError as error:
        raise InputError(f"{name} is not a machine snapshot: expected JSON, but {_lower(error)}") from None
    if not isinstance(value, dict):
        raise InputError(f"{name} is not a machine snapshot: expected a JSON object")
    if value.get("schema") != SCHEMA:
        found = "no such key" if "schema" not in value else f"found {json.dumps(value['schema'])[:60]}"
        raise InputError(f"{name} is not a machine snapshot: at `schema`: expected `{SCHEMA}`, {found}")
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


def _text(path: str, name: str) -> str:
    try:
        if path == "-":
            data = sys.stdin.buffer.read(_LIMIT + 1)
        else:
            with open(path, "rb") as file:
                data = file.read(_LIMIT + 1)
    except OSError as error:
        raise InputError(f"cannot read {name}: {error.strerror or error}") from None
    if len(data) > _LIMIT:
        raise InputError(f"{name} is not a machine snapshot: it is larger than {_LIMIT >> 20} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{name} is not a machine snapshot: expected JSON, but it is not UTF-8 text") from None


def _lower(error: Exception) -> str:
    text = str(error)
    return text[:1].lower() + text[1:]
