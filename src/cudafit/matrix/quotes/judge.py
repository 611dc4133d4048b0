"""What locks quote, laid beside the rows of a matrix. A stronger kind of evidence settles a contradiction; between two
locks that tell different hashes of one file nobody is believed."""

import re
from collections.abc import Iterable, Mapping

from cudafit.matrix.quotes.cells import Cell, Key, cells_of
from cudafit.matrix.quotes.conda import Conda, laid
from cudafit.matrix.quotes.hashes import Hashes
from cudafit.matrix.quotes.outcome import ADDED, CONFIRMED, LEFT, RECORDED, REFUSED, SETTLED, Outcome
from cudafit.matrix.quotes.pins import Pins
from cudafit.matrix.quotes.places import Places
from cudafit.matrix.quotes.release import FAMILY, TORCH, TRITON, completed, unmarked
from cudafit.matrix.quotes.row import listed_row, local_of, new_row, strength, with_cell, with_listing
from cudafit.model.matrix import DEFAULT_INDEX, LOCK, Build, Matrix, Source
from cudafit.model.quoted import Listed, Quotes
from cudafit.model.versions import natural_key

_VARIANT = re.compile(r"pytorch-(cpu|cu\d+)")


def judged(matrix: Matrix, read: Iterable[Quotes], places: Places) -> Outcome:
    """Nothing is taken of a file whose hash is disputed."""
    quotes = list(read)
    outcome = Outcome()
    cells, unknown, strange = cells_of((one for part in quotes for one in part.wheels), places)
    for quote in unknown:
        outcome.left[f"{quote.package}: of an index that the matrix does not name"] += 1
    for quote in strange:
        outcome.left[f"{quote.package}: its name is no wheel's for a machine that can have an NVIDIA GPU"] += 1
    if unknown or strange:
        outcome.counted[LEFT] += len(unknown) + len(strange)
    hashes = Hashes(matrix)
    conda = Conda((one for part in quotes for one in part.conda), places, outcome)
    every = [*cells.values(), *conda.cells.values()]
    for cell in every:
        for text, count in hashes.refused(cell):
            outcome.refused.append(text)
            outcome.counted[REFUSED] += count
    named = [
        (pin, places.name_of(pin.index, pin.places, pin.version.partition("+")[2])) for q in quotes for pin in q.pins
    ]
    pins = Pins((pin, index) for pin, index in named if index)
    rows = _Rows(matrix.builds, outcome)
    for cell in sorted(
        cells.values(), key=lambda one: (one.package, natural_key(one.version), one.index, one.platform)
    ):
        if cell.hashes:
            rows.lay(cell, pins)
    rows.listings((one for part in quotes for one in part.listed), cells)
    listed = (one for part in quotes for one in part.conda_listed)
    outcome.conda = laid(matrix.facts.conda_builds, conda, listed, outcome)
    outcome.wheels = hashes.rows(every, outcome.sources)
    outcome.disputed += sorted(pins.disputed)
    rows.finish()
    return outcome


