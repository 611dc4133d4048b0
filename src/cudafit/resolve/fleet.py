"""Several machines: which stands in the way of one answer for all, and the fewest groups that have one each."""

from collections.abc import Iterator, Sequence

from cudafit.model.fit import CPU, FIT, Group
from cudafit.resolve.host import Host, Kind
from cudafit.resolve.picks import picks_of
from cudafit.resolve.problem import Library, Problem
from cudafit.resolve.told import listed


def standing_in_the_way(problem: Problem, hosts: Sequence[Host]) -> tuple[str, ...]:
    """The machines without which the others have one answer; those that have none even alone first."""
    hopeless = [kind for kind in problem.kinds if problem.again(kinds=[kind]).solve() is None]
    if hopeless:
        return (f"nothing fits {_names(hopeless, hosts)}, even alone",)
    alone = [
        kind
        for kind in problem.kinds
        if problem.again(kinds=[other for other in problem.kinds if other is not kind]).solve() is not None
    ]
    return tuple(f"without {_names([kind], hosts)} the others have one answer" for kind in alone[:3])


def groups_of(problem: Problem, hosts: Sequence[Host], library: Library) -> tuple[Group, ...]:
    """The fewest groups of machines with an answer each; machines that have none at all are in no group."""
    return tuple(_group(problem, kinds, hosts, library) for kinds in _Grouping(problem).fewest())


def _group(problem: Problem, kinds: Sequence[Kind], hosts: Sequence[Host], library: Library) -> Group:
    members = [host for host in hosts if host.kind in kinds]
    own = problem.again(kinds=kinds)
    combination = own.solve()
    if combination is None:
        raise AssertionError("a group without an answer")
    picks = picks_of(combination, members, library, [own.words[name] for name in own.asked()])
    status = CPU if all(pick.compat in (None, CPU) for pick in picks) else FIT
    return Group(tuple(host.label for host in members), status, own.python, picks)


class _Grouping:
    """Finds the smallest partition of kinds in which every part has an answer.

    A part of a group that has an answer has one too; so kinds are placed one after the other, each into a group that
    still has an answer with it, or into a new one. The number of groups is raised until a placing succeeds.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._answers: dict[frozenset[Kind], bool] = {}
        kinds = [kind for kind in problem.kinds if self._fits(frozenset([kind]))]
        # Those that go with the fewest others first: they decide the number of groups.
        self._kinds = sorted(kinds, key=self._company)

    def fewest(self) -> list[list[Kind]]:
        if not self._kinds:
            return []
        for count in range(1, len(self._kinds) + 1):
            if groups := self._place(0, [], count):
                return groups
        raise AssertionError("every kind has an answer of its own")

    def _company(self, kind: Kind) -> int:
        return sum(self._fits(frozenset([kind, other])) for other in self._problem.kinds if other is not kind)

    def _place(self, number: int, groups: list[list[Kind]], count: int) -> list[list[Kind]] | None:
        if number == len(self._kinds):
            return groups
        kind = self._kinds[number]
        for extended in self._options(kind, groups, count):
            if placed := self._place(number + 1, extended, count):
                return placed
        return None

    def _options(self, kind: Kind, groups: list[list[Kind]], count: int) -> Iterator[list[list[Kind]]]:
        for place, group in enumerate(groups):
            if self._fits(frozenset([*group, kind])):
                yield [*groups[:place], [*group, kind], *groups[place + 1 :]]
        if len(groups) < count:
            yield [*groups, [kind]]

    def _fits(self, kinds: frozenset[Kind]) -> bool:
        if kinds not in self._answers:
            ordered = [kind for kind in self._problem.kinds if kind in kinds]
            self._answers[kinds] = self._problem.again(kinds=ordered).solve() is not None
        return self._answers[kinds]


def _names(kinds: Sequence[Kind], hosts: Sequence[Host]) -> str:
    return listed([host.label for host in hosts if host.kind in kinds])
