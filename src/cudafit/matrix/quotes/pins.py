"""What the wheels of a cell require, by what locks tell; a project may have overridden some of it in its lock."""

import re
from collections import Counter
from collections.abc import Iterable

from cudafit.matrix.harvest.requirements import KEPT
from cudafit.matrix.quotes.cells import Cell
from cudafit.model.matrix import Source
from cudafit.model.quoted import ANY, Pin

_NAME = re.compile(r"([a-z0-9-]+)(?:\[[^\]]*\])?")
# Required by a range, so the version taken tells only that it lies within.
_RANGES = ("cuda-bindings", "numpy", "torch")
_BARE_TOOLKIT = re.compile(r"cuda-toolkit[^\[]*")


class Pins:
    """The pins of all cells; `disputed` collects what locks tell differently."""

    def __init__(self, pins: Iterable[tuple[Pin, str]]) -> None:
        self._by_cell: dict[tuple[str, str, str], list[Pin]] = {}
        self.disputed: dict[str, None] = {}
        for pin, index in pins:
            self._by_cell.setdefault((pin.package, pin.version, index), []).append(pin)

    def of(self, cell: Cell) -> tuple[tuple[str, ...], list[Source]]:
        """The requirements, sorted, and who tells them."""
        told = self._by_cell.get((cell.package, cell.full_version, cell.index), [])
        by_name: dict[str, list[Pin]] = {}
        for pin in told:
            name = _NAME.match(pin.requirement)
            if name and KEPT.match(name[1]) and _is_of(pin, cell) and not _BARE_TOOLKIT.fullmatch(pin.requirement):
                by_name.setdefault(name[1], []).append(pin)
        chosen = [found for name, pins in sorted(by_name.items()) if (found := self._chosen(cell, name, pins))]
        sources = {pin.source.name: pin.source for pin in chosen}
        return tuple(sorted({pin.requirement for pin in chosen})), _fewest(chosen, sources)

    def _chosen(self, cell: Cell, name: str, pins: list[Pin]) -> Pin | None:
        """As the metadata has it, where a lock tells that; else the version that most locks have, if one has most."""
        exact = [pin for pin in pins if pin.exact]
        votes: Counter[str] = Counter()
        for pin in exact or pins:
            votes[pin.requirement] += pin.votes
        if not exact and name in _RANGES:
            return None
        ranked = votes.most_common()
        if len(ranked) > 1:
            words = " and ".join(f"{text} ({count})" for text, count in ranked)
            self.disputed[f"{cell.package} {cell.full_version} ({cell.platform}): locks tell {words}"] = None
            if ranked[0][1] == ranked[1][1]:
                return None
        return next(pin for pin in exact or pins if pin.requirement == ranked[0][0])


def _is_of(pin: Pin, cell: Cell) -> bool:
    """What is told of all of Linux is told by x86_64's wheels, whose metadata a lock holds for all."""
    if pin.platform in (cell.platform, ANY):
        return pin.platform != ANY or cell.platform == "linux-x86_64" or pin.exact
    return pin.platform == "linux" and cell.platform == "linux-x86_64"


def _fewest(pins: list[Pin], sources: dict[str, Source]) -> list[Source]:
    counted = Counter(pin.source.name for pin in pins)
    return [sources[name] for name, _ in counted.most_common()]
