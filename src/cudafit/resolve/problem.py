"""A request on some kinds of machines, with the matrix at hand: what the search and the explanations ask of."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from cudafit.model.matrix import Build, Facts
from cudafit.model.requirement import Wanted, applies, merged
from cudafit.resolve.candidates import Candidate, Field, field_of
from cudafit.resolve.conda import FEEDSTOCKS, conda_builds
from cudafit.resolve.drivers import FACTS as DRIVER_FACTS
from cudafit.resolve.drivers import Drivers
from cudafit.resolve.host import GPU, Kind
from cudafit.resolve.libraries import Cap, Lack, Libraries, is_collective
from cudafit.resolve.pins import Clash, Sharing, requirements
from cudafit.resolve.request import Request
from cudafit.resolve.rules import Judged, Setting
from cudafit.resolve.search import Combination, best


class Book(Protocol):
    """The matrix, read as far as it is asked for."""

    @property
    def version(self) -> str:
        """As `2026.11.21`, with a mark of the user's own rows behind a `+`."""

    @property
    def packages(self) -> Mapping[str, int]:
        """The packages, with the number of their builds."""

    def builds(self, name: str) -> tuple[Build, ...]:
        """Of one package; none for a package that the matrix does not hold."""

    def facts(self, *lists: str) -> Facts:
        """The named lists."""


class Library:
    """The matrix with what was read of it kept, shared by all problems of one question."""

    def __init__(self, book: Book) -> None:
        self.book = book
        facts = book.facts(*DRIVER_FACTS, "libraries", "places", "names", "indexes")
        self.facts = facts
        # A matrix is dated `2026.11.21`; months are what driver branches are dated by.
        self.drivers = Drivers(facts, "-".join(book.version.split("+")[0].split(".")[:2]))
        self.libraries = Libraries(facts.libraries)
        self.sharing = Sharing(facts.places)
        self.indexes = {row.name: row for row in facts.indexes}
        self.judged: Judged = {}
        self._builds: dict[tuple[str, tuple[str, ...]], tuple[Build, ...]] = {}

    def builds(self, name: str) -> tuple[Build, ...]:
        if (name, ()) not in self._builds:
            self._builds[name, ()] = self.book.builds(name)
        return self._builds[name, ()]

    def conda_builds(self, name: str, platforms: tuple[str, ...]) -> tuple[Build, ...]:
        if (name, platforms) not in self._builds:
            self._builds[name, platforms] = conda_builds(name, self.book.facts("conda_builds"), platforms)
        return self._builds[name, platforms]

    def means(self, name: str, kind: str) -> tuple[str, ...]:
        """The packages that a name stands for: `cupy` is one of cupy-cuda11x, -12x, -13x."""
        return next((row.means for row in self.facts.names if row.name == name and row.kind == kind), ())

    def knows(self, name: str) -> bool:
        return name in self.book.packages or bool(self.means(name, "stand-in"))


class Problem:
    """One request, on kinds of machines, for one Python."""

    def __init__(self, library: Library, request: Request, kinds: Sequence[Kind], python: str) -> None:
        self.library = library
        self.request = request
        self.kinds = kinds
        self.python = python
        self.capabilities = tuple(sorted({gpu for kind in kinds for gpu in kind.capabilities}))
        words = merged(item for item in request.wanted if all(applies(item, kind.platform, python) for kind in kinds))
        self.words = words
        self._others = {name: items for name, items in words.items() if not self.is_ours(name)}
        self._setting = Setting(library.drivers, library.libraries, python, library.judged)
        self._fields: dict[str, Field] = {}

    def asked(self) -> list[str]:
        """The packages of ours that were asked for, in that order."""
        return [
            name
            for name, items in self.words.items()
            if self.is_ours(name) and not all(item.constraint or item.url for item in items)
        ]

    def is_ours(self, name: str) -> bool:
        """Whether the matrix tells of it; of conda's builds it tells those of a few feedstocks."""
        return name in FEEDSTOCKS if self.request.conda else self.library.knows(name)

    def field(self, name: str) -> Field:
        """A package that was asked for, under every name that may stand for it."""
        if name not in self._fields:
            names = (*self.library.means(name, "stand-in"),) or (name,)
            if self._on_cpu() and (small := self.library.means(name, "cpu-of")):
                names = (*small, name)
            builds = tuple(build for one in names for build in self._builds(one))
            self._fields[name] = field_of(
                name, builds, self.words.get(name, ()), self.request, self.kinds, self._setting, self._others
            )
        return self._fields[name]

    def solve(self) -> Combination | None:
        return best([self.field(name) for name in self.asked()], self)

    def solve_with(self, name: str, candidate: Candidate) -> Combination | None:
        """The best combination with this build of that package."""
        fields = [
            replace(self.field(one), candidates=(candidate,)) if one == name else self.field(one)
            for one in self.asked()
        ]
        return best(fields, self)

    def again(
        self, *, request: Request | None = None, kinds: Sequence[Kind] | None = None, python: str | None = None
    ) -> "Problem":
        """The same problem with something changed: what if the driver were newer, the version free, the CPU enough?"""
        return Problem(self.library, request or self.request, kinds or self.kinds, python or self.python)

    def names_brought(self, candidate: Candidate) -> list[str]:
        """What a build requires by name."""
        return [item.name for item in requirements(candidate.build)]

    # What the search asks for.

    def clash(self, one: Build, other: Build, extras: frozenset[str], other_extras: frozenset[str]) -> Clash | None:
        return self.library.sharing.clash(one, other, extras, other_extras)

    def along(self, name: str) -> Field | None:
        if name not in self.library.book.packages or self.request.conda:
            return None
        key = f"{name} along"
        if key not in self._fields:
            builds = self.library.builds(name)
            wants: tuple[Wanted, ...] = self.words.get(name, ())
            self._fields[key] = field_of(name, builds, wants, self.request, self.kinds, self._setting, self._others)
        return self._fields[key]

    def libraries(self, chosen: Sequence[Candidate], extras: Mapping[str, frozenset[str]]) -> list[Cap | Lack]:
        known = self.library.libraries.packages
        specifiers: dict[str, list[str]] = {}
        for candidate in chosen:
            for item in requirements(candidate.build, extras.get(candidate.build.name, frozenset())):
                if item.name in known:
                    specifiers.setdefault(item.name, []).append(item.specifier)
        for name, items in self._others.items():
            if name in specifiers:
                specifiers[name] += [item.specifier for item in items]
        judged = []
        for name, texts in specifiers.items():
            for platform in sorted({kind.platform for kind in self.kinds if kind.state == GPU}):
                answer = self.library.libraries.judge(name, tuple(sorted(set(texts))), platform, self.capabilities)
                if answer and not (isinstance(answer, Lack) and is_collective(name)):
                    judged.append(answer)
        return judged

    def _builds(self, name: str) -> tuple[Build, ...]:
        if not self.request.conda:
            return self.library.builds(name)
        return self.library.conda_builds(name, tuple(sorted({kind.platform for kind in self.kinds})))

    def _on_cpu(self) -> bool:
        return self.request.cpu or all(kind.state == "no-gpu" for kind in self.kinds)
