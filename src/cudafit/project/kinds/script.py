"""The header of a script (PEP 723)."""

from cudafit.model.declaration import Declaration
from cudafit.project.kinds import pyproject

_BEGIN = "# /// script"
_END = "# ///"


def read(path: str, told: str) -> Declaration | None:
    """None for a script without one. It is what a pyproject.toml would say, on other lines."""
    if (found := _block(told)) is None:
        return None
    above, lines = found
    content = "\n".join(line[2:] for line in lines)
    return pyproject.of_script(path, content, above)


def _block(told: str) -> tuple[int, list[str]] | None:
    """How many lines stand above what the first block holds, and what it holds; all of a block are comments."""
    above = 0
    held: list[str] | None = None
    for number, line in enumerate(told.replace("\r\n", "\n").split("\n"), start=1):
        bare = line.rstrip(" \t")
        if held and bare == _END:
            return above, held
        if held is not None and (line == "#" or line.startswith("# ")):
            held.append(line)
        elif bare == _BEGIN:
            above, held = number, []
        else:
            held = None
    return None
