"""Tables of untrusted text."""

import io

import pytest

pytest.importorskip("IPython", reason="IPython is not installed")

from cudafit.notebook.table import Table
from cudafit.render.human import print_rows
from cudafit.render.row import Row
from tests.notebook.conftest import rows_of

ROWS = [
    Row("cause", "torch is a build for the CPU (torch.cpu_wheel)", "", "bad"),
    Row("", "torch 2.13.0+cpu, cuda = None", "lib/torch/version.py"),
    Row("  fix", "[bold]install[/bold] another", "", "good"),
    Row("note", "nothing", "", "quiet"),
    Row("note", "something", "", "warn"),
]


def test_text_is_what_the_command_prints_in_a_pipe() -> None:
    out = io.StringIO()
    print_rows("doctor", ROWS, out, color=False)
    assert repr(Table("doctor", ROWS)) + "\n" == out.getvalue()


def test_html_has_the_same_rows() -> None:
    assert rows_of(Table("doctor", ROWS)._repr_html_()) == [[row.label.strip(), row.value, row.via] for row in ROWS]


def test_what_is_shown_is_never_markup() -> None:
    evil = '<script>alert("x")</script></td>&amp;\'"'
    rows = [Row(evil, evil, evil)]
    html = Table(evil, rows)._repr_html_()
    assert "<script" not in html
    assert rows_of(html) == [[evil, evil, evil]]


def test_control_characters_are_seen_and_do_nothing() -> None:
    rows = [Row("a", "red \x1b[31m, back \r, turned \u202e, end \x00\x9b")]
    for text in (Table("t", rows)._repr_html_(), repr(Table("t", rows))):
        assert not any(sign in text for sign in "\x1b\r\u202e\x00\x9b")
        assert all(spelled in text for spelled in ("\\x1b[31m", "\\r", "\\u202e", "\\x00\\x9b"))


def test_no_ground_is_fixed_and_nothing_is_fetched() -> None:
    html = Table("t", ROWS)._repr_html_()
    assert not any(word in html for word in ("background", "http", "<script", "url(", "class="))
