"""Rows as a table for notebooks: self-contained, without a script, and readable on a light and on a dark ground."""

import html
from collections.abc import Sequence

from cudafit.render.row import Row
from cudafit.system.secrets import redacted
from cudafit.system.text import harmless

# Of a middle lightness, so that each has a contrast of more than 4 with white and with nearly black.
_COLORS = {"plain": "", "good": "#1a8a3c", "warn": "#a86a00", "bad": "#e0393e", "quiet": "", "command": ""}
_CELL = "text-align:left;vertical-align:top;padding:2px 12px 2px 0;"


def html_table(title: str, rows: Sequence[Row]) -> str:
    """Every text is escaped: what stands in files of an environment may be anything."""
    lines = [
        '<table style="border-collapse:collapse;margin:4px 0">',
        f'<caption style="caption-side:top;text-align:left;font-weight:bold">{_safe(title)}</caption>',
        "<tbody>",
        *map(_line, rows),
        "</tbody>",
        "</table>",
    ]
    return "\n".join(lines)


def _line(row: Row) -> str:
    color = f"color:{_COLORS[row.tone]};" if _COLORS[row.tone] else ""
    quiet = "opacity:.65;" if row.tone == "quiet" else ""
    label = f"{_CELL}white-space:nowrap;font-weight:normal;opacity:.65"
    value = f"{_CELL}{color}{quiet}white-space:pre-wrap;overflow-wrap:anywhere"
    via = f"{_CELL}opacity:.65;overflow-wrap:anywhere"
    return (
        f'<tr><th scope="row" style="{label}">{_safe(row.label.strip())}</th>'
        f'<td style="{value}">{_safe(row.value)}</td><td style="{via}">{_safe(row.via)}</td></tr>'
    )


def _safe(text: str) -> str:
    return html.escape(harmless(redacted(text)))