class _Rows:
    """The rows of each package, as they change."""

    def __init__(self, builds: Mapping[str, tuple[Build, ...]], outcome: Outcome) -> None:
        self._before = builds
        self._rows = {name: list(rows) for name, rows in builds.items()}
        self._outcome = outcome

    def lay(self, cell: Cell, pins: Pins) -> None:
        outcome, count = self._outcome, sum(len(told) for told in cell.hashes.values())
        if cell.package not in self._rows:
            kind = LEFT if cell.index == DEFAULT_INDEX else RECORDED
            outcome.counted[kind] += count
            outcome.left[f"{cell.package}: the matrix has no such package"] += count
            return
        pinned, by = pins.of(cell)
        places = self._of(cell)
        variant = _VARIANT.fullmatch(cell.index)
        if not places and variant and (release := self._release(cell.package, cell.version)):
            row = new_row(cell, variant[1], release, pinned, by)
            self._rows[cell.package].append(row)
            outcome.added.append(_label(row))
            outcome.counted[ADDED] += count
            self._use((*cell.sources, *by), row)
            return
        if not places:
            outcome.counted[RECORDED] += count
            return
        for place in places:
            before = self._rows[cell.package][place]
            after, settled = with_cell(before, cell, pinned, by)
            self._rows[cell.package][place] = after
            outcome.settled += [f"{_label(after)}: {text}" for text in settled]
            self._use((*cell.sources, *by), after)
        self._count(before, cell, outcome)

    def _count(self, before: Build, cell: Cell, outcome: Outcome) -> None:
        for file, told in cell.hashes.items():
            python, tag = file.removesuffix(".whl").split("-")[-3:][0], file.removesuffix(".whl").rpartition("-")[2]
            if local_of(cell) != before.local or (before.tags and not set(tag.split(".")) <= set(before.tags)):
                kind = SETTLED
            elif not before.tags or not _has_python(before, python, file):
                kind = ADDED
            else:
                kind = CONFIRMED
            outcome.counted[kind] += len(told)

    def listings(self, listed: Iterable[Listed], cells: Mapping[Key, Cell]) -> None:
        for one in listed:
            variant = _VARIANT.fullmatch(one.index)
            if one.package not in self._rows or variant is None:
                self._outcome.left[f"{one.package}: the matrix has no such package"] += 1
                continue
            rows = self._rows[one.package]
            quoted = cells.get((one.package, one.version, one.platform, one.index))
            found = [
                place
                for place, row in enumerate(rows)
                if (row.version, row.platform, row.index) == (one.version, one.platform, one.index)
            ]
            if not one.pythons:
                self._absent(one, found)
            elif found:
                row, settled = with_listing(rows[found[0]], one, quoted.pythons if quoted else ())
                self._outcome.counted["listing: confirmed" if row == rows[found[0]] else "listing: taken"] += 1
                rows[found[0]] = row
                self._outcome.settled += [f"{_label(row)}: {text}" for text in settled]
                self._use((one.source,), row)
            elif release := self._release(one.package, one.version):
                row = listed_row(one, variant[1], release)
                rows.append(row)
                self._outcome.added.append(_label(row))
                self._outcome.counted["listing: taken"] += 1
                self._use((one.source,), row)

    def _absent(self, one: Listed, found: list[int]) -> None:
        """A listing that names no wheel ends a row that rests on less than a lock."""
        rows = self._rows[one.package]
        outcome = self._outcome
        for place in reversed(found):
            if strength(rows[place].evidence) <= strength(LOCK):
                outcome.settled.append(f"{_label(rows[place])}: a listing has no wheel, and a lock quotes one")
            else:
                outcome.settled.append(f"{_label(rows[place])}: removed, {one.source.name} lists no wheel of it")
                del rows[place]
        outcome.counted["listing: taken" if found else "listing: confirmed"] += 1

    def _release(self, package: str, version: str) -> list[Build]:
        """Its rows; none for a package whose builds are for any CUDA, and so the same on every index."""
        rows = [row for row in self._rows[package] if row.version == version]
        return [] if all(row.variant in ("any", "source") for row in rows) else rows

    def _of(self, cell: Cell) -> list[int]:
        return [
            place
            for place, row in enumerate(self._rows[cell.package])
            if (row.version, row.platform, row.index) == (cell.version, cell.platform, cell.index)
        ]

    def _use(self, told: Iterable[Source], row: Build) -> None:
        for source in told:
            if source.name in row.sources:
                self._outcome.sources[source.name] = source

    def finish(self) -> None:
        """Only what changes; what a release's wheels on the default index tell of it holds for its other builds."""
        if TORCH in self._rows:
            self._rows[TORCH] = list(completed(self._rows[TORCH], self._rows.get(TRITON, ())))
        for name in FAMILY:
            if name in self._rows:
                self._rows[name] = list(unmarked(self._rows[name]))
        for name, rows in self._rows.items():
            if rows != list(self._before[name]):
                self._outcome.builds[name] = rows


def _has_python(row: Build, python: str, file: str) -> bool:
    free = re.search(r"-cp\d+t-", file) is not None
    version = f"{python[2]}.{python[3:]}{'t' if free else ''}" if re.fullmatch(r"cp\d\d+", python) else ""
    return not version or version in row.pythons or f"{version}+" in row.pythons


def _label(row: Build) -> str:
    return f"{row.name} {row.version} {row.variant} ({row.platform}, {row.index})"
