"""The linters of matrix files: each a name, what it holds, and a function from a folder to its flaws."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from cudafit.matrix.folder import Flaw, Folder
from cudafit.matrix.linters import (
    canonical,
    evidence,
    floors,
    kernels,
    newest,
    pairing,
    references,
    sources,
    stale,
    unique,
)


@dataclass(frozen=True)
class Linter:
    """`check` is pure: the same folder gives the same flaws."""

    name: str
    holds: str
    check: Callable[[Folder], Iterable[Flaw]]


LINTERS = (
    Linter("schema", "every file is known, readable, and every row describes a record", lambda folder: folder.flaws),
    Linter("canonical", "every file is written in the one canonical way", canonical.check),
    Linter("unique", "no two rows describe the same thing", unique.check),
    Linter("sources", "every row has a source, every source is used and exists", sources.check),
    Linter(
        "evidence", "a row that a lock or a wheel is said to stand behind has one among its sources", evidence.check
    ),
    Linter("references", "every index, toolkit, cuDNN version and kernel that a row names exists", references.check),
    Linter("newest", "no row names a toolkit that is newer than the newest known", newest.check),
    Linter("floors", "within a CUDA major the drivers never go down, and none lies below the floor", floors.check),
    Linter("kernels", "a build's kernels lie within what its toolkit can compile", kernels.check),
    Linter("pairing", "what names an exact torch, jaxlib or tensorflow finds it in the matrix", pairing.check),
)


def check(folder: Folder, today: date | None = None) -> list[Flaw]:
    """All flaws of a folder, in the order of its files. With a date, stale facts are warned of."""
    flaws = [flaw for linter in LINTERS for flaw in linter.check(folder)]
    if today is not None:
        flaws += stale.check(folder, today)
    return sorted(flaws, key=lambda flaw: (flaw.file, flaw.line, flaw.linter))
