"""TOML from data reads back as that data."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cudafit.lock.toml_text import Inline, toml_text
from tests.older import tomllib

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALAR = st.one_of(TEXT, st.booleans(), st.integers(-(2**53), 2**53))
INLINE = st.dictionaries(TEXT, SCALAR, max_size=3).map(Inline)
VALUE = st.one_of(SCALAR, st.lists(SCALAR, max_size=3), INLINE)
TABLE = st.recursive(
    st.dictionaries(TEXT, VALUE, max_size=3),
    lambda inner: st.dictionaries(TEXT, st.one_of(VALUE, inner, st.lists(inner, min_size=1, max_size=2)), max_size=3),
    max_leaves=6,
)


@given(TABLE)
def test_round_trip(table: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(table)) == table


def test_as_people_write_it() -> None:
    table = {
        "name": "x",
        "tool": {"uv": {"index": [{"name": "a", "explicit": True}], "sources": {"t": Inline(index="a")}}},
    }
    assert toml_text(table) == (
        'name = "x"\n\n[[tool.uv.index]]\nname = "a"\nexplicit = true\n\n[tool.uv.sources]\nt = { index = "a" }\n'
    )
