"""The hashes of quoted wheels: kept, so that a later lock that tells another is found out."""

from collections.abc import Iterable, Iterator, MutableMapping

from cudafit.matrix.quotes.cells import Cell
from cudafit.model.matrix import DEFAULT_INDEX, Matrix, QuotedWheels, Source
from cudafit.model.versions import natural_key

UNKNOWN = "-"


class Hashes:
    """What is known by now: what wheels were read as, and what locks quoted before."""

    def __init__(self, matrix: Matrix) -> None:
        self._rows = {(row.package, row.version, row.platform, row.index): row for row in matrix.facts.wheels}
        self._known: dict[tuple[str, str], tuple[str, str]] = {}
        for row in matrix.facts.wheels:
            for file, sha256 in map(_parts, row.files):
                self._known[row.index, file] = (sha256, " ".join(row.sources))
        for source in matrix.facts.sources:
            if source.kind == "wheel" and source.file and source.sha256:
                self._known.setdefault((DEFAULT_INDEX, source.file), (source.sha256, source.name))

    def refused(self, cell: Cell) -> Iterator[tuple[str, int]]:
        """Takes the files with two hashes out of the cell, and says who tells what."""
        for file, told in list(cell.hashes.items()):
            given = {sha256: sources[0].name for sha256, sources in told.items() if sha256}
            sha256, by = self._known.get((cell.index, file), (UNKNOWN, ""))
            if sha256 != UNKNOWN:
                given = {sha256: by, **{one: name for one, name in given.items() if one != sha256}}
            if len(given) > 1:
                words = ", ".join(f"sha256 {one[:12]}… by {name}" for one, name in given.items())
                yield f"{cell.index}: {file}: {words}; neither is taken", sum(map(len, told.values()))
                del cell.hashes[file]

    def rows(self, cells: Iterable[Cell], sources: MutableMapping[str, Source]) -> list[QuotedWheels]:
        """All of them, the old ones with the new."""
        rows = dict(self._rows)
        for cell in cells:
            if not cell.hashes or cell.index == DEFAULT_INDEX:
                continue
            key = (cell.package, cell.full_version, cell.platform, cell.index)
            files = dict(map(_parts, rows[key].files)) if key in rows else {}
            for file, told in cell.hashes.items():
                sha256 = next((one for one in told if one), None)
                if sha256 or file not in files:
                    files[file] = sha256 or files.get(file, UNKNOWN)
            named = [source.name for source in cell.sources]
            before = rows[key].sources if key in rows else ()
            changed = key not in rows or set(files.items()) != set(map(_parts, rows[key].files))
            told_by = tuple(dict.fromkeys((*before, *(named if changed else ()))))
            sources.update({source.name: source for source in cell.sources if source.name in told_by})
            ordered = sorted(files.items(), key=lambda item: natural_key(item[0]))
            rows[key] = QuotedWheels(*key, tuple(f"{file}={sha256}" for file, sha256 in ordered), told_by)
        return sorted(rows.values(), key=lambda row: (row.package, natural_key(row.version), row.index, row.platform))


def _parts(text: str) -> tuple[str, str]:
    file, _, sha256 = text.rpartition("=")
    return file, sha256
