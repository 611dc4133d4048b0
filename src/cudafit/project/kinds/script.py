"""The header of a script (PEP 723)."""

import re

from cudafit.model.declaration import Declaration, FileKind
from cudafit.project.kinds import pyproject

_BLOCK = re.compile(r"(?m)^# /// script[ \t]*$\n(?P<content>(?:^#(?:| .*)$\n)+?)^# ///[ \t]*$")


def read(path: str, told: str) -> Declaration | None:
    """None for a script without one. It is what a pyproject.toml would say, on other lines."""
    match = _BLOCK.search(told.replace("\r\n", "\n") + "\n")
    if match is None:
        return None
    content = "\n".join(line[2:] if line.startswith("# ") else line[1:] for line in match["content"].splitlines())
    above = told[: match.start("content")].count("\n")
    return pyproject.of_script(path, content, above)


def looks_like(told: str) -> bool:
    return _BLOCK.search(told.replace("\r\n", "\n") + "\n") is not None


KIND = FileKind(
    name="pep723",
    pattern=r".*\.py[w]?",
    example="script.py",
    here=False,
    is_lock=False,
    read=read,
    looks_like=looks_like,
)
