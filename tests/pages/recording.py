"""docs/pictures/session.svg: a terminal in which doctor, repair and rollback are run, drawn by rich.

The machine is a saved one. The index on loopback has small stand-ins for the packages, so the change is a real one.
"""

import io
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tests.command import COMMAND
from tests.machines import FOLDER
from tests.pages.blocks import DOCS, HOME
from tests.repair.world import World, broken_env, world

PICTURE = DOCS / "pictures" / "session.svg"
_SESSION = (
    "doctor --machine workstation.json --matrix facts",
    "repair --machine workstation.json --matrix facts --yes",
    "rollback --yes",
)
_COLOURS = [(224, 108, 117), (152, 195, 121), (229, 192, 123), (97, 175, 239), (198, 120, 221), (86, 182, 194)]
_DARK, _LIGHT = (24, 26, 31), (220, 223, 228)
_THEME = TerminalTheme(_DARK, _LIGHT, [_DARK, *_COLOURS, _LIGHT], [(120, 127, 140), *_COLOURS, (255, 255, 255)])


def session(folder: Path, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each command that is typed, and what it says."""
    home = folder / "nets"
    (folder / "wheels").mkdir()
    home.mkdir()
    broken_env(home / ".venv", folder / "wheels")
    shutil.copy(FOLDER / "rtx4090-550.json", home / "workstation.json")
    with world(folder) as small:
        shutil.copytree(small.matrix, home / "facts")
        for command in _SESSION:
            yield command, _said(command, home, {**environ, **small.env}, small)


def _said(command: str, home: Path, environ: Mapping[str, str], small: World) -> str:
    words = [*COMMAND, *command.split(), "--color", "always"]
    told = subprocess.run(
        words,
        env={**environ, "PYTHONUNBUFFERED": "1"},
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    text = told.stdout
    running = platform.python_version()
    text = text.replace(running, "3.12.4").replace(f"python{running.rpartition('.')[0]}", "python3.12")
    for index in (small.default, small.pytorch):
        text = text.replace(index.address.split("/")[2], "127.0.0.1")
    text = re.sub(r"[\d.]+ KiB of the disk", "388.0 KiB of the disk", text)  # a file system has blocks of its own
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-11-30T12:00:00Z", text.replace(str(home), HOME))


def drawn(shown: Iterator[tuple[str, str]]) -> str:
    console = Console(record=True, width=132, file=io.StringIO(), force_terminal=True, color_system="standard")
    for command, text in shown:
        console.print(Text.assemble(("$ ", "bold green"), (f"cudafit {command}", "bold")), soft_wrap=True)
        console.print(Text.from_ansi(text))
    picture = console.export_svg(title="cudafit", theme=_THEME, unique_id="cudafit")
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)  # those would be loaded from elsewhere
    picture = re.sub(r"<!--.*?-->\s*", "", picture, flags=re.DOTALL)
    return picture.replace("Fira Code", "ui-monospace, Consolas, DejaVu Sans Mono")
