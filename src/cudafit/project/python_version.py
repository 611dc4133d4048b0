"""The Python that a folder is for, by `.python-version` (pyenv, uv)."""

import os
import re
from collections.abc import Iterator

from cudafit.model.declaration import Bound
from cudafit.system.reading import read_text

_NAME = ".python-version"
_LINE = re.compile(r"(?:cpython[-@]|python[-@]?)?(3\.\d{1,2})(?:\.\d{1,3})?(?:\s*#.*)?", re.ASCII)


def of_folder(folder: str) -> Iterator[Bound]:
    """Of several lines the first counts; another Python than CPython is nobody's bound here."""
    path = os.path.normpath(os.path.join(folder, _NAME))
    try:
        lines = read_text(path, 4 << 10, errors="replace").splitlines()
    except OSError:
        return
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith("#"):
            if match := _LINE.fullmatch(line.strip()):
                yield Bound(f"=={match[1]}.*", f"{path}:{number}")
            return
