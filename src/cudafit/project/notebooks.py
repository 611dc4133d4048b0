"""Notebooks in a folder: the cells that install with `!pip`, which may be another Python's."""

import json
import os
import re
from collections.abc import Iterator

from cudafit.system.reading import read_text

_LIMIT = 8 << 20
_MOST = 50
_BANG = re.compile(r"^\s*!\s*(?:python3?\s+-m\s+)?pip3?\s+install\b")


def bang_pip(folder: str, unread: list[str] | None = None) -> tuple[str, ...]:
    """Each as `train.ipynb, cell 3`; a file that is no notebook is passed over.

    `unread` is given what could not be read, with the reason.
    """
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".ipynb"))[:_MOST]
    except OSError:
        return ()
    found: list[str] = []
    for name in names:
        try:
            text = read_text(os.path.join(folder, name), _LIMIT, errors="replace")
        except (FileNotFoundError, IsADirectoryError):
            continue
        except OSError as error:
            if unread is not None:
                unread.append(f"{name}: {error.strerror or error}")
            continue
        found += _in_notebook(text, name)
    return tuple(found)


def _in_notebook(text: str, name: str) -> Iterator[str]:
    try:
        cells = json.loads(text)["cells"]
        for number, cell in enumerate(cells, start=1):
            source = cell["source"] if cell["cell_type"] == "code" else ""
            lines = source if isinstance(source, list) else str(source).splitlines()
            if any(_BANG.match(str(line)) for line in lines):
                yield f"{name}, cell {number}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return
