"""The search is complete and optimal: on generated matrices it answers as trying every combination does."""

import re
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cudafit.matrix.folder import read_folder
from cudafit.model.matrix import Build, Facts, Matrix
from cudafit.model.requirement import wanted
from cudafit.resolve.host import GPU, Card, Host, Kind
from cudafit.resolve.problem import Library, Problem
from cudafit.resolve.request import Request
from tests.resolve import brute_force
from tests.scenarios import Small

FACTS = Path(__file__).parent.parent / "scenarios" / "facts"
DRIVERS = ["418.10.01", "450.80.02", "525.60.13", "550.54.14", "560.28.03", "580.65.06", "595.45.04"]
CARDS = [(5, 2), (6, 1), (7, 0), (8, 9), (12, 0)]
KERNELS = ["sm_50", "sm_60", "sm_70", "sm_80", "sm_86", "sm_120", "compute_70", "compute_90"]
VARIANTS = ["cu118", "cu124", "cu126", "cu130", "cu12", "cu13", "cpu"]
REQUIRES = [
    "beta==1.0",
    "beta>=2.0",
    "gamma<3.0",
    "delta==1.0",
    "delta>=2.0",
    "numpy<2.1",
    "numpy>=2.1",
    "nvidia-cudnn-cu12==9.10.2.21",
    "nvidia-cudnn-cu12==9.20.0.48",
    "nvidia-cudnn-cu12<10,>=9",
    "nvidia-cudnn-cu13==9.20.0.48",
    "nvidia-nccl-cu12<2.28",
    "nvidia-nccl-cu12>=2.28",
]
NAMES = ("alpha", "beta", "gamma", "delta")


@cache
def facts() -> Facts:
    return read_folder(str(FACTS)).matrix().facts


def requirements(name: str) -> st.SearchStrategy[tuple[str, ...]]:
    """Up to three, and never two of one package: no wheel contradicts itself."""
    others = [text for text in REQUIRES if not text.startswith(name)]
    return st.lists(
        st.sampled_from(others), max_size=3, unique_by=lambda text: re.split("(-cu1)?[0-9<>=]", text)[0]
    ).map(tuple)


def rows(name: str) -> st.SearchStrategy[tuple[Build, ...]]:
    """A few builds of one package; some packages have no CUDA builds at all."""
    row = st.builds(
        Build,
        name=st.just(name),
        version=st.sampled_from(["1.0", "2.0", "3.0"]),
        variant=st.sampled_from(VARIANTS),
        platform=st.just("linux-x86_64"),
        index=st.sampled_from(["pypi", "pytorch-cu126"]),
        kernels=st.one_of(
            st.none(), st.lists(st.sampled_from(KERNELS), min_size=1, max_size=4, unique=True).map(tuple)
        ),
        pythons=st.sampled_from([(), ("3.12",), ("3.11", "3.12"), ("3.11",)]),
        requires=requirements(name),
        verified=st.sampled_from([True, True, True, False]),
    )
    some = st.lists(row, min_size=1, max_size=5, unique_by=lambda b: (b.version, b.variant, b.index)).map(tuple)
    plain = st.lists(st.sampled_from(["1.0", "2.0", "3.0"]), min_size=1, max_size=3, unique=True).map(
        lambda versions: tuple(Build(name, version, "any", "any", "pypi") for version in versions)
    )
    return st.one_of(some, some, plain)


MATRICES = st.fixed_dictionaries({name: rows(name) for name in NAMES})


def key(build: Build) -> tuple[Any, ...]:
    return (build.name, build.version, build.variant, build.index)


ASKED = given(
    builds=MATRICES,
    driver=st.sampled_from(DRIVERS),
    cards=st.lists(st.sampled_from(CARDS), min_size=1, max_size=2, unique=True),
    asked=st.permutations(["alpha", "beta", "gamma"]).flatmap(lambda names: st.integers(1, 3).map(lambda n: names[:n])),
    python=st.sampled_from(["3.11", "3.12"]),
)


@pytest.mark.slow
@settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
@ASKED
def test_answers_as_trying_everything_does(
    builds: dict[str, tuple[Build, ...]], driver: str, cards: list[tuple[int, int]], asked: list[str], python: str
) -> None:
    answers_as_trying_everything(builds, driver, cards, asked, python)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@ASKED
def test_answers_to_some_as_trying_everything_does(
    builds: dict[str, tuple[Build, ...]], driver: str, cards: list[tuple[int, int]], asked: list[str], python: str
) -> None:
    answers_as_trying_everything(builds, driver, cards, asked, python)


def answers_as_trying_everything(
    builds: dict[str, tuple[Build, ...]], driver: str, cards: list[tuple[int, int]], asked: list[str], python: str
) -> None:
    matrix = Matrix(facts(), builds)
    host = Host(
        "m",
        Kind(GPU, "linux-x86_64", "glibc 2.36", False, False, driver, None, tuple(sorted(cards)), False, ()),
        tuple(Card(number, "card", card) for number, card in enumerate(cards)),
    )
    request = Request(tuple(wanted(name) for name in asked))
    found = Problem(Library(Small(matrix)), request, (host.kind,), python).solve()
    expected = brute_force.best(matrix, asked, driver, cards, python)
    assert (found is None) == (expected is None)
    if found and expected:
        assert [key(candidate.build) for candidate in found.picks] == [key(build) for build in expected]


@pytest.mark.slow
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    builds=MATRICES,
    machines=st.lists(st.tuples(st.sampled_from(DRIVERS), st.sampled_from(CARDS)), min_size=2, max_size=4, unique=True),
    asked=st.permutations(["alpha", "beta", "gamma"]).flatmap(lambda names: st.integers(1, 3).map(lambda n: names[:n])),
)
def test_what_is_kept_between_questions_changes_no_answer(
    builds: dict[str, tuple[Build, ...]], machines: list[tuple[str, tuple[int, int]]], asked: list[str]
) -> None:
    """Of each machine and of each two: asked with all that was judged before, and asked as if for the first time."""
    book = Small(Matrix(facts(), builds))
    request = Request(tuple(wanted(name) for name in asked))
    kinds = [
        Kind(GPU, "linux-x86_64", "glibc 2.36", False, False, driver, None, (card,), False, ())
        for driver, card in machines
    ]
    kept = Problem(Library(book), request, kinds, "3.12")
    questions = [[one] for one in kinds] + [list(some) for some in combinations(kinds, 2)] + [kinds]
    answers = [found for some in questions if (found := kept.again(kinds=some).solve())]
    for some in questions:
        anew = Problem(Library(book), request, some, "3.12").solve()
        found = kept.again(kinds=some).solve()
        assert (found and found.key) == (anew and anew.key)
        if any(kept.again(kinds=some).is_answered_by(answer) for answer in answers):
            assert anew
        else:
            assert not anew, "its own answer is among them"
