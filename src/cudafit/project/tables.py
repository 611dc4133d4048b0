"""What all readers of tables need: values that are what they should be, and requirements that may be none."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cudafit.errors import InputError
from cudafit.model.requirement import Wanted, wanted


class Unread:
    """What was not understood, each once, with its place."""

    def __init__(self) -> None:
        self._told: dict[str, None] = {}

    def add(self, place: str, why: str) -> None:
        self._told.setdefault(f"{place}: {why}")

    @property
    def told(self) -> tuple[str, ...]:
        return tuple(self._told)


def table(value: object, *keys: str) -> Mapping[str, Any]:
    """The table below some keys; an empty one where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def tables(value: object) -> Iterator[Mapping[str, Any]]:
    """The tables of a list; one that stands alone is a list of one."""
    yield from (row for row in (value if isinstance(value, list) else [value]) if isinstance(row, Mapping))


def text(value: object, key: str) -> str:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else ""


def texts(value: object) -> list[str]:
    """Those of a list; a text that stands alone is a list of one."""
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list | tuple) else []


def requirement(line: str, origin: str, unread: Unread) -> Iterator[Wanted]:
    """None for what is no requirement, which is told: one bad line must not hide all others."""
    try:
        yield wanted(line, origin)
    except InputError as error:
        unread.add(origin, f"{error.what.partition(' (')[0]}")


def requirements(lines: Iterable[tuple[str, str]], unread: Unread) -> tuple[Wanted, ...]:
    """Of lines and their origins."""
    return tuple(found for line, origin in lines for found in requirement(line, origin, unread))
