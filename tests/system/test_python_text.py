"""Python of others is parsed in one place, which prints nothing of what the parser says of it."""

import re
import warnings
from pathlib import Path

import pytest

from cudafit.lint.notebook import lint_notebook
from cudafit.model.literals import assignments
from cudafit.system.python_text import parsed
from cudafit.watch.hints import hints_in

CODE = "x = '\\d'\n1 is 1\nassert (1, 'x')\n"
SOURCE = Path(__file__).resolve().parents[2] / "src" / "cudafit"


def test_what_the_parser_says_of_code_is_not_printed() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        parsed(CODE)
        parsed("'\\d' is 1", "eval")
        assert assignments(CODE)["x"] == "\\d"
        hints_in(CODE)
        lint_notebook('{"cells": [{"cell_type": "code", "source": "1 is 1"}]}', "a.ipynb")
    assert not told


def test_it_is_no_error_where_warnings_are() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parsed(CODE)


def test_warnings_of_others_are_left_alone() -> None:
    parsed(CODE)
    with pytest.warns(UserWarning, match="of mine"):
        warnings.warn("of mine", UserWarning, stacklevel=1)
    before = len(warnings.filters)
    parsed(CODE)
    assert len(warnings.filters) == before


@pytest.mark.parametrize("text", ["(", "\0", "x = " + "(" * 5000, "9" * 5000])
def test_what_is_no_python(text: str) -> None:
    with pytest.raises((SyntaxError, ValueError, RecursionError, MemoryError)):
        parsed(text)


def test_nothing_else_parses_python() -> None:
    calls = re.compile(r"\bast\.parse\(|(?<![.\w])compile\(|literal_eval\((?!node|parsed)")
    found = [path.name for path in SOURCE.rglob("*.py") if calls.search(path.read_text())]
    assert found == ["python_text.py"]


LONG = "a." * 20_000 + "b"


@pytest.mark.parametrize(
    "text",
    [
        f"import {LONG}",
        f"import x, {LONG}",
        f"from {LONG} import c",
        f"from . {LONG} import c",
        f"import {' . '.join('a' * 20_000)}",
    ],
)
def test_a_name_that_would_keep_the_parser_busy_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a name of more than 200 parts"):
        parsed(text)


def test_long_texts_with_many_dots_are_no_such_names() -> None:
    text = (
        "x = '"
        + "0. 1. " * 400
        + "'\ny = ["
        + "1.5, " * 400
        + "]\n"
        + "a.b.c()\n" * 400
        + f"import {'a.' * 150}b\n# {'...' * 400}\n"
    )
    assert len(parsed(text).body) == 403
