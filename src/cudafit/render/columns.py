"""Text in columns of a given width: lines broken between words, and words that are too long broken anywhere."""

import re
from collections.abc import Sequence
from functools import lru_cache

_WORD = re.compile(r"\s*\S+\s*|\s+")


def cells(text: str) -> int:
    """The columns of a terminal that a text takes: a Chinese sign takes two."""
    return len(text) if text.isascii() else sum(map(_cells_of, text))


@lru_cache(maxsize=4096)
def _cells_of(sign: str) -> int:
    """Source: UAX 11, "East Asian Width"; what is put upon the sign before it, or is only a hint, takes none."""
    import unicodedata  # noqa: PLC0415 - only where such a sign is met

    joins = "\u200b" <= sign <= "\u200f" or "\u1160" <= sign <= "\u11ff" or "\ud7b0" <= sign <= "\ud7ff"
    if joins or unicodedata.category(sign) in ("Mn", "Me", "Cc"):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1


def wrapped(text: str, width: int) -> list[str]:
    """At least one line; none is wider than `width`, of which a sign may need two."""
    return [line for part in text.split("\n") for line in _wrapped(part, max(width, 2))]


def _wrapped(text: str, width: int) -> list[str]:
    if cells(text) <= width:
        return [text]
    lines, line = [], ""
    for word in _WORD.findall(text):
        if cells(line + word.rstrip()) <= width:
            line += word
            continue
        lines += [line] if line else []
        *full, line = _folded(word, width)
        lines += full
    return [one.rstrip() for one in (*lines, line)]


def _folded(word: str, width: int) -> list[str]:
    """A word in pieces of at most `width`, the last of which may be followed by another."""
    pieces = [""]
    for sign in word.rstrip():
        if cells(pieces[-1] + sign) > width:
            pieces.append("")
        pieces[-1] += sign
    pieces[-1] += word[len(word.rstrip()) :]
    return pieces


def side_by_side(columns: Sequence[Sequence[str]], widths: Sequence[int]) -> list[list[str]]:
    """The columns' lines beside each other, each filled up to its width."""
    height = max(map(len, columns))
    return [
        [line + " " * (width - cells(line)) for line, width in zip(row, widths, strict=True)]
        for row in ([column[index] if index < len(column) else "" for column in columns] for index in range(height))
    ]
