"""TOML from data reads back as that data."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cudafit.system.toml import inline, toml_text
from tests.older import tomllib

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALAR = st.one_of(TEXT, st.booleans(), st.integers(-(2**53), 2**53))
VALUE = st.one_of(SCALAR, st.lists(SCALAR, max_size=3))
TABLE = st.recursive(
    st.dictionaries(TEXT, VALUE, max_size=3),
    lambda inner: st.dictionaries(TEXT, st.one_of(VALUE, inner, st.lists(inner, min_size=1, max_size=2)), max_size=3),
    max_leaves=6,
)


@given(TABLE)
def test_round_trip(table: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(table)) == table


@given(TEXT, st.integers(), st.booleans())
def test_a_table_in_one_line(text: str, number: int, flag: bool) -> None:
    made = toml_text({"a": {"b": inline(text=text, number=number, flag=flag)}})
    assert tomllib.loads(made) == {"a": {"b": {"text": text, "number": number, "flag": flag}}}
    assert len(made.rstrip("\n").split("\n")) == len(("[a]", "b = {"))


def test_as_people_write_it() -> None:
    table = {
        "name": "x",
        "tool": {"uv": {"index": [{"name": "a", "explicit": True}], "sources": {"t": inline(index="a")}}},
    }
    assert toml_text(table) == (
        'name = "x"\n\n[[tool.uv.index]]\nname = "a"\nexplicit = true\n\n[tool.uv.sources]\nt = { index = "a" }\n'
    )
