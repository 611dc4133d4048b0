"""YAML as the matrices are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cudafit.matrix.yaml_text import MatrixSyntaxError, dump, flow, load

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=30)


@pytest.mark.parametrize("text", ["12.10", "1.0", "no", "null", "1e5", "0x10", "2026-11-21", "on", "~", "580.65.06"])
def test_every_scalar_stays_its_text(text: str) -> None:
    assert load(f"version: {text}\n") == {"version": text}
    assert flow({"version": text}) == f"{{version: {text}}}"


def test_a_tag_makes_nothing_of_a_text() -> None:
    assert load("a: !!python/object/apply:os.getcwd x\n") == {"a": "x"}


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,10}", fullmatch=True), TEXTS, min_size=1, max_size=5))
def test_a_record_is_one_line_and_reads_back_the_same(row: dict[str, str]) -> None:
    line = flow(row)
    assert "\n" not in line
    assert load(f"rows:\n- {line}\n") == {"rows": [row]}


def test_rows_remember_their_line() -> None:
    rows = load(dump("Two\nlines", {"package": "torch"}, {"builds": [{"a": "1"}, {"a": "2"}]}))["builds"]
    assert [row.line for row in rows] == [6, 7]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a: 1\na: 2\n", 2, "the key `a` stands twice"),
        ("a: {b: 1, b: 2}\n", 1, "the key `b` stands twice"),
        ("a: [1\n", 2, "expected ',' or ']'"),
        ("a:\n\t- 1\n", 2, "a tab; indent with spaces"),
        ("? [1, 2]\n: x\n", 1, "a key must be a text"),
    ],
)
def test_what_is_not_so_is_told_with_its_line(text: str, line: int, what: str) -> None:
    with pytest.raises(MatrixSyntaxError) as caught:
        load(text)
    assert caught.value.line == line
    assert what in caught.value.what
