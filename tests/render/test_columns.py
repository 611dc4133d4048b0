"""Text in columns, held against rich's."""

import io
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from cudafit.render.columns import cells, side_by_side, wrapped
from cudafit.render.human import print_rows
from cudafit.render.row import Row
from cudafit.system.terminal import width
from tests.render.test_human import Terminal

WORDS = st.sampled_from(["a", "torch==2.14.1+cu126", "驱动", "/usr/lib/x86_64-linux-gnu/libcuda.so.1", "é", "12.2"])


@settings(deadline=None)
@given(st.lists(WORDS, max_size=12).map(lambda words: " ".join(words).strip()), st.integers(40, 90))
def test_lines_are_broken_where_rich_breaks_them(text: str, room: int) -> None:
    console = Console(width=room, file=io.StringIO())
    theirs = [line.plain.rstrip() for line in Text(text).wrap(console, room, overflow="fold")]
    ours = [line.rstrip() for line in wrapped(text, room)]
    assert ours == (theirs or [""])
    assert all(cells(line) <= room for line in ours)


def test_a_word_that_is_too_long_begins_a_line_and_is_broken_anywhere() -> None:
    assert wrapped("a abcdefgh 驱动驱动驱 b", 5) == ["a", "abcde", "fgh", "驱动", "驱动", "驱 b"]


def test_a_line_end_in_the_text_ends_the_line() -> None:
    assert wrapped("one\ntwo three", 5) == ["one", "two", "three"]


def test_lines_beside_each_other_are_filled_up() -> None:
    assert side_by_side((["cause"], ["显卡", "x"], [""]), (6, 5, 0)) == [
        ["cause ", "显卡 ", ""],
        ["      ", "x    ", ""],
    ]


@pytest.mark.parametrize("columns", [30, 80])
def test_no_line_ends_in_blanks_and_none_is_too_wide(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    out = Terminal()
    rows = [
        Row("cause", "the driver 535.183.01 supports CUDA up to 12.2", "NVML", "bad"),
        Row("", "torch is for CUDA 13.0", "site-packages/torch/version.py and more of it", "quiet"),
        Row("status", "1 error"),
    ]
    print_rows("this machine", rows, out, color=True)
    text = out.getvalue()
    assert "\x1b[1mthis machine\x1b[0m" in text
    assert "\x1b[1;31m" in text
    plain = re.sub(r"\x1b\[[\d;]*m", "", text).splitlines()
    assert all(line == line.rstrip() and len(line) <= columns for line in plain)
    assert "NVML" in plain[1]
    assert " ".join("".join(plain).split()).endswith("status  1 error".replace("  ", " "))


def test_without_color_there_is_no_escape_sequence() -> None:
    out = Terminal()
    print_rows("t", [Row("a", "b", "c", "bad")], out, color=False)
    assert out.getvalue().split() == ["t", "a", "b", "c"]


@pytest.mark.parametrize(("said", "expected"), [("132", 132), ("", 80), ("0", 80), ("wide", 80)])
def test_width(said: str, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", said)
    assert width(io.StringIO()) == expected


SCRIPTS = "驱动 ドライバ 드라이버 é e\u0301 драйвер πρόγραμμα تعريف ไดรเวอร์ 🚀 \uff43\uff55 ─█ a\u200bb"


@pytest.mark.parametrize("text", SCRIPTS.split())
def test_signs_are_as_wide_as_rich_has_them(text: str) -> None:
    assert cells(text) == cell_len(text)


def test_letters_of_all_scripts_are_as_wide_as_rich_has_them() -> None:
    """The tables are of different versions of Unicode, so a few of the newest may differ."""
    known = [chr(point) for point in range(0xA0, 0x20000) if unicodedata.category(chr(point))[0] in "LNP"]
    assert len(known) > 50_000
    assert sum(cells(sign) != cell_len(sign) for sign in known) < len(known) / 1000
