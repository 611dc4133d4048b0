"""Rows that a notebook shows as a table, and a terminal as `cudafit` does in a pipe."""

from collections.abc import Sequence

from cudafit.render.html_table import html_table
from cudafit.render.human import text_of_rows
from cudafit.render.row import Row


class Table:
    """Shown by IPython: it takes the form that the frontend prefers."""

    def __init__(self, title: str, rows: Sequence[Row]) -> None:
        self.title = title
        self.rows = tuple(rows)

    def _repr_html_(self) -> str:
        return html_table(self.title, self.rows)

    def __repr__(self) -> str:
        return text_of_rows(self.title, self.rows)
