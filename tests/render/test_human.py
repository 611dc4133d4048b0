"""Screens for people: what is shown cannot command the terminal."""

import io

import pytest

from cudafit.render.human import print_rows
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
