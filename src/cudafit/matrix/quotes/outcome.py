"""What came of a reading of locks, for people: each quoted file is accounted for."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from cudafit.model.matrix import Build, CondaBuild, QuotedWheels, Source

# What became of a quoted wheel or package of conda.
CONFIRMED = "confirmed"  # a row told of it already
ADDED = "added"  # a row is new, or tells of a Python or a tag more
SETTLED = "settled"  # a row contradicted it, and the note says so
RECORDED = "recorded"  # its hash is kept; the matrix has no row for such builds
REFUSED = "refused"  # its hash contradicts another
LEFT = "left"  # of an index or a package that the matrix does not tell of


@dataclass
class Outcome:
    """The rows as they are to be, and what is to be said. `refused` are contradictions in which nobody is believed."""

    builds: dict[str, list[Build]] = field(default_factory=dict)  # whole packages, for those that change
    conda: list[CondaBuild] | None = None  # all of them, where one changes
    wheels: list[QuotedWheels] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    counted: Counter[str] = field(default_factory=Counter)
    added: list[str] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    disputed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)

    def lines(self) -> Iterator[str]:
        """The contradictions first, and then what became of every quoted file."""
        yield from (f"refused: {text}" for text in self.refused)
        yield from (f"disputed: {text}" for text in self.disputed)
        yield from (f"settled: {text}" for text in self.settled)
        yield from (f"added: {text}" for text in self.added)
        yield from (f"not taken: {text} ({count})" for text, count in sorted(self.left.items()))
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(self.counted.items()) if count)
        yield f"quoted files: {counts or 'none'}"
