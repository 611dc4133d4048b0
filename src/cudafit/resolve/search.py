"""The best combination of builds: complete, and optimal by the stated order.

The packages are taken in the order in which they were asked for. Of each, the levels (equal versions) are tried best
first, and within a level every build; a level's answers are compared only with each other, so the first level that has
any answer holds the best one. Packages that the choices bring along (jaxlib, triton, the CUDA plugin of jax) are chosen
last, and count last in the order.

Two things keep hopeless branches short. What a choice rules out is taken at once from the packages that follow, and
from those that the choices bring along (forward checking). And what fails says which choices it is the fault of: a
choice that has no part in it is not tried in another way, for nothing would change (conflict-directed backjumping).
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Protocol

from cudafit.model.frozen import frozen
from cudafit.model.matrix import DEFAULT_INDEX, Build
from cudafit.resolve.candidates import Candidate, Field
from cudafit.resolve.libraries import Cap, Lack
from cudafit.resolve.pins import NO_EXTRAS, Clash, every_name, requirements

Chosen = tuple[Candidate, ...]
Culprits = frozenset[int]  # choices, by their places, which together leave no answer


@frozen
class Combination:
    """Builds that stand together, asked for and brought along, and what must be added."""

    picks: Chosen
    along: Chosen
    caps: tuple[Cap, ...]
    key: tuple[Any, ...]


class Rules(Protocol):
    """What the search needs to know of builds."""

    def clash(self, one: Build, other: Build, extras: frozenset[str], other_extras: frozenset[str]) -> Clash | None:
        """What keeps two builds apart; more extras never bring them together."""

    def along(self, name: str) -> Field | None:
        """The candidates of a package that a build brings along; None for one that the matrix does not know."""

    def libraries(self, chosen: Sequence[Candidate], extras: Mapping[str, frozenset[str]]) -> Sequence[Cap | Lack]:
        """What the open library requirements of a whole combination need, or lack."""


@frozen
class Open:
    """A package that is still to be chosen: what it can be, and the choices that took the rest or that ask for it."""

    options: Sequence[Candidate]
    culprits: Culprits


def best(fields: Sequence[Field], rules: Rules) -> Combination | None:
    """The best combination with one build of every field; None when there is none."""
    found = _Search(fields, rules).choose((), [Open(field.candidates, frozenset()) for field in fields], {})
    return found if isinstance(found, Combination) else None


class _Search:
    def __init__(self, fields: Sequence[Field], rules: Rules) -> None:
        self._fields = fields
        self._names = [{candidate.build.name for candidate in field.candidates} for field in fields]
        self._rules = rules
        self._asked_for: dict[int, tuple[str, ...]] = {}
        self._touching: dict[tuple[str, str], bool] = {}

    def choose(self, chosen: Chosen, rest: Sequence[Open], along: Mapping[str, Open]) -> Combination | Culprits:
        """The best combination that has these choices, or those of them that leave none."""
        if not rest:
            return self._bring(chosen, along)
        place = len(chosen)
        culprits = rest[0].culprits
        for _, level in groupby(rest[0].options, key=lambda candidate: candidate.level):
            found: Combination | None = None
            for candidate in level:
                answer = self._with(candidate, chosen, rest[1:], along)
                if isinstance(answer, Combination):
                    found = answer if found is None or answer.key < found.key else found
                elif place not in answer:
                    return answer
                else:
                    culprits |= answer
            if found:
                return found
        return culprits - {place}

    def _with(
        self, candidate: Candidate, chosen: Chosen, rest: Sequence[Open], along: Mapping[str, Open]
    ) -> Combination | Culprits:
        """The same with one more choice, when that leaves something for every other package."""
        place = len(chosen)
        chosen = (*chosen, candidate)
        left = []
        for one in rest:
            open_ = self._without(candidate, one, place)
            if not open_.options:
                return open_.culprits
            left.append(open_)
        brought = {}
        for name, one in along.items():
            brought[name] = self._without(candidate, one, place)
            if not brought[name].options:
                return brought[name].culprits
        for name in self._asks_for(candidate):
            if name not in along and self._must_come(name, chosen):
                brought[name] = self._brought(name, chosen)
                if not brought[name].options:
                    return brought[name].culprits
        return self.choose(chosen, left, brought)

    def _bring(self, chosen: Chosen, along: Mapping[str, Open]) -> Combination | Culprits:
        """With everything that comes along: the first combination of it that is possible, newest versions first."""
        extras = wanted_extras(chosen)
        name = next(self._missing(chosen), None)
        if name is None:
            return self._whole(chosen, extras)
        place = len(chosen)
        open_ = along.get(name) or self._brought(name, chosen)
        culprits = open_.culprits
        rest = {other: one for other, one in along.items() if other != name}
        for candidate in open_.options:
            if self._clashes_by_extras(candidate, chosen, extras):
                culprits |= frozenset(range(place))
                continue
            answer = self._with(candidate, chosen, (), rest)
            if isinstance(answer, Combination) or place not in answer:
                return answer
            culprits |= answer
        return culprits - {place}

    def _whole(self, chosen: Chosen, extras: Mapping[str, frozenset[str]]) -> Combination | Culprits:
        judged = self._rules.libraries(chosen, extras)
        if lacks := [one for one in judged if isinstance(one, Lack)]:
            return frozenset(place for place in range(len(chosen)) if self._can_touch(lacks[0].package, place, chosen))
        caps = tuple(one for one in judged if isinstance(one, Cap))
        picks, along = chosen[: len(self._fields)], chosen[len(self._fields) :]
        return Combination(picks, along, caps, _key(picks, along))

    def _without(self, candidate: Candidate, one: Open, place: int) -> Open:
        """What a package can still be beside this choice."""
        build, clash = candidate.build, self._rules.clash
        options = [other for other in one.options if not clash(build, other.build, NO_EXTRAS, NO_EXTRAS)]
        return one if len(options) == len(one.options) else Open(options, one.culprits | {place})

    def _brought(self, name: str, chosen: Chosen) -> Open:
        """What a package that the last choice asks for can be beside all choices."""
        field = self._rules.along(name)
        # A choice that could have been this package itself has a part in it too.
        able = {place for place, names in enumerate(self._names[: len(chosen)]) if name in names}
        asking = {place for place, candidate in enumerate(chosen) if name in self._asks_for(candidate)}
        open_ = Open(field.candidates if field else (), frozenset({*able, min(asking)}))
        for place, candidate in enumerate(chosen):
            open_ = self._without(candidate, open_, place)
        return open_

    def _must_come(self, name: str, chosen: Chosen) -> bool:
        return all(candidate.build.name != name for candidate in chosen) and not any(
            name in names for names in self._names[len(chosen) :]
        )

    def _missing(self, chosen: Chosen) -> Iterator[str]:
        names = {candidate.build.name for candidate in chosen}
        return (name for candidate in chosen for name in self._asks_for(candidate) if name not in names)

    def _asks_for(self, candidate: Candidate) -> tuple[str, ...]:
        """The packages that the matrix knows among those that a build brings along."""
        key = id(candidate.build)
        if key not in self._asked_for:
            names = (item.name for item in requirements(candidate.build))
            self._asked_for[key] = tuple(name for name in names if self._rules.along(name))
        return self._asked_for[key]

    def _clashes_by_extras(self, candidate: Candidate, chosen: Chosen, extras: Mapping[str, frozenset[str]]) -> bool:
        mine = extras.get(candidate.build.name, NO_EXTRAS)
        for one in chosen:
            theirs = extras.get(one.build.name, NO_EXTRAS)
            if (mine or theirs) and self._rules.clash(one.build, candidate.build, theirs, mine):
                return True
        return False

    def _can_touch(self, library: str, place: int, chosen: Chosen) -> bool:
        """Whether another build in this place could ask for the library, itself or by what it brings along."""
        field = self._fields[place] if place < len(self._fields) else self._rules.along(chosen[place].build.name)
        key = (library, field.name if field else "")
        if key not in self._touching:
            self._touching[key] = bool(field and library in self._reach(field))
        return self._touching[key]

    def _reach(self, field: Field) -> set[str]:
        """Everything that builds of a package can ask for, themselves or by what they bring along."""
        found: set[str] = set()
        fields = [field]
        while fields:
            names = {name for candidate in fields.pop().candidates for name in every_name(candidate.build)}
            fields += [along for name in names - found if (along := self._rules.along(name))]
            found |= names
        return found


def wanted_extras(chosen: Sequence[Candidate]) -> dict[str, frozenset[str]]:
    """Which extras the chosen builds want of each other: `cuda-toolkit[cublas,cudart]`."""
    found: dict[str, frozenset[str]] = {}
    for candidate in chosen:
        for item in requirements(candidate.build):
            if item.extras:
                found[item.name] = found.get(item.name, NO_EXTRAS) | frozenset(item.extras)
    return found


def _key(picks: Sequence[Candidate], along: Sequence[Candidate]) -> tuple[Any, ...]:
    """Every version first, then native before minor, then as few extra indexes as can be, then what is left."""
    levels = tuple(candidate.level for candidate in picks)
    ranks, *ties = zip(*(candidate.tie for candidate in picks), strict=True) if picks else ((),)
    indexes = {candidate.build.index for candidate in picks} - {DEFAULT_INDEX}
    return (levels, ranks, len(indexes), tuple(ties), tuple((candidate.level, candidate.tie) for candidate in along))
