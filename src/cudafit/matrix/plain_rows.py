"""The quick way through the YAML of the matrices, in and out: a record a line, of texts that mean themselves.

A matrix folder holds thousands of such lines, and a YAML parser takes seconds for them where it is written in Python.
What is written in any other way is left to the parser: a record of one line by itself, else the whole file. So a text
is read here as YAML reads it, or not at all; and so is a record written.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any


class Lined(dict[str, Any]):
    """A mapping and the line where it begins."""

    line: int = 0


# A plain text begins with none of YAML's signs, and holds none of those that end it within braces.
_PLAIN = r"[A-Za-z0-9_./(][A-Za-z0-9_./()+*<>=~;@!&%|$: -]*"
_PAIR = re.compile(rf"([a-z][a-z0-9_]{{0,60}}): (?:({_PLAIN})|'([^']*)')(, |\}}$)")
_SCALAR = re.compile(rf"([a-z][a-z0-9_]{{0,60}}):(?: ({_PLAIN}))?")
_ROW = "- {"
# Written: what the emitter leaves as it is within braces, and what of ASCII it puts into single quotes.
_KEY = re.compile(r"[a-z][a-z0-9_]{0,60}")
_AS_IT_IS = re.compile(
    r"""(?!\.\.\.)[A-Za-z0-9_./(](?:[A-Za-z0-9_./()+*<>=~;@!&%|$^'" -]*[A-Za-z0-9_./()+*<>=~;@!&%|$^'"-])?"""
)
_IN_QUOTES = re.compile(r"""(?=[>!&*|%@"'#]|.*[:,?\[\]{}]|$)[ -~]*""")


def read(text: str, row: Callable[[str], Any]) -> Lined | None:
    """The value of a text all of whose lines are comments, `key: text`, `key:` and records below it; else None.

    `row` reads a record that is not plain by itself; it raises ValueError where the line is none.
    """
    if not text.replace("\n", "").isprintable():
        return None  # YAML has line ends of its own, and refuses some signs
    found = Lined()
    rows: list[Lined] | None = None
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith(_ROW):
            one = None if rows is None else _row(line, row)
            if rows is None or one is None:
                return None
            one.line = number
            rows.append(one)
        elif line and not line.startswith("#"):
            key, value = _scalar(line)
            if not key or key in found:
                return None
            if value is None:
                rows = []
            found[key], rows = (rows, rows) if value is None else (value, None)
            found.line = found.line or number
    # A list without any row is an empty text in YAML.
    found.update({key: "" for key, value in found.items() if value == []})
    return found or None


def _scalar(line: str) -> tuple[str, str | None]:
    match = _SCALAR.fullmatch(line)
    if match is None or _is_cut(match[2]):
        return "", None
    return match[1], match[2]


def _row(line: str, row: Callable[[str], Any]) -> Lined | None:
    found = Lined()
    place = len(_ROW)
    while match := _PAIR.match(line, place):
        key, plain, quoted, end = match.groups()
        if key in found or _is_cut(plain):
            return None
        found[key] = quoted if plain is None else plain
        if end != ", ":
            return found
        place = match.end()
    try:
        told = row(line[len(_ROW) - 1 :])
    except ValueError:
        return None
    return told if isinstance(told, Lined) else None


def _is_cut(plain: str | None) -> bool:
    """Whether YAML would end the text earlier, or leave a part of it out."""
    return plain is not None and (": " in plain or plain[-1] in " :")


def written(row: Mapping[str, str]) -> str | None:
    """One record on one line as the emitter of YAML writes it; else None."""
    pairs = []
    for key, value in row.items():
        if not _KEY.fullmatch(key):
            return None
        if _AS_IT_IS.fullmatch(value):
            pairs.append(f"{key}: {value}")
        elif _IN_QUOTES.fullmatch(value):
            pairs.append(f"{key}: " + "'" + value.replace("'", "''") + "'")
        else:
            return None
    return f"{{{', '.join(pairs)}}}" if pairs else None
