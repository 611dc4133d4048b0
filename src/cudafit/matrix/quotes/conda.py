"""conda's builds as locks quote and recipes announce them, laid beside the rows: one a feedstock's version, CUDA and
platform."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from cudafit.matrix.quotes.cells import Cell, in_order
from cudafit.matrix.quotes.outcome import ADDED, CONFIRMED, LEFT, RECORDED, Outcome
from cudafit.matrix.quotes.places import Places
from cudafit.matrix.quotes.row import stronger
from cudafit.model.frameworks import FRAMEWORKS
from cudafit.model.matrix import LISTING, LOCK, UNREAD_KERNELS, CondaBuild, Source
from cudafit.model.quoted import CondaListed, CondaQuote
from cudafit.model.versions import natural_key, numbers

FORGE = "conda-forge"
Key = tuple[str, str, str, str]  # feedstock, version, CUDA, platform

_FEEDSTOCKS = {name: one.feedstock for one in FRAMEWORKS if one.feedstock for name in (*one.conda, *one.conda_kinds)}
_CUDA = re.compile(r"(?:^|_)cuda_?(\d\d)(\d)(?!\d)")
_PYTHON = re.compile(r"py(\d)(\d{1,2})(?=_|h)")
_LIBRARY = re.compile(r"(?:lib)?cudnn")


class Conda:
    """What locks quote of conda-forge: `cells` have the hashes, of every package."""

    def __init__(self, quotes: Iterable[CondaQuote], places: Places, outcome: Outcome) -> None:
        self.cells: dict[Key, Cell] = {}
        self._depends: dict[str, tuple[str, ...]] = {}
        for quote in quotes:
            index = places.name_of(quote.index, (quote.place,), "")
            if index != FORGE:
                outcome.left[f"{quote.package}: of a channel that the matrix does not name"] += 1
                outcome.counted[LEFT] += 1
                continue
            key = (quote.package, quote.version, quote.platform, FORGE)
            cell = self.cells.setdefault(key, Cell(*key, ""))
            cell.hashes.setdefault(quote.file, {}).setdefault(quote.sha256, []).append(quote.source)
            if quote.depends:
                self._depends.setdefault(quote.file, quote.depends)

    def builds(self, outcome: Outcome) -> dict[Key, Cell]:
        """The builds for CUDA of feedstocks that the matrix tells of, by what a row is about."""
        found: dict[Key, Cell] = {}
        for cell in self.cells.values():
            feedstock = _FEEDSTOCKS.get(cell.package)
            for file, told in cell.hashes.items():
                match = _CUDA.search(_build(file))
                if feedstock is None or match is None:
                    outcome.counted[RECORDED] += sum(map(len, told.values()))
                    continue
                key = (feedstock, cell.version, f"{match[1]}.{match[2]}", cell.platform)
                found.setdefault(key, Cell(feedstock, cell.version, cell.platform, FORGE, "")).hashes[file] = told
        return found

    def requires(self, cell: Cell) -> tuple[str, ...]:
        """The cuDNN that a build asks for: of several builds, what the least of them does."""
        asked = [text for file in cell.hashes if (text := _library(self._depends.get(file, ())))]
        return (min(asked, key=_strictness),) if asked else ()


def laid(
    rows: Sequence[CondaBuild], conda: Conda, listed: Iterable[CondaListed], outcome: Outcome
) -> list[CondaBuild] | None:
    """The rows as they are to be; None where nothing changes."""
    found = {_key(row): row for row in rows}
    for one in listed:
        _lay_listed(found, one, outcome)
    for key, cell in sorted(conda.builds(outcome).items(), key=lambda item: natural_key(" ".join(item[0]))):
        _lay_cell(found, key, cell, conda.requires(cell), outcome)
    changed = sorted(_completed(found.values()), key=_order)
    return changed if changed != list(rows) else None


def _lay_listed(found: dict[Key, CondaBuild], one: CondaListed, outcome: Outcome) -> None:
    key = (one.feedstock, one.version, one.cuda, one.platform)
    if one.feedstock not in _FEEDSTOCKS.values():
        outcome.left[f"{one.feedstock}: the matrix has no such feedstock"] += 1
        return
    if ".dev" in one.version:
        outcome.left[f"{one.feedstock} {one.version}: in development, and never on the channel"] += 1
        return
    before = found.get(key)
    row = before or _new(key, found.values())
    pythons = in_order({*row.pythons, *one.pythons})
    evidence = stronger(row.evidence, one.evidence)
    _keep(found, before, replace(row, pythons=pythons, evidence=evidence), [one.source], outcome)
    outcome.counted["listing: confirmed" if found[key] == before else "listing: taken"] += 1


def _lay_cell(found: dict[Key, CondaBuild], key: Key, cell: Cell, requires: tuple[str, ...], outcome: Outcome) -> None:
    before = found.get(key)
    row = before or _new(key, found.values())
    quoted = {f"{match[1]}.{match[2]}" for file in cell.hashes if (match := _PYTHON.search(_build(file)))}
    # What locks quote is not all that there is: where nobody has told all the Pythons, they stay unknown.
    pythons = in_order({*row.pythons, *quoted}) if row.pythons else ()
    evidence = stronger(row.evidence, LOCK if cell.is_hashed else LISTING)
    least = min((*row.requires, *requires), key=_strictness, default=None)
    row = replace(row, pythons=pythons, evidence=evidence, requires=(least,) if least else ())
    _keep(found, before, row, cell.sources, outcome)
    for file, told in cell.hashes.items():
        match = _PYTHON.search(_build(file))
        is_new = before is None or (match and before.pythons and f"{match[1]}.{match[2]}" not in before.pythons)
        outcome.counted[ADDED if is_new else CONFIRMED] += sum(map(len, told.values()))


def _keep(
    found: dict[Key, CondaBuild],
    before: CondaBuild | None,
    row: CondaBuild,
    told: Sequence[Source],
    outcome: Outcome,
) -> None:
    """With whoever tells what is new of it."""
    if row == before:
        return
    found[_key(row)] = replace(row, sources=tuple(dict.fromkeys((*(one.name for one in told), *row.sources))))
    outcome.sources.update({one.name: one for one in told})
    if before is None:
        outcome.added.append(f"{row.feedstock} {row.version} for CUDA {row.cuda} ({row.platform}, {FORGE})")


def _new(key: Key, rows: Iterable[CondaBuild]) -> CondaBuild:
    """Where the kernels of its release are known for another CUDA, not to know them is a doubt."""
    feedstock, version, cuda, platform = key
    unread = any(row.kernels for row in rows if (row.feedstock, row.version) == (feedstock, version))
    note = UNREAD_KERNELS if unread else None
    return CondaBuild(feedstock, version, cuda, platform, verified=not unread, note=note)


def _completed(rows: Iterable[CondaBuild]) -> Iterator[CondaBuild]:
    """A recipe asks for its cuDNN alike on all platforms: what the locks of one tell holds for the others."""
    known = list(rows)
    told: dict[tuple[str, str, int], CondaBuild] = {}
    for row in known:
        if row.requires:
            release = (row.feedstock, row.version, numbers(row.cuda)[0])
            least = min(told.get(release, row), row, key=lambda one: _strictness(one.requires[0]))
            told[release] = least
    for row in known:
        other = told.get((row.feedstock, row.version, numbers(row.cuda)[0]))
        if row.requires or other is None:
            yield row
        else:
            sources = tuple(dict.fromkeys((*row.sources, *other.sources[:1])))
            yield replace(row, requires=other.requires, sources=sources)


def _build(file: str) -> str:
    return file.rpartition("-")[2]


def _library(depends: Iterable[str]) -> str | None:
    """`cudnn >=9.10.1.4,<10.0a0` and `cudnn <9.11` as `cudnn>=9.10.1.4,<10.0a0,<9.11`."""
    parts = [text.split(" ") for text in depends]
    ours = [part for part in parts if _LIBRARY.fullmatch(part[0]) and len(part) == 2 and part[1][0] in "<>=!~"]
    limits = sorted({one for part in ours for one in part[1].split(",")}, key=lambda one: (one[0] == "<", one))
    return f"{ours[0][0]}{','.join(limits)}" if ours else None


def _strictness(text: str) -> tuple[object, ...]:
    least = re.search(r">=([\d.]+)", text)
    return (numbers(least[1]) if least else (), text.count(","), text)


def _key(row: CondaBuild) -> Key:
    return (row.feedstock, row.version, row.cuda, row.platform)


def _order(row: CondaBuild) -> tuple[object, ...]:
    return (row.feedstock, natural_key(row.version), numbers(row.cuda), row.platform)
