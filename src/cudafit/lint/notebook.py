"""Notebooks: the cells of code in order, as one program; what only IPython understands is left out."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from cudafit.lint.python import UnreadableError, lint_python
from cudafit.model.code_finding import CodeFinding
from cudafit.system.python310 import possessive
from cudafit.system.python_text import parsed

_MAGIC = re.compile(r"^(\s*)([%!?].*|[\w.]+\?{1,2})$")
_ASSIGNED = re.compile(possessive(r"^([\w.,\s\[\]\"']++=\s*+)[!%].*$"))
_SET = re.compile(r"^\s*%(?:set_)?env\s+(\w+)(?:\s*=\s*|\s+)(.*)$")
_LINE = re.compile(r"\bin line ([1-9]\d{0,8})\b")
_LINES_KEPT = 3  # of the text above a cell
# Cell magics with Python below them.
_PYTHON_CELL = ("time", "timeit", "capture", "prun", "cudafit", "memit", "skip_if", "snakeviz", "python3", "python")


def lint_notebook(
    text: str, path: str, skipped: list[str] | None = None, installed: Mapping[str, str] | None = None
) -> list[CodeFinding]:
    """The findings, with the cell and the line in it. A cell that is no Python is named in `skipped`."""
    lines: list[str] = []
    where: list[tuple[int, int]] = []
    above, said = "", dict[int, str]()  # the text above the next cell, and by line
    for number, source, is_code in _sources(text):
        if not is_code:
            above = " ".join([line.strip() for line in source.splitlines() if line.strip()][-_LINES_KEPT:])
            continue
        here, above = above, ""
        code = python_of(source)
        if code is None:
            continue
        try:
            parsed("\n".join(code))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            if skipped is not None:
                skipped.append(f"cell {number}: {getattr(error, 'msg', None) or 'it cannot be read'}")
            continue
        for offset, line in enumerate(code, 1):
            lines.append(line)
            where.append((number, offset))
            said[len(lines)] = here
    found = lint_python("\n".join(lines) + "\n", path, skipped, said, installed)
    return [_in_cell(one, where) for one in found]


def code_of(text: str) -> str:
    """The cells of code as they stand there; raises UnreadableError."""
    return "\n".join(source for _, source, is_code in _sources(text) if is_code)


@lru_cache(maxsize=1)  # the cells are followed, and looked through for configurations
def _sources(text: str) -> list[tuple[int, str, bool]]:
    """The cells of code and of text, each with its number, and whether it is code."""
    try:
        cells = enumerate(_cells(json.loads(text)), 1)
        held = [(number, cell, cell.get("cell_type")) for number, cell in cells]
        return [(number, _source(cell), kind == "code") for number, cell, kind in held if kind in ("code", "markdown")]
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise UnreadableError("it is no notebook: the JSON of one is expected") from error


def _cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    if "worksheets" in notebook:  # before version 4 of the format
        return [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]
    return list(notebook["cells"])


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    return source if isinstance(source, str) else "".join(source)


def _in_cell(finding: CodeFinding, where: list[tuple[int, int]]) -> CodeFinding:
    cell, line = where[min(finding.line, len(where)) - 1]
    return replace(finding, line=line, cell=cell, message=_with_cells(finding.message, where), edits=())


def _with_cells(message: str, where: list[tuple[int, int]]) -> str:
    """Another line that a message names, as it is counted in its cell; what it quotes stays."""
    own, quote, quoted = message.partition('"')

    def place(found: re.Match[str]) -> str:
        cell, line = where[min(int(found[1]), len(where)) - 1]
        return f"in cell {cell}, line {line}"

    return _LINE.sub(place, own) + quote + quoted


def python_of(source: str) -> list[str] | None:
    """The lines of a cell as Python; None for a cell in another language."""
    lines = source.splitlines()
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("%%"):
        words = first[2:].split()
        if not words or words[0] not in _PYTHON_CELL:
            return None
        lines[lines.index(first)] = ""
    made: list[str] = []
    goes_on = False  # a command of the shell, with a backslash at its end
    for line in lines:
        made.append("" if goes_on else _line(line))
        goes_on = line.rstrip().endswith("\\") and (goes_on or made[-1] != line)
    return made


def _line(line: str) -> str:
    stripped = line.lstrip()
    if variable := _SET.match(line):
        return f"import os as _os; _os.environ[{variable[1]!r}] = {variable[2].strip().strip(chr(34)).strip(chr(39))!r}"
    if stripped.startswith("%time ") or stripped.startswith("%timeit "):
        return line[: len(line) - len(stripped)] + stripped.split(" ", 1)[1]
    if magic := _MAGIC.match(line):
        return f"{magic[1]}pass"
    if assigned := _ASSIGNED.match(line):
        return f"{assigned[1]}None"
    return line
