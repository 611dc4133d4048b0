"""What is in the way of a solution is looked for after an error of that kind, whatever its words."""

from collections.abc import Sequence

import pytest

from cudafit.conda import nearest
from cudafit.conda.nearest import solved_or_nearest
from cudafit.conda.solver import Question, Record, UnsolvableError
from cudafit.errors import CudafitError

NUMPY = Record("numpy", "2.3.0", "py_0", 0, "noarch", "u", "f", "c", None, None, None, ())
QUESTION = Question(("c",), "linux-64", ("python 3.12.*", "numpy ==9.9"), ())


def solver(error: CudafitError, solved_without: str) -> tuple[list[tuple[str, ...]], object]:
    asked: list[tuple[str, ...]] = []

    def solve(questions: Sequence[Question]) -> list[list[Record]]:
        (question,) = questions
        asked.append(question.specs)
        if solved_without in question.specs:
            raise error
        return [[NUMPY]]

    return asked, solve


def test_the_requirement_in_the_way_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _, solve = solver(UnsolvableError("in other words", hint="loosen one"), "numpy ==9.9")
    monkeypatch.setattr(nearest, "solve", solve)
    with pytest.raises(UnsolvableError) as caught:
        solved_or_nearest(QUESTION)
    assert caught.value.hint == "with `numpy` 2.3.0 py_0 in place of `numpy ==9.9` it is solved"


def test_another_error_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    told = CudafitError("the mirror says that they do not go together", hint="try again")
    asked, solve = solver(told, "python 3.12.*")
    monkeypatch.setattr(nearest, "solve", solve)
    with pytest.raises(CudafitError) as caught:
        solved_or_nearest(QUESTION)
    assert caught.value is told
    assert asked == [QUESTION.specs]
