"""Quoted wheels by what a row of the matrix is about: a version of a package on one platform of one index."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from packaging.utils import InvalidWheelFilename

from cudafit.matrix.harvest.index import platform_of, python_of
from cudafit.matrix.quotes.places import Places
from cudafit.model.matrix import Source
from cudafit.model.quoted import Quote
from cudafit.model.versions import natural_key
from cudafit.model.wheel_names import wheel_parts

Key = tuple[str, str, str, str]  # package, version without its mark, platform, index


@dataclass
class Cell:
    """What locks tell of one cell: `hashes` by file, each with the sources that give it."""

    package: str
    version: str
    platform: str
    index: str
    local: str
    listed: tuple[str, ...] = ()  # Pythons that a listing tells
    hashes: dict[str, dict[str | None, list[Source]]] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return (self.package, self.version, self.platform, self.index)

    @property
    def full_version(self) -> str:
        return f"{self.version}+{self.local}" if self.local else self.version

    @property
    def pythons(self) -> set[str]:
        tags = [tag for file in self.hashes for tag in wheel_parts(file)[3]]
        return {*self.listed, *(found for tag in tags if (found := python_of(tag.interpreter, tag.abi)))}

    @property
    def tags(self) -> set[str]:
        return {tag.platform for file in self.hashes for tag in wheel_parts(file)[3]}

    @property
    def sources(self) -> list[Source]:
        """Each once: those that quote a hash first, and of them as few as name every file."""
        left, found = set(self.hashes), []
        by_source: dict[str, tuple[Source, set[str], bool]] = {}
        for file, told in self.hashes.items():
            for sha256, sources in told.items():
                for source in sources:
                    row = by_source.setdefault(source.name, (source, set(), sha256 is not None))
                    row[1].add(file)
        ordered = sorted(by_source.values(), key=lambda row: (not row[2], -len(row[1]), row[0].name))
        for source, files, _ in ordered:
            if files & left:
                found.append(source)
                left -= files
        return found

    @property
    def is_hashed(self) -> bool:
        return any(sha256 for told in self.hashes.values() for sha256 in told)


def cells_of(quotes: Iterable[Quote], places: Places) -> tuple[dict[Key, Cell], list[Quote], list[Quote]]:
    """The cells; the quotes of indexes that the matrix does not know, and those whose name is no wheel of ours."""
    cells: dict[Key, Cell] = {}
    unknown, strange = [], []
    for quote in quotes:
        try:
            name, version, _, tags = wheel_parts(quote.file)
        except (InvalidWheelFilename, ValueError):
            strange.append(quote)
            continue
        platforms = {found for tag in tags if (found := platform_of(tag.platform))}
        if str(name) != quote.package or len(platforms) != 1:
            strange.append(quote)
            continue
        local = version.local or ""
        index = places.name_of(quote.index, quote.places, local)
        if index is None:
            unknown.append(quote)
            continue
        key = (quote.package, version.public, platforms.pop(), index)
        cell = cells.setdefault(key, Cell(*key, local))
        if cell.local != local:
            strange.append(quote)
            continue
        cell.hashes.setdefault(quote.file, {}).setdefault(quote.sha256, []).append(quote.source)
    return cells, unknown, strange


def in_order(pythons: Iterable[str]) -> tuple[str, ...]:
    """`3.9`, `3.10`, `3.13`, `3.13t`."""
    return tuple(sorted(pythons, key=lambda text: (natural_key(text.rstrip("t+")), text)))
