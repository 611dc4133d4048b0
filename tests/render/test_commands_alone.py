"""Commands stand alone on their lines and can be pasted, however narrow the terminal is."""

import io
import re

import pytest

from cudafit.render.human import print_rows
from cudafit.render.row import Row

LONG = "uv pip install --python /home/somebody/projects/a-long-name/.venv --reinstall-package torch torch==2.14.1+cu126"
ROWS = (
    Row("cause", "a rather long text that is broken over several lines on a narrow terminal, as it must be", "a/via"),
    Row("  fix", "install torch==2.14.1+cu126", "", "good"),
    Row("", LONG, "", "command"),
    Row("status", "1 error"),
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_command_is_one_line_by_itself(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    out = Terminal()
    print_rows("doctor", ROWS, out, color=False)
    lines = re.sub(r"\x1b\[\d*m", "", out.getvalue()).splitlines()
    assert f"    {LONG}" in lines
    assert all(len(line.rstrip()) <= width for line in lines if LONG not in line)


def test_so_it_is_in_a_pipe() -> None:
    out = io.StringIO()
    print_rows("doctor", ROWS, out, color=False)
    assert LONG in [line.strip() for line in out.getvalue().splitlines()]
