"""What must agree in one process though no metadata says so: as further requirements."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from cudafit.model.matrix import Agreement, Build
from cudafit.model.requirement import Wanted
from cudafit.resolve.versions import admits_any, disjoint, needed

_OPPOSITE = {">=": "<", "<": ">=", ">": "<=", "<=": ">"}


class Agreements:
    """By package; `ours` are the packages that the matrix holds."""

    def __init__(self, rows: Sequence[Agreement], ours: Iterable[str]) -> None:
        self._rows: dict[str, list[Agreement]] = {}
        for row in rows:
            self._rows.setdefault(row.package, []).append(row)
        self._ours = frozenset(ours)
        self.named = frozenset(name for row in rows for name in (row.package, row.other)) - self._ours

    def of(self, name: str, version: str, platform: str | None = None) -> Iterator[Agreement]:
        """Those that hold beside this version; on any platform, where none is told."""
        for row in self._rows.get(name, ()):
            here = not row.platforms or platform in (None, "any", *row.platforms)
            if here and admits_any(row.versions, version):
                yield row

    def of_build(self, build: Build) -> Iterator[Agreement]:
        return self.of(build.name, build.version, build.platform)

    def with_them(self, builds: tuple[Build, ...]) -> tuple[Build, ...]:
        """The builds with what they need so among what they require."""
        if not builds or builds[0].name not in self._rows:
            return builds
        return tuple(self._with_them(build) for build in builds)

    def _with_them(self, build: Build) -> Build:
        more = [f"{row.other}{row.admits}" for row in self.of_build(build) if not _says_so(build, row)]
        return replace(build, requires=(*build.requires, *more)) if more else build

    def limits(self, wants: Iterable[Wanted]) -> Iterator[Wanted]:
        """What packages that are not ours leave of others, if all versions that are wanted of them say so."""
        for want in wants:
            if want.name in self._ours or want.url:
                continue
            for row in self._rows.get(want.name, ()):
                if want.specifier and disjoint(want.specifier, opposite(row.versions)):
                    yield _limit(row, f"{want.name} {want.specifier.removeprefix('==')}")

    def limits_of(self, versions: Mapping[str, str]) -> Iterator[Wanted]:
        """The same for packages that are not ours in these versions."""
        for name in versions.keys() & self._rows.keys() - self._ours:
            for row in self.of(name, versions[name]):
                yield _limit(row, f"{name} {versions[name]}")

    def held_back(self, wants: Sequence[Wanted]) -> Iterator[Wanted]:
        """The other way round: packages that are not ours must be older (or newer) than those that would not go along
        with what is wanted."""
        for rows in self._rows.values():
            for row in rows:
                if row.package in self._ours:
                    continue
                if any(one.name == row.other and disjoint(one.specifier, row.admits) for one in wants):
                    text = f"{row.package}{opposite(row.versions)}"
                    yield Wanted(row.package, opposite(row.versions), (), text, _origin(row), constraint=True)

    def kept_back(self, build: Build) -> Iterator[tuple[Agreement, str]]:
        """The same by a build that was picked, each with what it means for the package."""
        for rows in self._rows.values():
            for row in rows:
                foreign = row.package not in self._ours and row.other == build.name
                if foreign and not admits_any(row.admits, build.version):
                    yield row, f"{row.package}{opposite(row.versions)}"

    def told(self, build: Build, other: str) -> Agreement | None:
        """The one by which a build says what it needs of another package."""
        return next((row for row in self.of_build(build) if row.other == other), None)


def _says_so(build: Build, row: Agreement) -> bool:
    """Whether its own requirements admit no more than that."""
    items = [needed(text) for text in build.requires]
    try:
        return any(item.name == row.other and disjoint(item.specifier, opposite(row.admits)) for item in items)
    except ValueError:  # of several bounds
        return f"{row.other}{row.admits}" in build.requires


def opposite(specifier: str) -> str:
    """`>=5` -> `<5`. Rows about packages of others have one bound; a linter sees to that."""
    for sign, other in _OPPOSITE.items():
        if specifier.startswith(sign) and "," not in specifier and not specifier[len(sign) :].startswith("="):
            return other + specifier.removeprefix(sign)
    raise ValueError(f"not one bound: {specifier!r}")


def _limit(row: Agreement, who: str) -> Wanted:
    return Wanted(row.other, row.admits, (), f"{row.other}{row.admits}", f"{who} {row.why}", constraint=True)


def _origin(row: Agreement) -> str:
    return f"{row.package} {row.versions} {row.why}"
