"""A notebook's cells that install: `%pip install`, `!pip install`, `!uv pip install`."""

import json
import os
import re
from collections.abc import Iterator

from cudafit.errors import InputError
from cudafit.model.container_files import Command
from cudafit.model.declaration import Declaration
from cudafit.model.installs import installs
from cudafit.project.installer_lines import installed, sorted_lines
from cudafit.project.shell import commands

_INSTALLS = re.compile(r"\s*[%!]\s*((?:python3?\s+-m\s+)?(?:uv\s+)?(?:pip3?|conda|mamba)\s+.*)")
_MOST_CELLS = 5000


def read(path: str, told: str) -> Declaration | None:
    """None where no cell installs anything. Raises InputError for what is no notebook."""
    words = tuple(Command(tuple(parts), place) for text, place in _lines(path, told) for _, parts, _ in commands(text))
    found = [(one, one.command.place) for one in installs(words)]
    if not found:
        return None
    pip = installed(found, os.path.dirname(path))
    rest = sorted_lines(pip.lines, os.path.dirname(path))
    return Declaration(
        path,
        "notebook",
        wanted=(*pip.wanted, *rest.wanted),
        indexes=rest.indexes,
        lines=rest.lines,
        local=rest.local,
        unread=pip.unread,
        files=(path, *pip.files),
    )


def _lines(path: str, told: str) -> Iterator[tuple[str, str]]:
    try:
        cells = json.loads(told)["cells"][:_MOST_CELLS]
        for number, cell in enumerate(cells, start=1):
            source = cell["source"] if cell["cell_type"] == "code" else ""
            text = "".join(map(str, source)) if isinstance(source, list) else str(source)
            for line in text.replace("\\\n", " ").splitlines():
                if match := _INSTALLS.fullmatch(line):
                    yield match[1], f"{path}, cell {number}"
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(f"`{path}` is not a notebook") from None
