"""Making the safe edits, and the lines that positions in a text count."""

import re
from collections.abc import Iterable

from cudafit.model.code_finding import Edit

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def source_lines(text: str) -> list[str]:
    """The lines as Python counts them, with their ends; `str.splitlines` knows more ends than Python does."""
    if "\r" in text:
        return _LINE.findall(text)
    *lines, rest = text.split("\n")
    found = [f"{line}\n" for line in lines]
    return [*found, rest] if rest else found


def column_of(line: str, offset: int) -> int:
    """The column in characters, from 1, of an offset in bytes, which is what `ast` gives."""
    return len(line.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "ignore")) + 1


def applied(text: str, edits: Iterable[Edit]) -> str:
    """The text after the edits, which do not overlap; their columns count bytes."""
    lines = [line.encode("utf-8", "surrogatepass") for line in source_lines(text)]
    for edit in sorted(set(edits), key=lambda one: (one.line, one.column), reverse=True):
        first, last = lines[edit.line - 1], lines[edit.end_line - 1]
        joined = first[: edit.column] + edit.text.encode() + last[edit.end_column :]
        lines[edit.line - 1 : edit.end_line] = [joined]
    return b"".join(lines).decode("utf-8", "surrogatepass")
