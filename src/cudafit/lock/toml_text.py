"""TOML from data: as much of it as the files need that cudafit writes from nothing."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_text(table: Mapping[str, Any]) -> str:
    """Tables stand for themselves, a list of tables as `[[name]]`; a mapping in a list or below a value is inline."""
    return "\n".join(_lines(table, ())) + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    below = {key: value for key, value in table.items() if _is_table(value) or _is_tables(value)}
    for key, value in table.items():
        if key not in below:
            yield f"{_key(key)} = {_value(value)}"
    for key, value in below.items():
        name = ".".join(_key(part) for part in (*path, key))
        for one in value if _is_tables(value) else [value]:
            if _is_tables(value):
                yield from ("", f"[[{name}]]")
            elif not _only_tables(one):
                yield from ("", f"[{name}]")
            yield from _lines(one, (*path, key))


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping) and not isinstance(value, Inline)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_table(one) for one in value)


def _only_tables(table: Mapping[str, Any]) -> bool:
    return bool(table) and all(_is_table(value) or _is_tables(value) for value in table.values())


class Inline(dict[str, Any]):
    """A mapping that is written in one line."""


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    if isinstance(value, str):
        # A JSON text is a TOML text, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    raise TypeError(f"no TOML for {type(value).__name__}")


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else _value(text)
