"""Why a cell did not use the GPU: the code that was run, then the installation of the kernel."""

import json
import os
import sys
from collections.abc import Sequence

from cudafit.app.job_causes import Suspect, causes_of
from cudafit.lint.notebook import python_of
from cudafit.model.code_finding import CodeFinding
from cudafit.model.finding import ERROR, WARNING, Evidence, Finding, Fix
from cudafit.model.frozen import frozen
from cudafit.model.kinds import KINDS
from cudafit.model.run import JobPython
from cudafit.sources import lint_paths

_MOST_CELLS = 300


@frozen
class Causes:
    """`code` is what the cell itself does, or what it brings to light in an earlier one; `earlier` was so without it;
    `root` is the installation's."""

    code: tuple[Finding, ...] = ()
    earlier: tuple[Finding, ...] = ()
    root: Finding | None = None
    failed: str | None = None  # why the installation could not be looked at


def causes(cell: str, earlier: Sequence[tuple[int, str]]) -> Causes:
    """`cell` with its `%%cudafit`, and the cells that ran before it, each with its number."""
    python = JobPython(sys.executable or None, None, None, os.getpid())
    found = causes_of(Suspect(python, os.getcwd(), os.environ) if sys.executable else None)
    failed = None if found.environment or not found.skipped else found.skipped[0].reason
    code, before = in_cells(cell, earlier)
    return Causes(code, before, next(iter(found.findings), None), failed)


def in_cells(cell: str, earlier: Sequence[tuple[int, str]]) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """What lint finds in this cell, or in earlier ones only together with it; and what was there without it.

    A model may be made in one cell and trained in another, so they are read as one program. A cell that was run twice
    counts where it ran last.
    """
    last = {text: number for number, text in earlier if text.strip() != cell.strip()}
    before = sorted((number, text) for text, number in last.items())[-_MOST_CELLS:]
    known = {(one.id, one.cell, one.line) for one in _linted([text for _, text in before])}
    cells = [*before, (None, cell)]
    found: tuple[list[Finding], list[Finding]] = ([], [])
    for one in _linted([text for _, text in cells]):
        if one.cell is None or one.severity not in (ERROR, WARNING):
            continue
        number, text = cells[one.cell - 1]
        was_so = number is not None and (one.id, one.cell, one.line) in known
        found[was_so].append(_finding(one, number, text))
    return tuple(found[0]), tuple(found[1])


def _linted(cells: Sequence[str]) -> Sequence[CodeFinding]:
    readable = [{"cell_type": "code", "source": text if python_of(text) is not None else ""} for text in cells]
    return lint_paths([], json.dumps({"cells": readable})).findings


def _finding(one: CodeFinding, number: int | None, text: str) -> Finding:
    lines = text.splitlines()
    code = lines[one.line - 1].strip() if 0 < one.line <= len(lines) else ""
    where = "this cell" if number is None else f"cell In [{number}]"
    return KINDS[one.id].found(one.message, (Evidence(code, f"{where}, line {one.line}"),), Fix(one.fix))
