"""Screens for people: rows in columns on a terminal, one line each in a pipe.

Written by hand, since every command shows one, and a library for it takes longer to import than many of them to answer.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import IO

from cudafit.render.columns import cells, side_by_side, wrapped
from cudafit.render.row import Row
from cudafit.system.secrets import redacted, redacted_tree
from cudafit.system.terminal import shows_colors, width
from cudafit.system.text import harmless

# ECMA-48, "Select Graphic Rendition".
_STYLES = {"plain": "", "good": "32", "warn": "33", "bad": "1;31", "quiet": "2", "command": ""}
_TITLE, _LABEL, _VIA = "1", "36", "2"
_GAP = 2
_NARROWEST = 16
_BAR = 40  # columns
_REDRAWN_S = 0.1


def print_rows(title: str, rows: Sequence[Row], out: IO[str], *, color: bool) -> None:
    """Three columns: label, value, via. In a pipe every row is one line, so that other programs can cut it."""
    styled = _styled if color and shows_colors(out) else _plain
    title, rows = _shown(title, rows)
    if out.isatty():
        room = width(out)
        lines = [*(styled(line, _TITLE) for line in wrapped(title, room)), *_table(rows, room, styled)]
    else:
        lines = [styled(title, _TITLE), *_lines(rows, styled)]
    out.write("".join(f"{line}\n" for line in lines))


def text_of_rows(title: str, rows: Sequence[Row]) -> str:
    """What `print_rows` writes into a pipe, without colours and the last line end."""
    title, rows = _shown(title, rows)
    return "\n".join((title, *_lines(rows, _plain)))


def _shown(title: str, rows: Sequence[Row]) -> tuple[str, list[Row]]:
    """Without secrets, and without anything that commands a terminal."""
    return harmless(redacted(title)), [_harmless(row) for row in redacted_tree(list(rows))]


def _harmless(row: Row) -> Row:
    return Row(harmless(row.label), harmless(row.value), harmless(row.via), row.tone)


def _styled(text: str, style: str) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if style and text.strip() else text


def _plain(text: str, _style: str) -> str:
    return text


_Styling = Callable[[str, str], str]


def _lines(rows: Sequence[Row], styled: _Styling) -> Iterator[str]:
    labels = max((len(row.label) for row in rows), default=0)
    for row in rows:
        via = "  " + styled(f"[{row.via}]", _VIA) if row.via else ""
        yield f"{styled(row.label.ljust(labels), _LABEL)}  {styled(row.value, _STYLES[row.tone])}{via}"


def _table(rows: Sequence[Row], room: int, styled: _Styling) -> Iterator[str]:
    labels = max((cells(row.label) for row in rows), default=0)
    for is_command, some in groupby(rows, key=lambda row: row.tone == "command"):
        if is_command:  # the terminal breaks a long line, and gives it back whole to whoever copies it
            yield from (f"    {row.value}" for row in some)
        else:
            yield from _columns(list(some), labels, room, styled)


def _columns(rows: Sequence[Row], labels: int, room: int, styled: _Styling) -> Iterator[str]:
    narrow = max(_NARROWEST, room // 4)
    # A longer one stands below its value, where there is room for a path.
    vias = max((cells(row.via) for row in rows if cells(row.via) <= narrow), default=0)
    values = max(_NARROWEST // 2, room - labels - _GAP - (vias + _GAP if vias else 0))
    for row in rows:
        below = wrapped(row.via, values) if cells(row.via) > narrow else []
        value = wrapped(row.value, values)
        tones = [_STYLES[row.tone]] * len(value) + [_VIA] * len(below)
        beside = [row.via] if row.via and not below else [""]
        lines = side_by_side(([row.label], value + below, beside), (labels, values, vias))
        for line, tone in zip(lines, tones, strict=True):
            yield _joined(line, (_LABEL, tone, _VIA), styled)


def _joined(parts: Sequence[str], styles: Sequence[str], styled: _Styling) -> str:
    """Without blanks at the end, which whoever copies the line would take along."""
    last = max((index for index, part in enumerate(parts) if part.strip()), default=-1)
    shown = [*parts[:last], *(part.rstrip() for part in parts[last : last + 1])]
    return (" " * _GAP).join(styled(part, style) for part, style in zip(shown, styles, strict=False))


@contextmanager
def progress_bar(out: IO[str]) -> Iterator[Callable[[int, int], None]]:
    """Gives a function to tell how many of how many are done; in a pipe nothing is drawn, and nothing is left of it."""
    if not out.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda _done, _total: None
        return
    from time import monotonic  # noqa: PLC0415 - where something is drawn

    began, drawn = monotonic(), 0.0

    def show(done: int, total: int) -> None:
        nonlocal drawn
        now = monotonic()
        if now - drawn < _REDRAWN_S and done < total:
            return
        drawn = now
        full = _BAR * done // total if total else 0
        minutes, seconds = divmod(int(now - began), 60)
        out.write(f"\r{'#' * full}{'.' * (_BAR - full)} {done}/{total} {minutes}:{seconds:02}\x1b[K")
        out.flush()

    try:
        yield show
    finally:
        out.write("\r\x1b[K")
        out.flush()
