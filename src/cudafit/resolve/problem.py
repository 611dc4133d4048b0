"""A request on some kinds of machines, with the matrix at hand: what the search and the explanations ask of."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from cudafit.model.matrix import Build, Facts, NameHint
from cudafit.model.requirement import Wanted, applies, merged
from cudafit.resolve.candidates import Candidate, Field
from cudafit.resolve.conda import FEEDSTOCKS, conda_builds
from cudafit.resolve.drivers import FACTS as DRIVER_FACTS
from cudafit.resolve.drivers import Drivers
from cudafit.resolve.host import GPU, Kind
from cudafit.resolve.libraries import Cap, Lack, Libraries, is_collective
from cudafit.resolve.pins import Sharing, requirements
from cudafit.resolve.request import Request
from cudafit.resolve.rules import Judged, Setting
from cudafit.resolve.search import Combination, best, wanted_extras
from cudafit.resolve.stock import Stock
from cudafit.resolve.together import Agreements

# Every version of it that a build admits serves, and torch is not to read its rows for that.
_LEFT_TO_INSTALLERS = frozenset({"cuda-bindings"})


class Book(Protocol):
    """The matrix, read as far as it is asked for."""

    @property
    def version(self) -> str:
        """As `2026.11.21`, with a mark of the user's own rows behind a `+`."""

    @property
    def packages(self) -> Mapping[str, int]:
        """The packages, with the number of their builds."""

    @property
    def told(self) -> tuple[str, ...]:
        """What every answer from it has to say of it."""

    def builds(self, name: str) -> tuple[Build, ...]:
        """Of one package; none for a package that the matrix does not hold."""

    def facts(self, *lists: str) -> Facts:
        """The named lists."""


class Library:
    """The matrix with what was read of it kept, shared by all problems of one question."""

    def __init__(self, book: Book) -> None:
        self.book = book
        facts = book.facts(*DRIVER_FACTS, "libraries", "places", "names", "indexes", "agreements", "spares")
        self.facts = facts
        # A matrix is dated `2026.11.21`; months are what driver branches are dated by.
        self.drivers = Drivers(facts, "-".join(book.version.split("+")[0].split(".")[:2]))
        self.libraries = Libraries(facts.libraries)
        self.agreements = Agreements(facts.agreements, book.packages)
        self.sharing = Sharing(facts.places, self.agreements)
        self.indexes = {row.name: row for row in facts.indexes}
        self.judged: Judged = {}
        self._builds: dict[tuple[str, tuple[str, ...]], tuple[Build, ...]] = {}
        self._kinds: dict[Kind, Kind] = {}
        self.stocks: dict[tuple[object, ...], Stock] = {}

    def builds(self, name: str) -> tuple[Build, ...]:
        if (name, ()) not in self._builds:
            self._builds[name, ()] = self.agreements.with_them(self.book.builds(name))
        return self._builds[name, ()]

    def conda_builds(self, name: str, platforms: tuple[str, ...]) -> tuple[Build, ...]:
        if (name, platforms) not in self._builds:
            self._builds[name, platforms] = conda_builds(name, self.book.facts("conda_builds"), platforms)
        return self._builds[name, platforms]

    def known(self, kind: Kind) -> Kind:
        """One object for all kinds that are equal: what was judged of it is found again."""
        return self._kinds.setdefault(kind, kind)

    def means(self, name: str, kind: str) -> tuple[str, ...]:
        """The packages that a name stands for: `cupy` is one of cupy-cuda11x, -12x, -13x."""
        row = self.named(name, kind)
        return row.means if row else ()

    def named(self, name: str, *kinds: str) -> NameHint | None:
        """What is to be known of a name."""
        return next((row for row in self.facts.names if row.name == name and row.kind in kinds), None)

    def knows(self, name: str) -> bool:
        return name in self.book.packages or bool(self.means(name, "stand-in"))


