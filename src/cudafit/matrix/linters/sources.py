"""A fact without a source is no fact."""

from collections.abc import Iterator

from cudafit.matrix.folder import Flaw, Folder
from cudafit.matrix.linters.unique import KEYS

NAME = "sources"


def check(folder: Folder) -> Iterator[Flaw]:
    known = {entry.record.name: entry for entry in folder.entries("sources")}
    used: set[str] = set()
    for section in KEYS:
        if section == "sources":
            continue
        for entry in folder.entries(section):
            if not entry.record.sources:
                yield entry.flaw(NAME, "the row has no source")
            for name in entry.record.sources:
                used.add(name)
                if name not in known:
                    yield entry.flaw(NAME, f"no source is called `{name}`")
    for name, entry in known.items():
        if name not in used:
            yield entry.flaw(NAME, f"no row uses the source `{name}`")
        if entry.record.kind == "wheel" and not (entry.record.sha256 or "").isalnum():
            yield entry.flaw(NAME, f"the wheel `{name}` has no sha256")
