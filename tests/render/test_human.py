"""Screens for people: what is shown cannot command the terminal."""

import io

import pytest

from cudafit.render.human import print_rows, progress_bar
from cudafit.render.row import Row


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("out", [io.StringIO(), Terminal()])
def test_names_that_hold_commands_of_a_terminal_are_shown_not_obeyed(out: io.StringIO) -> None:
    print_rows(
        "doctor", [Row("cause", "process 7 (\x1b[2J\x9b31mevil\x07)", "/tmp/\x1b]0;title\x07")], out, color=False
    )
    assert "\x1b[2J" not in out.getvalue()
    assert "\x9b" not in out.getvalue()
    assert "\x07" not in out.getvalue()
    assert "\\x1b[2J" in out.getvalue()


def test_a_bar_of_progress_is_drawn_and_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    with progress_bar(out) as show:
        show(0, 4)
        show(1, 4)  # too soon after it to be drawn
        show(4, 4)
    drawn = out.getvalue().split("\r")
    assert drawn[1].startswith(f"{'.' * 40} 0/4 0:0")
    assert drawn[2].startswith(f"{'#' * 40} 4/4 0:0")
    assert drawn[3] == "\x1b[K"
    assert len(drawn) == 4


def test_no_bar_where_it_cannot_be_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    for out in (Terminal(), io.StringIO()):
        with progress_bar(out) as show:
            show(1, 2)
        assert out.getvalue() == ""
