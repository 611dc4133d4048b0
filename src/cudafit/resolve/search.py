"""The best combination of builds: complete, and optimal by the stated order.

The packages are taken in the order in which they were asked for. Of each, the levels (equal versions) are tried best
first, and within a level every build; a level's answers are compared only with each other, so the first level that has
any answer holds the best one. What a choice rules out is taken from the packages that follow at once (forward
checking), which is what keeps hopeless branches short. Packages that the choices bring along (jaxlib, triton, the
CUDA plugin of jax) are chosen last, and count last in the order.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Protocol

from cudafit.model.frozen import frozen
from cudafit.model.matrix import Build
from cudafit.resolve.candidates import DEFAULT_INDEX, Candidate, Field
from cudafit.resolve.libraries import Cap, Lack
from cudafit.resolve.pins import NO_EXTRAS, Clash, requirements


@frozen
class Combination:
    """Builds that stand together, asked for and brought along, and what must be added."""

    picks: tuple[Candidate, ...]
    along: tuple[Candidate, ...]
    caps: tuple[Cap, ...]
    key: tuple[Any, ...]


class Rules(Protocol):
    """What the search needs to know of builds."""

    def clash(self, one: Build, other: Build, extras: frozenset[str], other_extras: frozenset[str]) -> Clash | None:
        """What keeps two builds apart."""

    def along(self, name: str) -> Field | None:
        """The candidates of a package that a build brings along; None for one that the matrix does not know."""

    def libraries(self, chosen: Sequence[Candidate], extras: Mapping[str, frozenset[str]]) -> Sequence[Cap | Lack]:
        """What the open library requirements of a whole combination need, or lack."""


def best(fields: Sequence[Field], rules: Rules) -> Combination | None:
    """The best combination with one build of every field; None when there is none."""
    return _Search(rules).choose((), [list(field.candidates) for field in fields])


class _Search:
    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def choose(self, chosen: tuple[Candidate, ...], rest: Sequence[Sequence[Candidate]]) -> Combination | None:
        if not rest:
            return self._complete(chosen)
        for _, level in groupby(rest[0], key=lambda candidate: candidate.level):
            found: Combination | None = None
            for candidate in level:
                left = self._left(candidate, rest[1:])
                answer = self.choose((*chosen, candidate), left) if left is not None else None
                if answer and (found is None or answer.key < found.key):
                    found = answer
            if found:
                return found
        return None

    def _left(self, candidate: Candidate, rest: Sequence[Sequence[Candidate]]) -> Sequence[Sequence[Candidate]] | None:
        """What the packages that follow can still be; None when one of them can be nothing."""
        left = []
        for options in rest:
            open_options = [one for one in options if not self._clash(candidate, one)]
            if not open_options:
                return None
            left.append(open_options)
        return left

    def _clash(self, one: Candidate, other: Candidate) -> bool:
        return self._rules.clash(one.build, other.build, NO_EXTRAS, NO_EXTRAS) is not None

    def _complete(self, picks: tuple[Candidate, ...]) -> Combination | None:
        """With everything that comes along: the first combination of it that is possible, newest versions first."""
        for along in self._along(picks, ()):
            chosen = (*picks, *along)
            extras = wanted_extras(chosen)
            judged = self._rules.libraries(chosen, extras)
            if not any(isinstance(one, Lack) for one in judged):
                caps = tuple(one for one in judged if isinstance(one, Cap))
                return Combination(picks, along, caps, _key(picks, along))
        return None

    def _along(self, picks: tuple[Candidate, ...], along: tuple[Candidate, ...]) -> Iterator[tuple[Candidate, ...]]:
        chosen = (*picks, *along)
        field = next(self._missing(chosen), None)
        if field is None:
            yield along
            return
        extras = wanted_extras(chosen)
        for candidate in field.candidates:
            mine = extras.get(candidate.build.name, NO_EXTRAS)
            if not any(
                self._rules.clash(one.build, candidate.build, extras.get(one.build.name, NO_EXTRAS), mine)
                for one in chosen
            ):
                yield from self._along(picks, (*along, candidate))

    def _missing(self, chosen: Sequence[Candidate]) -> Iterator[Field]:
        names = {candidate.build.name for candidate in chosen}
        for candidate in chosen:
            for item in requirements(candidate.build):
                if item.name not in names and (field := self._rules.along(item.name)):
                    yield field


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
