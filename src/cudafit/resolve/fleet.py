"""Several machines: which stands in the way of one answer for all, and the fewest groups that have one each."""

from collections.abc import Iterator, Sequence

from cudafit.model.fit import CPU, FIT, Group, Status
from cudafit.resolve.alike import hardest
from cudafit.resolve.host import Host, Kind
from cudafit.resolve.picks import picks_of
from cudafit.resolve.problem import Library, Problem
from cudafit.resolve.search import Combination
from cudafit.resolve.told import listed

_NAMED = 3
_A_PAIR = 2


def groups_of(problem: Problem, hosts: Sequence[Host], library: Library) -> tuple[tuple[Group, ...], tuple[str, ...]]:
    """The groups, and in words what stands in the way; machines that have no answer at all are in no group."""
    feasible = _Feasible(problem)
    harder = hardest(problem)
    hard = list(dict.fromkeys(harder.values()))
    hopeless = [kind for kind in problem.kinds if not feasible([harder[kind]]) and not feasible([kind])]
    parts = _Grouping(feasible, [kind for kind in hard if kind not in hopeless]).fewest()
    # A kind that is easier than a hopeless one may have an answer of its own.
    loose = [kind for kind in problem.kinds if kind not in hopeless and harder[kind] in hopeless]
    parts = _Grouping(feasible, [*(kind for part in parts for kind in part), *loose]).fewest() if loose else parts
    place = {kind: number for number, part in enumerate(parts) for kind in part}
    groups = [
        _group(
            problem,
            [kind for kind in problem.kinds if place.get(kind, place.get(harder[kind])) == number],
            hosts,
            library,
        )
        for number in range(len(parts))
    ]
    groups.sort(key=lambda group: -len(group.machines))
    return tuple(groups), tuple(_in_the_way(problem, hosts, feasible, hopeless))


def _in_the_way(
    problem: Problem, hosts: Sequence[Host], feasible: "_Feasible", hopeless: Sequence[Kind]
) -> Iterator[str]:
    """The machines that have no answer even alone; else those without which the others have one."""
    if hopeless:
        yield f"nothing fits {_names(hopeless, hosts)}, even alone"
        return
    if len(problem.kinds) == _A_PAIR:
        first, second = (_names([kind], hosts) for kind in problem.kinds)
        yield f"{first} has an answer alone, and so has {second}, but no build serves both"
        return
    told = 0
    for kind in problem.kinds:
        if feasible([other for other in problem.kinds if other is not kind]):
            yield f"without {_names([kind], hosts)} the others have one answer"
            told += 1
        if told == _NAMED:
            return


def _group(problem: Problem, kinds: Sequence[Kind], hosts: Sequence[Host], library: Library) -> Group:
    members = [host for host in hosts if host.kind in kinds]
    own = problem.again(kinds=kinds)
    combination = own.solve()
    if combination is None:
        raise AssertionError("a group without an answer")
    picks = picks_of(combination, members, library, [own.words[name] for name in own.asked()])
    status: Status = CPU if all(pick.compat in (None, CPU) for pick in picks) else FIT
    return Group(tuple(host.label for host in members), status, own.python, picks)


class _Feasible:
    """Whether some kinds have an answer together; each question is asked once; the known answers come first."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._known: dict[frozenset[Kind], bool] = {}
        self._answers: list[Combination] = []

    def __call__(self, kinds: Sequence[Kind]) -> bool:
        key = frozenset(kinds)
        if key not in self._known:
            self._known[key] = not kinds or self._has_answer(self._problem.again(kinds=kinds))
        return self._known[key]

    def _has_answer(self, problem: Problem) -> bool:
        if any(problem.is_answered_by(answer) for answer in self._answers):
            return True
        answer = problem.solve()
        if answer is None:
            return False
        self._answers.append(answer)
        return True


class _Grouping:
    """Finds the smallest partition of kinds in which every part has an answer.

    A part of a group that has an answer has one too; so kinds are placed one after the other, each into a group that
    still has an answer with it, or into a new one. The number of groups is raised until a placing succeeds.
    """

    def __init__(self, feasible: _Feasible, kinds: Sequence[Kind]) -> None:
        self._feasible = feasible
        # Those that go with the fewest others first: they decide the number of groups.
        company = {kind: sum(feasible([kind, other]) for other in kinds if other is not kind) for kind in kinds}
        self._kinds = sorted(kinds, key=lambda kind: company[kind])

    def fewest(self) -> list[list[Kind]]:
        if not self._kinds:
            return []
        for count in range(1, len(self._kinds) + 1):
            if groups := self._place(0, [], count):
                return groups
        raise AssertionError("every kind has an answer of its own")

    def _place(self, number: int, groups: list[list[Kind]], count: int) -> list[list[Kind]] | None:
        if number == len(self._kinds):
            return groups
        for extended in self._options(self._kinds[number], groups, count):
            if placed := self._place(number + 1, extended, count):
                return placed
        return None

    def _options(self, kind: Kind, groups: list[list[Kind]], count: int) -> Iterator[list[list[Kind]]]:
        for place, group in enumerate(groups):
            if self._feasible([*group, kind]):
                yield [*groups[:place], [*group, kind], *groups[place + 1 :]]
        if len(groups) < count:
            yield [*groups, [kind]]


def _names(kinds: Sequence[Kind], hosts: Sequence[Host]) -> str:
    return listed([host.label for host in hosts if host.kind in kinds])
