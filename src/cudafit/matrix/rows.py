"""Rows as people write them (texts only) to records, and back.

A list is written as its items with spaces between them: no item of ours holds a space. A missing key is the field's
default, which means *not known* for most.
"""

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, TypeVar, cast

from cudafit.matrix.forms import form_of

Row = TypeVar("Row")
_SHOWN = 60


class RowError(ValueError):
    """A row that does not describe a record."""


def to_row(record: Any) -> dict[str, str]:
    """The texts of a record; what has its default is left out."""
    row = {}
    for part in fields(record):
        value = getattr(record, part.name)
        if value == part.default or (value is None and part.default is not MISSING):
            continue
        if isinstance(value, bool):
            value = "yes" if value else "no"
        row[part.name] = " ".join(value) if isinstance(value, tuple) else value
    return row


def from_row(kind: type[Row], row: Mapping[str, Any]) -> Row:
    """The record of class `kind` that a row describes; raises RowError."""
    known = _fields(cast(Any, kind))
    if surplus := sorted(set(row) - set(known)):
        raise RowError(f"no field is called `{surplus[0]}`")
    given = {}
    for name, (reader, required) in known.items():
        if name not in row:
            if required:
                raise RowError(f"`{name}` is missing")
            continue
        if not isinstance(row[name], str):
            raise RowError(f"`{name}` must be a text")
        given[name] = reader(name, row[name])
        _check_form(kind, name, given[name])
    return kind(**given)


def _check_form(kind: type, name: str, value: object) -> None:
    form = form_of(kind, name)
    if form is None:
        return
    has_form, example = form
    for text in value if isinstance(value, tuple) else (value,):
        if not has_form(text):
            raise RowError(f"`{name}` cannot be `{text[:_SHOWN]}`; expected such as `{example}`")


@cache
def _fields(kind: Any) -> dict[str, tuple[Any, bool]]:
    hints = typing.get_type_hints(kind)
    return {part.name: (_reader(hints[part.name]), part.default is MISSING) for part in fields(kind)}


def _reader(hint: Any) -> Any:
    choices = typing.get_args(hint) if typing.get_origin(hint) in (types.UnionType, typing.Union) else (hint,)
    for choice in choices:
        if choice is bool:
            return _bool
        if typing.get_origin(choice) is tuple:
            return _words
    return _text


def _bool(name: str, text: str) -> bool:
    if text not in ("yes", "no"):
        raise RowError(f"`{name}` must be yes or no, not `{text}`")
    return text == "yes"


def _words(_name: str, text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _text(name: str, text: str) -> str:
    if not text.strip():
        raise RowError(f"`{name}` is empty")
    return text
