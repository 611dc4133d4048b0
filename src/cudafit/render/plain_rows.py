"""Rows as text: what `cudafit` prints in a pipe.

Without rich, which in a notebook's kernel shows tables of its own instead of writing them.
"""

import re
from collections.abc import Sequence

from cudafit.render.machine_rows import Row

# What would move a terminal's cursor, or turn a text around.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def plain_rows(title: str, rows: Sequence[Row]) -> str:
    width = max((len(row.label) for row in rows), default=0)
    lines = [f"{row.label.ljust(width)}  {row.value}" + (f"  [{row.via}]" if row.via else "") for row in rows]
    return "\n".join(without_controls(line) for line in (title, *lines))


def without_controls(text: str) -> str:
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)
