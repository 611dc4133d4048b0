"""What is said to stand behind a row does: a lock's quotation has a lock among its sources, a file's hash is whole."""

from collections.abc import Iterator

from cudafit.matrix.folder import BUILDS, Flaw, Folder
from cudafit.model.matrix import LOCK, WHEEL

NAME = "evidence"
_BYTES = ("wheel", "bytes", "sdist")


def check(folder: Folder) -> Iterator[Flaw]:
    kinds = {entry.record.name: entry.record.kind for entry in folder.entries("sources")}
    extra = {entry.record.name for entry in folder.entries("indexes") if entry.record.kind == "extra"}
    for entry in folder.entries(BUILDS):
        row = entry.record
        told = {kinds.get(name) for name in row.sources}
        if row.evidence == LOCK and "lock" not in told:
            yield entry.flaw(NAME, "no source of the row is a lock")
        if row.evidence == WHEEL and row.index in extra and not told & set(_BYTES):
            yield entry.flaw(NAME, "no source of the row is a wheel")
    for entry in folder.entries("conda_builds"):
        if entry.record.evidence == LOCK and "lock" not in {kinds.get(name) for name in entry.record.sources}:
            yield entry.flaw(NAME, "no source of the row is a lock")
