"""Snapshots in files: `inspect --save` writes them, `--machine` reads them."""

import json
import sys
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
    text = _text(path, name)
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
