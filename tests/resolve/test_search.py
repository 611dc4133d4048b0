"""How much the search asks: the work is counted, never timed. That it answers right is test_brute_force's."""

from collections.abc import Mapping, Sequence

import pytest

from cudafit.machine.saved import load_all
from cudafit.matrix.load import open_matrix
from cudafit.model.matrix import Build, Matrix
from cudafit.model.requirement import wanted
from cudafit.resolve.answer import resolve
from cudafit.resolve.host import GPU, Kind, hosts_of
from cudafit.resolve.pins import Clash, Sharing
from cudafit.resolve.problem import Library, Problem
from cudafit.resolve.request import Request
from cudafit.resolve.search import Combination
from tests.machines import FOLDER as MACHINES
from tests.resolve.test_brute_force import facts
from tests.scenarios import Small

MANY = 20
CARD = Kind(GPU, "linux-x86_64", "glibc 2.36", False, False, "580.65.06", None, ((8, 9),), False, ())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often two builds are held against each other."""
    count = [0]
    clash = Sharing.clash

    def counted(
        self: Sharing, one: Build, other: Build, extras: frozenset[str], other_extras: frozenset[str]
    ) -> Clash | None:
        count[0] += 1
        return clash(self, one, other, extras, other_extras)

    monkeypatch.setattr(Sharing, "clash", counted)
    return count


def versions(name: str, requires: Sequence[str] = (), count: int = MANY) -> tuple[Build, ...]:
    return tuple(
        Build(name, f"{number}.0", "any", "any", "pypi", requires=tuple(requires)) for number in range(1, count + 1)
    )


def solve(builds: Mapping[str, tuple[Build, ...]], names: Sequence[str]) -> Combination | None:
    library = Library(Small(Matrix(facts(), dict(builds))))
    return Problem(library, Request(tuple(wanted(name) for name in names)), (CARD,), "3.12").solve()


def test_a_package_without_a_part_in_the_failure_is_not_tried_in_every_version(asked: list[int]) -> None:
    """20 versions each of four packages, and two more that never go together: 20**4 ways to fail in the same way."""
    idle = {name: versions(name) for name in ("one", "two", "three", "four")}
    quarrel = {"left": versions("left", ["numpy<2"]), "right": versions("right", ["numpy>=2"])}
    assert solve({**idle, **quarrel}, ["one", "two", "three", "four", "left", "right"]) is None
    assert asked[0] < 6 * 5 * MANY * MANY


def test_what_is_brought_along_is_looked_at_before_the_rest_is_chosen(asked: list[int]) -> None:
    """Two packages whose companions never go together, with others between them: these are not multiplied."""
    idle = {name: versions(name) for name in ("one", "two", "three")}
    companions = {"red": versions("red", ["numpy<2"]), "blue": versions("blue", ["numpy>=2"])}
    first, last = {"first": versions("first", ["red"])}, {"last": versions("last", ["blue"])}
    assert solve({**first, **idle, **last, **companions}, ["first", "one", "two", "three", "last"]) is None
    assert asked[0] < 2 * MANY**4  # every first with every last, and of what they bring every one with every one


def test_a_library_without_kernels_is_the_fault_of_those_that_ask_for_it(asked: list[int]) -> None:
    """Together they admit only a cuDNN that has no kernels for the card; the others have no part in it."""
    old = Kind(GPU, "linux-x86_64", "glibc 2.36", False, False, "580.65.06", None, ((6, 1),), False, ())
    idle = {name: versions(name) for name in ("one", "two", "three", "four")}
    asking = {
        "above": versions("above", ["nvidia-cudnn-cu12>=9.11"], count=1),
        "below": versions("below", ["nvidia-cudnn-cu12<10"], count=1),
    }
    library = Library(Small(Matrix(facts(), {**asking, **idle})))
    names = ["above", "one", "two", "three", "four", "below"]
    problem = Problem(library, Request(tuple(wanted(name) for name in names)), (old,), "3.12")
    assert problem.solve() is None
    assert asked[0] < 6 * 5 * MANY * MANY


@pytest.mark.slow
@pytest.mark.parametrize(
    "names",
    [
        ("tensorflow", "jax", "torchvision"),
        ("vllm", "tensorflow", "jax"),
        ("onnxruntime-gpu", "tensorflow-cpu", "torchvision"),
        ("torchvision", "bitsandbytes", "tf-keras", "jax-cuda12-plugin", "tensorflow"),
    ],
)
def test_a_folder_of_machines_asks_no_more_than_its_builds_explain(names: tuple[str, ...], asked: list[int]) -> None:
    """The first of them took 54 million questions."""
    book = open_matrix()
    hosts = hosts_of(list(load_all([str(MACHINES)])), book.facts)
    found = resolve(Request(tuple(wanted(name) for name in names)), hosts, book)
    assert found.status == "no-fit"
    assert found.groups
    assert asked[0] < 500_000
