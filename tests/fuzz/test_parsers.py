"""Every target on texts made from real ones: few here, and always the same; `make fuzz` goes on for as long as told.

Each text is a seed and a list of numbers, so that hypothesis makes a small one of what it finds.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.attempt import attempt
from tests.fuzz.commands import compiled
from tests.fuzz.mutation import Edit, mutated
from tests.fuzz.parser import Parser
from tests.fuzz.targets import TARGETS

_EXAMPLES, _FEW = 15, 2  # of a parser, of a whole command
_EDITS = st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 1 << 32), st.integers(0, 1 << 32)), max_size=6)


@pytest.fixture(autouse=True, scope="module")
def _compiled() -> None:
    compiled()


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def _marked(target: Parser) -> Any:
    """A whole command takes its time."""
    return pytest.param(target, id=target.name, marks=pytest.mark.slow if target.name.startswith("cudafit ") else ())


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_value_or_an_error_that_it_knows(target: Parser, tmp_path: Path) -> None:
    seeds, words = list(target.seeds()), target.tokens()

    @settings(
        max_examples=_FEW if target.name.startswith("cudafit ") else _EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(which=st.integers(0, max(0, len(seeds) - 1)), edits=_EDITS)
    def holds(which: int, edits: list[Edit]) -> None:
        outcome = attempt(target, mutated(seeds, which, edits, words), tmp_path)
        assert not outcome.finding, outcome.finding

    holds()


@pytest.mark.parametrize("target", [_marked(target) for target in TARGETS])
def test_it_reads_what_it_begins_with(target: Parser, tmp_path: Path) -> None:
    """Else all that is made of it would only be refused."""
    outcomes = [attempt(target, seed, tmp_path) for seed in list(target.seeds())[:3]]
    assert not [one.finding for one in outcomes if one.finding]
    assert any(one.value for one in outcomes)


def test_names_are_told_apart() -> None:
    names = [one.name for one in TARGETS]
    assert len(names) == len(set(names))
    assert not [name for name in names if os.sep in name]
