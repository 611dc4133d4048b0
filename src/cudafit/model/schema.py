"""The JSON Schema of a record, from its dataclass: what is published and what is read cannot drift apart."""

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean", types.NoneType: "null"}


def json_schema(kind: type, name: str) -> dict[str, Any]:
    """The schema of the object whose `schema` key says `name`. More keys may be added later, so they are allowed."""
    definitions: dict[str, Any] = {}
    top = _record(kind, definitions)
    properties = {"schema": {"const": name}, **top.pop("properties")}
    return {
        "$schema": _DIALECT,
        "title": name,
        **top,
        "required": ["schema", *top["required"]],
        "properties": properties,
        "$defs": {key: definitions[key] for key in sorted(definitions)},
    }


def _record(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    properties = {}
    for part in fields(kind):
        properties[part.name] = _any(hints[part.name], definitions)
        if pattern := part.metadata.get("pattern"):
            properties[part.name]["pattern"] = f"^{pattern}$"
    return {
        "description": " ".join((kind.__doc__ or "").split()),
        "type": "object",
        "required": [part.name for part in fields(kind) if part.default is part.default_factory is MISSING],
        "properties": properties,
    }


def _any(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return _union(typing.get_args(kind), definitions)
    if origin is typing.Literal:
        return {"enum": list(typing.get_args(kind))}
    if origin is tuple:
        return {"type": "array", "items": _any(typing.get_args(kind)[0], definitions)}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _any(typing.get_args(kind)[1], definitions)}
    if is_dataclass(kind):
        name = kind.__name__  # type: ignore[union-attr]
        if name not in definitions:
            definitions[name] = {}  # a place is kept, should a record hold its own kind
            definitions[name] = _record(kind, definitions)
        return {"$ref": f"#/$defs/{name}"}
    return {"type": _SCALARS[kind]}


def _union(choices: tuple[Any, ...], definitions: dict[str, Any]) -> dict[str, Any]:
    if all(choice in _SCALARS for choice in choices):
        return {"type": [_SCALARS[choice] for choice in choices]}
    return {"anyOf": [_any(choice, definitions) for choice in choices]}
