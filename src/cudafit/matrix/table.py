"""Records as a table of JSON: a row is a list of values in the order of its record's fields, which the table names; a
number is the place of a list among the table's own. That loads at about the speed of reading the JSON itself.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from functools import cache, lru_cache
from typing import Any, TypeVar, cast

Row = TypeVar("Row")
_KEPT = 64  # tables whose records are kept: a notebook asks the same ones again and again


@cache
def field_names(kind: Any) -> tuple[str, ...]:
    return tuple(part.name for part in fields(kind))


def table_of(kind: Any, rows: Iterable[Any]) -> dict[str, Any]:
    """Lists are written once, and rows have their numbers: the builds of a release share their pins and kernels."""
    places: dict[tuple[str, ...], int] = {}
    written = []
    for row in rows:
        values = _values(kind, row)
        written.append([places.setdefault(v, len(places)) if isinstance(v, tuple) else v for v in values])
    return {"fields": field_names(kind), "lists": list(places), "rows": written}


def _values(kind: Any, row: Any) -> list[Any]:
    """Without what is as it is by default at the end: most rows say nothing of a class's last fields."""
    values = [getattr(row, name) for name in field_names(kind)]
    for part in reversed(fields(kind)):
        if part.default is MISSING or values[-1] != part.default:
            break
        values.pop()
    return values


@lru_cache(maxsize=_KEPT)
def records_of(kind: type[Row], content: bytes) -> tuple[Row, ...]:
    """The records of a table's bytes; raises ValueError where it has other fields than the class."""
    table: Mapping[str, Any] = json.loads(content)
    if tuple(table["fields"]) != field_names(cast(Any, kind)):
        raise ValueError(f"the compiled matrix has other fields than {kind.__name__}")
    lists = [tuple(one) for one in table["lists"]]
    return tuple(kind(*[lists[v] if type(v) is int else v for v in row]) for row in table["rows"])