class Problem:
    """One request, on kinds of machines, for one Python."""

    def __init__(self, library: Library, request: Request, kinds: Sequence[Kind], python: str) -> None:
        self.library = library
        self.request = request
        self.kinds = [library.known(kind) for kind in kinds]
        self.python = python
        self.capabilities = tuple(sorted({gpu for kind in kinds for gpu in kind.capabilities}))
        told = [item for item in request.wanted if all(applies(item, kind.platform, python) for kind in kinds)]
        words = merged((*told, *library.agreements.limits(told)) if not request.conda else told)
        self.words = words
        self._others = {name: items for name, items in words.items() if not self.is_ours(name)}
        spares = {row.package: row for row in library.facts.spares}
        self._setting = Setting(library.drivers, library.libraries, python, library.judged, library.agreements, spares)
        self._fields: dict[tuple[str, ...], Field] = {}
        self._solved: tuple[Combination | None] | None = None
        self._of_other_pythons: dict[str, Problem] = {}
        self.clash = library.sharing.clash  # without a step between: it is asked more often than anything else

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
        return self._field(name, self._names(name))

    def solve(self) -> Combination | None:
        if self._solved is None:
            self._solved = (best([self.field(name) for name in self.asked()], self),)
        return self._solved[0]

    def solve_with(self, name: str, candidate: Candidate) -> Combination | None:
        """The best combination with this build of that package."""
        return best([self.field(one).only(candidate) if one == name else self.field(one) for one in self.asked()], self)

    def is_answered_by(self, combination: Combination) -> bool:
        """Whether the answer to the same request on other kinds of machines is one on these too."""
        asked, chosen = self.asked(), (*combination.picks, *combination.along)
        stocks = [
            *(self._stock(name, self._names(name)) for name in asked),
            *(self._stock(one.build.name, (one.build.name,)) for one in combination.along),
        ]
        if len(combination.picks) != len(asked):
            return False
        if not all(stock.serves(one.build, self.kinds) for stock, one in zip(stocks, chosen, strict=True)):
            return False
        return not any(isinstance(one, Lack) for one in self.libraries(chosen, wanted_extras(chosen)))

    def again(
        self, *, request: Request | None = None, kinds: Sequence[Kind] | None = None, python: str | None = None
    ) -> "Problem":
        """The same problem with something changed: what if the driver were newer, the version free, the CPU enough?"""
        if python is None or request or kinds:
            return Problem(self.library, request or self.request, kinds or self.kinds, python or self.python)
        if python not in self._of_other_pythons:  # what several alternatives look at
            self._of_other_pythons[python] = Problem(self.library, self.request, self.kinds, python)
        return self._of_other_pythons[python]

    def names_brought(self, candidate: Candidate) -> list[str]:
        """What a build requires by name."""
        return [item.name for item in requirements(candidate.build)]

    # What the search asks for; of it also `clash`, the library's own.

    def along(self, name: str) -> Field | None:
        if name not in self.library.book.packages or self.request.conda or name in _LEFT_TO_INSTALLERS:
            return None
        return self._field(name, (name,))

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

    def _names(self, name: str) -> tuple[str, ...]:
        """The packages that may stand for a name."""
        if self._on_cpu() and (small := self.library.means(name, "cpu-of")):
            return (*small, name)
        return self.library.means(name, "stand-in") or (name,)

    def _field(self, name: str, names: tuple[str, ...]) -> Field:
        key = (name, *names)
        if key not in self._fields:
            self._fields[key] = self._stock(name, names).field(self.kinds)
        return self._fields[key]

    def _stock(self, name: str, names: tuple[str, ...]) -> Stock:
        """One for all problems in which the builds are judged alike."""
        request = self.request
        platforms = tuple(sorted({kind.platform for kind in self.kinds})) if request.conda else ()
        wants: tuple[Wanted, ...] = self.words.get(name, ())
        others = tuple(self._others.values())
        options = (
            request.conda,
            request.cpu,
            request.cuda,
            request.chosen,
            request.prefer,
            id(request.installed),
            id(request.locked),
        )
        key = (name, names, platforms, wants, others, options, self.python)
        if key not in self.library.stocks:
            builds = tuple(
                build
                for one in names
                for build in (self.library.conda_builds(one, platforms) if request.conda else self.library.builds(one))
            )
            self.library.stocks[key] = Stock(name, builds, wants, request, self._setting, self._others)
        return self.library.stocks[key]

    def _on_cpu(self) -> bool:
        return self.request.cpu or all(kind.state == "no-gpu" for kind in self.kinds)
