"""Rows as text: what `cudafit` prints in a pipe.

Without rich, which in a notebook's kernel shows tables of its own instead of writing them.
"""

from collections.abc import Sequence

from cudafit.render.row import Row
from cudafit.system.secrets import redacted, redacted_tree
from cudafit.system.text import harmless


def plain_rows(title: str, rows: Sequence[Row]) -> str:
    title, rows = redacted(title), redacted_tree(list(rows))
    width = max((len(row.label) for row in rows), default=0)
    lines = [f"{row.label.ljust(width)}  {row.value}" + (f"  [{row.via}]" if row.via else "") for row in rows]
    return "\n".join(harmless(line) for line in (title, *lines))
