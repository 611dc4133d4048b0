"""Records to and from plain JSON values, driven by the dataclasses' own types.

Reading is strict about what it needs and lenient about what it does not know: a missing or wrong value is reported
with its place (`gpus[0].memory_mib`), a key from a newer cudafit is passed over.
"""

import math
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")
_MOST = 2**64 - 1
_SCALARS = frozenset({str, int, float, bool})


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(part.name for part in fields(kind))


@cache
def _hinted(kind: Any) -> tuple[tuple["Field[Any]", Any], ...]:
    """The fields with their types, which take longer to find out than to read a record."""
    hints = typing.get_type_hints(kind)
    return tuple((part, hints[part.name]) for part in fields(kind))


class RecordError(ValueError):
    """A value that does not have the expected shape, and where it stands."""

    def __init__(self, place: str, expected: str, found: str) -> None:
        super().__init__(f"at `{place}`: expected {expected}, found {found}" if place else f"expected {expected}")
        self.place = place
        self.expected = expected
        self.found = found


def to_plain(value: object) -> Any:
    """A record as dicts, lists and scalars, in the order of its fields."""
    if value is None or type(value) in _SCALARS:
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {name: to_plain(getattr(value, name)) for name in _names(type(value))}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    return value


def fields_of(record: Any) -> dict[str, Any]:
    """The fields of a record by their names, as they are: for what adds some of its own."""
    return {part.name: getattr(record, part.name) for part in fields(record)}


def from_plain(kind: type[T], value: object, place: str = "") -> T:
    """The record of class `kind` that `value` describes; raises `RecordError`."""
    result: T = _read(kind, value, place)
    return result


def _read(kind: Any, value: object, place: str) -> Any:
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return _read_union(kind, value, place)
    if origin is typing.Literal:
        if value not in (choices := typing.get_args(kind)) or not isinstance(value, str):
            raise RecordError(place, " or ".join(map(_name, choices)), _name(value))
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise RecordError(place, "a list", _name(value))
        (item_kind, _) = typing.get_args(kind)
        return tuple(_read(item_kind, item, f"{place}[{number}]") for number, item in enumerate(value))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, dict):
            raise RecordError(place, "an object", _name(value))
        (_, item_kind) = typing.get_args(kind)
        return {key: _read(item_kind, item, f"{place}.{key}") for key, item in value.items()}
    if is_dataclass(kind):
        return _read_record(kind, value, place)
    return _read_scalar(kind, value, place)


def _read_union(kind: Any, value: object, place: str) -> Any:
    choices = typing.get_args(kind)
    if value is None and types.NoneType in choices:
        return None
    concrete = [choice for choice in choices if choice is not types.NoneType]
    if len(concrete) == 1:
        return _read(concrete[0], value, place)
    for choice in concrete:
        try:
            return _read(choice, value, place)
        except RecordError:
            continue
    raise RecordError(place, " or ".join(_scalar_name(choice) for choice in concrete), _name(value))


def _read_record(kind: Any, value: object, place: str) -> Any:
    if not isinstance(value, dict):
        raise RecordError(place, "an object", _name(value))
    given = {}
    for part, hint in _hinted(kind):
        where = f"{place}.{part.name}" if place else part.name
        if part.name in value:
            given[part.name] = _read(hint, value[part.name], where)
            _check_pattern(part, given[part.name], where)
        elif part.default is MISSING and part.default_factory is MISSING:
            raise RecordError(where, _expected(hint), "no such key")
    return kind(**given)


def _check_pattern(part: "Field[Any]", value: object, place: str) -> None:
    pattern = part.metadata.get("pattern")
    if pattern and isinstance(value, str) and not re.fullmatch(pattern, value, re.ASCII):
        raise RecordError(place, f"a version such as `{part.metadata['example']}`", _name(value))


def _read_scalar(kind: Any, value: object, place: str) -> Any:
    # JSON of others holds numbers that Python reads and then cannot print, and what is no number at all.
    if isinstance(value, int) and not -_MOST <= value <= _MOST:
        raise RecordError(place, f"{_scalar_name(kind)} of at most 64 bits", _name(value))
    if isinstance(value, float) and not math.isfinite(value):
        raise RecordError(place, _scalar_name(kind), _name(value))
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise RecordError(place, _scalar_name(kind), _name(value))
    return value


def _expected(kind: Any) -> str:
    choices = typing.get_args(kind) if typing.get_origin(kind) in (types.UnionType, typing.Union) else (kind,)
    return " or ".join("null" if choice is types.NoneType else _scalar_name(choice) for choice in choices)


def _scalar_name(kind: Any) -> str:
    if typing.get_origin(kind) is tuple:
        return "a list"
    if typing.get_origin(kind) is typing.Literal:
        return " or ".join(map(_name, typing.get_args(kind)))
    return {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}.get(kind, "an object")


def _name(value: object) -> str:
    """A found value, short enough for one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value[:40]}"' + ("…" if len(value) > 40 else "")
    if isinstance(value, int) and not -_MOST <= value <= _MOST:
        return "a number of many digits"
    if isinstance(value, int | float):
        return str(value)
    return "a list" if isinstance(value, list) else "an object"
