"""Notebooks in a folder: the cells that install with `!pip`, which may be another Python's."""

import json
import os
import re
from collections.abc import Iterator

_LIMIT = 8 << 20
_MOST = 50
_BANG = re.compile(r"^\s*!\s*(?:python3?\s+-m\s+)?pip3?\s+install\b")


def bang_pip(folder: str) -> tuple[str, ...]:
    """Each as `train.ipynb, cell 3`; a file that is no notebook is passed over."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".ipynb"))[:_MOST]
    except OSError:
        return ()
    return tuple(place for name in names for place in _in_notebook(os.path.join(folder, name), name))


def _in_notebook(path: str, name: str) -> Iterator[str]:
    try:
        if os.path.getsize(path) > _LIMIT or not os.path.isfile(path):
            return
        with open(path, encoding="utf-8", errors="replace") as file:
            cells = json.load(file)["cells"]
        for number, cell in enumerate(cells, start=1):
            source = cell["source"] if cell["cell_type"] == "code" else ""
            lines = source if isinstance(source, list) else str(source).splitlines()
            if any(_BANG.match(str(line)) for line in lines):
                yield f"{name}, cell {number}"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return
