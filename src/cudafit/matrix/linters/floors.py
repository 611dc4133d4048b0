"""A newer toolkit never ships an older driver than its major did before, and none lies below its major's floor."""

from collections.abc import Iterator
from typing import Any

from cudafit.matrix.folder import Entry, Flaw, Folder
from cudafit.model.versions import numbers

NAME = "floors"
DRIVERS = ("linux_driver", "windows_driver")
# Minor-version compatibility begins with it: a build of an older major needs the driver of its own toolkit.
FIRST_WITH_FLOOR = 11


def check(folder: Folder) -> Iterator[Flaw]:
    floors = {entry.record.major: entry.record for entry in folder.entries("floors")}
    majors: dict[str, list[Entry]] = {}
    for entry in folder.entries("toolkits"):
        majors.setdefault(entry.record.cuda.split(".")[0], []).append(entry)
    for major, entries in majors.items():
        if (
            int(major) >= FIRST_WITH_FLOOR
            and major not in floors
            and any(getattr(e.record, name) for e in entries for name in DRIVERS)
        ):
            yield entries[0].flaw(NAME, f"CUDA {major} has no floor")
        for name in DRIVERS:
            yield from _monotone(sorted(entries, key=lambda e: numbers(e.record.cuda)), name, floors.get(major))


def _monotone(entries: list[Entry], name: str, floor: Any) -> Iterator[Flaw]:
    before: Entry | None = None
    lowest = getattr(floor, name, None)
    for entry in entries:
        driver = getattr(entry.record, name)
        if driver is None:
            continue
        if before is not None and numbers(driver) < numbers(getattr(before.record, name)):
            older = f"CUDA {before.record.cuda} ships {getattr(before.record, name)}"
            yield entry.flaw(NAME, f"{name} {driver} of CUDA {entry.record.cuda} goes down: {older}")
        # The first toolkits of a major may ship a driver below the floor that was announced later; a note says so.
        if lowest is not None and numbers(driver) < numbers(lowest) and not entry.record.note:
            below = f"{name} {driver} of CUDA {entry.record.cuda} is below the floor {lowest}"
            yield entry.flaw(NAME, below, "warning")
        before = entry
