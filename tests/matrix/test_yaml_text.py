"""YAML as the matrices are written."""

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cudafit import shipped
from cudafit.matrix.load import matrix_files
from cudafit.matrix.plain_rows import Lined, read, written
from cudafit.matrix.yaml_text import MatrixSyntaxError, dump, emitted, flow, load, parsed

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=30)


@pytest.mark.parametrize("text", ["12.10", "1.0", "no", "null", "1e5", "0x10", "2026-11-21", "on", "~", "580.65.06"])
def test_every_scalar_stays_its_text(text: str) -> None:
    assert load(f"version: {text}\n") == {"version": text}
    assert flow({"version": text}) == f"{{version: {text}}}"


def test_a_tag_makes_nothing_of_a_text() -> None:
    assert load("a: !!python/object/apply:os.getcwd x\n") == {"a": "x"}


@settings(deadline=None)
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


# Of YAML's signs, and of what may stand beside them.
SIGNS = " ,:[]{}#&*!|>'\"%@`-?=~.<\\/aB7_\n\xa0\u2028é\x85\ufeff\r"
LINES = [
    "# Two\n",
    "\n",
    "package: torch\n",
    "version: 12.10\n",
    "builds:\n",
    "- {version: 2.5.0, pythons: 3.10 3.11, requires_python: '>=3.9', sources: torch-2.5.0}\n",
    "- {address: https://example.org/a_b?c=1, note: what is 'so' and not so}\n",
    "- {a: b}\n",
]


def whole(value: Any) -> Any:
    """With the lines that mappings remember."""
    if isinstance(value, list):
        return [whole(one) for one in value]
    if isinstance(value, dict):
        return (getattr(value, "line", None), [(key, whole(one)) for key, one in value.items()])
    return value


@pytest.mark.slow
def test_every_file_of_ours_is_read_the_quick_way_and_as_yaml_reads_it() -> None:
    folder = shipped.folder("matrices")
    asked: list[str] = []

    def row(text: str) -> Any:
        asked.append(text)
        return parsed(text)

    rows = 0
    quickly: list[tuple[Any, str]] = []
    for path in matrix_files(folder):
        text = Path(path).read_text(encoding="utf-8")
        quick = read(text, row)
        assert quick is not None, path
        assert whole(quick) == whole(parsed(text)), path
        rows += text.count("\n- {")
        of_a_file = [row for value in quick.values() if isinstance(value, list) for row in value]
        quickly += [(row, line) for row in of_a_file if (line := written(row))]
    assert rows > 5000
    assert len(asked) < rows / 20
    assert len(quickly) > rows * 0.9
    assert [line for _, line in quickly[::7]] == [emitted(row) for row, _ in quickly[::7]]


@pytest.mark.parametrize("seed", range(8))
def test_what_is_read_the_quick_way_is_what_yaml_reads(seed: int) -> None:
    """Lines in any order, with signs put in, taken out and exchanged."""
    chance = random.Random(seed)
    quick = 0
    for _ in range(200):
        head = chance.sample(LINES[:4], chance.randint(0, 4))
        text = "".join([*head, "builds:\n", *chance.choices(LINES[5:], k=chance.randint(0, 3)), chance.choice(LINES)])
        for _ in range(chance.randint(0, 2)):
            place = chance.randrange(len(text) + 1)
            text = text[:place] + chance.choice([*SIGNS, "", ": ", " #", "''"]) + text[place + chance.randint(0, 1) :]
        found = read(text, parsed)
        if found is not None:
            quick += 1
            assert whole(found) == whole(parsed(text)), repr(text)
    assert quick > 30


@pytest.mark.parametrize("seed", range(4))
def test_what_is_written_the_quick_way_is_what_yaml_writes(seed: int) -> None:
    chance = random.Random(seed)
    signs = [*(one for one in SIGNS if " " <= one <= "~"), "a", "B", "7", " ", "..", "--"]
    quick = 0
    for _ in range(300):
        texts = ["".join(chance.choices(signs, k=chance.randint(0, 9))) for _ in "ab"]
        row = {"one": texts[0], chance.choice(["two", "t_2", "t2", "_", "~"]): texts[1] + chance.choice(["", "é"])}
        if (line := written(row)) is not None:
            quick += 1
            assert line == emitted(row)
    assert quick > 30
    assert written({"a": "1.0 <2", "b": "it's: so"}) == "{a: 1.0 <2, b: 'it''s: so'}"


@pytest.mark.parametrize(
    "text",
    [
        "a: b: c\n",
        "a: b\n  c\n",
        "a: 'b'\n",
        "- {a: b}\n",
        "a:\n- {a: b,\n  c: d}\n",
        "a:\n- {a: b, a: c}\n",
        "a:\n- b\n",
        "a:\n- {a: *x}\n",
        "",
    ],
)
def test_the_rest_is_left_to_the_parser(text: str) -> None:
    assert read(text, parsed) is None


def test_a_record_that_is_not_plain_is_parsed_by_itself() -> None:
    found = read("a:\n- {b: [c, d]}\n- {b: 'it''s', c: }\n", parsed)
    assert found == {"a": [{"b": ["c", "d"]}, {"b": "it's", "c": ""}]}
    assert isinstance(found, Lined)
    assert [row.line for row in found["a"]] == [2, 3]
