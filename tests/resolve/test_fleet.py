"""Groups of machines: the fewest that there are, against trying every partition."""

from collections.abc import Iterator
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cudafit.model.matrix import Build, Matrix
from cudafit.model.requirement import wanted
from cudafit.resolve.alike import told_apart
from cudafit.resolve.answer import resolve
from cudafit.resolve.drivers import FACTS, Drivers
from cudafit.resolve.host import GPU, Card, Host, Kind
from cudafit.resolve.problem import Library, Problem
from cudafit.resolve.request import Request
from tests.resolve.test_brute_force import CARDS, DRIVERS, KERNELS, VARIANTS, facts
from tests.scenarios import Small

REQUEST = Request((wanted("alpha"),), python="3.12")
ROWS = st.lists(
    st.builds(
        Build,
        name=st.just("alpha"),
        version=st.sampled_from(["1.0", "2.0", "3.0"]),
        variant=st.sampled_from(VARIANTS[:-1]),
        platform=st.just("linux-x86_64"),
        index=st.just("pypi"),
        kernels=st.lists(st.sampled_from(KERNELS), min_size=1, max_size=3, unique=True).map(tuple),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda build: (build.version, build.variant),
).map(tuple)


def host(number: int, driver: str, cards: tuple[tuple[int, int], ...]) -> Host:
    kind = Kind(GPU, "linux-x86_64", "glibc 2.36", False, False, driver, None, tuple(sorted(cards)), False, ())
    return Host(f"m{number}", kind, tuple(Card(place, "card", card) for place, card in enumerate(cards)))


MACHINES = st.lists(
    st.tuples(
        st.sampled_from(DRIVERS), st.lists(st.sampled_from(CARDS), min_size=1, max_size=2, unique=True).map(tuple)
    ),
    min_size=2,
    max_size=5,
)


def partitions(items: list[Host]) -> Iterator[list[list[Host]]]:
    if not items:
        yield []
        return
    first, rest = items[0], items[1:]
    for size in range(len(rest) + 1):
        for some in combinations(rest, size):
            left = [item for item in rest if item not in some]
            for others in partitions(left):
                yield [[first, *some], *others]


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(rows=ROWS, machines=MACHINES)
def test_the_fewest_groups_and_every_machine_in_the_right_one(
    rows: tuple[Build, ...], machines: list[tuple[str, tuple[tuple[int, int], ...]]]
) -> None:
    book = Small(Matrix(facts(), {"alpha": rows}))
    library = Library(book)
    hosts = [host(number, *machine) for number, machine in enumerate(machines)]

    def has_answer(some: list[Host]) -> bool:
        kinds = tuple(dict.fromkeys(one.kind for one in some))
        return Problem(library, REQUEST, kinds, "3.12").solve() is not None

    found = resolve(REQUEST, hosts, book)
    if has_answer(hosts):
        assert found.status == "fit"
        return
    assert found.status == "no-fit"
    able = [one for one in hosts if has_answer([one])]
    kinds = len({one.kind for one in told_apart(hosts, Drivers(book.facts(*FACTS), "2026-11-21"))})
    if kinds == 1:
        assert not able
        return
    assert sorted(label for group in found.groups for label in group.machines) == sorted(one.label for one in able)
    by_label = {one.label: one for one in hosts}
    for group in found.groups:
        assert has_answer([by_label[label] for label in group.machines])
    fewest = min((len(parts) for parts in partitions(able) if all(map(has_answer, parts))), default=0)
    assert len(found.groups) == fewest
    assert all(len(one.machines) >= len(other.machines) for one, other in pairwise(found.groups))
