"""Screens for people, drawn with rich: the only module that imports it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import IO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cudafit.render.row import Row
from cudafit.system.secrets import redacted, redacted_tree
from cudafit.system.text import harmless

_STYLES = {"plain": "", "good": "green", "warn": "yellow", "bad": "bold red", "quiet": "dim", "command": ""}
_PIPE_WIDTH = 120


def print_rows(title: str, rows: Sequence[Row], out: IO[str], *, color: bool) -> None:
    """Three columns: label, value, via. In a pipe every row is one line, so that other programs can cut it."""
    title, rows = redacted(title), redacted_tree(list(rows))
    if not out.isatty():
        _print_plain(title, rows, out, color=color)
        return
    console = Console(file=out, no_color=not color, highlight=False, soft_wrap=False)
    console.print(Text(harmless(title), style="bold"))
    labels = max((len(harmless(row.label)) for row in rows), default=0)
    for is_command, some in groupby(rows, key=lambda row: row.tone == "command"):
        if is_command:  # the terminal breaks a long line, and gives it back whole to whoever copies it
            for row in some:
                console.print(Text(f"    {harmless(row.value)}"), soft_wrap=True)
        else:
            console.print(_table(some, labels, console.width))


def _table(rows: Iterable[Row], labels: int, width: int) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(style="cyan", no_wrap=True, min_width=labels)
    table.add_column(overflow="fold", ratio=3)
    narrow = max(16, width // 4)
    table.add_column(style="dim", overflow="fold", max_width=narrow)
    for row in rows:
        value, via = Text(harmless(row.value), style=_STYLES[row.tone]), harmless(row.via)
        if len(via) > narrow:  # below it, where there is room for a path
            value, via = value.append(f"\n{via}", style="dim"), ""
        table.add_row(Text(harmless(row.label)), value, Text(via))
    return table


@contextmanager
def progress_bar(out: IO[str]) -> Iterator[Callable[[int, int], None]]:
    """Gives a function to tell how many of how many are done; in a pipe nothing is drawn."""
    if not out.isatty():
        yield lambda _done, _total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn  # noqa: PLC0415

    with Progress(
        BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=Console(file=out), transient=True
    ) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _print_plain(title: str, rows: Sequence[Row], out: IO[str], *, color: bool) -> None:
    console = Console(file=out, force_terminal=color, no_color=not color, highlight=False, width=_PIPE_WIDTH)
    label_width = max((len(harmless(row.label)) for row in rows), default=0)
    console.print(Text(harmless(title), style="bold"), soft_wrap=True)
    for row in rows:
        line = Text(harmless(row.label).ljust(label_width) + "  ", style="cyan")
        line.append(harmless(row.value), style=_STYLES[row.tone])
        if row.via:
            line.append(f"  [{harmless(row.via)}]", style="dim")
        console.print(line, soft_wrap=True)
