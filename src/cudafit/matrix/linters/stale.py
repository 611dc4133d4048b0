"""Facts age: a matrix that nobody has read anew for long is said to be old."""

from collections.abc import Iterator
from datetime import date

from cudafit.matrix.folder import Flaw, Folder

NAME = "stale"
DAYS = 120


def check(folder: Folder, today: date) -> Iterator[Flaw]:
    dates = [entry for entry in folder.entries("sources") if entry.record.read]
    if not dates:
        return
    newest = max(dates, key=lambda entry: entry.record.read)
    try:
        age = (today - date.fromisoformat(newest.record.read)).days
    except ValueError:
        yield newest.flaw(NAME, f"`{newest.record.read}` is no date such as 2026-11-21")
        return
    if age > DAYS:
        yield newest.flaw(NAME, f"no source was read for {age} days", "warning")
