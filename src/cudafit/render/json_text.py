"""JSON as it is printed: one object, indented, in the order of its fields."""

import json
from typing import Any

from cudafit.model.record import to_plain
from cudafit.system.secrets import redacted_tree, suspected


def record_text(schema: str, record: object, *, long: bool = False) -> str:
    """A record, or several under their names, under its schema."""
    return (json_rows if long else json_text)({"schema": schema, **to_plain(record)})


def json_text(value: Any) -> str:
    """ASCII only: it then reads the same whatever encoding the terminal, the pipe or the file has."""
    text = json.dumps(value, indent=2)
    return _harmless(json.dumps(redacted_tree(value), indent=2) if suspected(text) else text) + "\n"


def json_rows(value: dict[str, Any]) -> str:
    """An object with long lists of records: a line for each key, and for each record of a list.

    It is written by the encoder in C, which does not indent: a tenth of the time.
    """
    lines = [f"  {json.dumps(key)}: {_rows(one)}" for key, one in value.items()]
    return _harmless("{\n" + ",\n".join(lines) + "\n}\n")


def _rows(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"    {_line(one)}" for one in value) + "\n  ]"
    return _line(value)


def _line(value: Any) -> str:
    """Without secrets, by a look at the text: most have none."""
    text = json.dumps(value)
    return json.dumps(redacted_tree(value)) if suspected(text) else text


def _harmless(text: str) -> str:
    """The same value, without the one control that JSON lets stand, and without what the log of a CI would obey."""
    return text.replace("\x7f", "\\u007f").replace("##[", "\\u0023#[").replace("##vso[", "\\u0023#vso[")
