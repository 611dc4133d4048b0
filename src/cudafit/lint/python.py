"""A file of Python, or what a notebook holds of it: its findings, without those that it asks to ignore."""

import ast
import re
from collections.abc import Mapping

from cudafit.lint.edits import column_of, source_lines
from cudafit.lint.signs import may_hold_findings
from cudafit.model.code_finding import CodeFinding
from cudafit.system.python310 import possessive
from cudafit.system.python_text import parsed

_PYTHON_2 = re.compile(
    possessive(r"^[ \t]*+(?:print[ \t]+[\"'%\w]|except[ \t]+\w++[ \t]*+,[ \t]*+\w++[ \t]*+:|exec[ \t]+\")|\bxrange\("),
    re.MULTILINE,
)
_IGNORE = re.compile(r"#\s*cudafit:\s*ignore(?:\[([^\]]*)\])?", re.IGNORECASE)


class UnreadableError(Exception):
    """The text cannot be followed; the message says why."""


def lint_python(
    text: str,
    path: str,
    skipped: list[str] | None = None,
    said: Mapping[int, str] | None = None,
    installed: Mapping[str, str] | None = None,
    quick: bool = False,
) -> list[CodeFinding]:
    """The findings; `said` has the text above the cell of a notebook, by line. `quick`: what can hold no finding is not
    parsed, so that errors in it are not told."""
    if "\0" in text:
        raise UnreadableError("it is a binary file")
    possible = may_hold_findings(text)
    if quick and not possible:
        return []
    try:
        tree = parsed(text)
    except SyntaxError as error:
        if _PYTHON_2.search(text):
            raise UnreadableError(f"line {error.lineno}: this is Python 2") from error
        raise UnreadableError(f"line {error.lineno}: {error.msg}") from error
    except (RecursionError, MemoryError, ValueError) as error:
        raise UnreadableError("it is nested too deeply to be read") from error
    return _of_tree(tree, text, path, skipped, said or {}, installed or {}) if possible else []


def _of_tree(
    tree: ast.Module,
    text: str,
    path: str,
    skipped: list[str] | None,
    said: Mapping[int, str],
    installed: Mapping[str, str],
) -> list[CodeFinding]:
    from cudafit.lint.follow import follow  # noqa: PLC0415 - most files of a tree name no framework
    from cudafit.lint.purpose import Page, with_purpose  # noqa: PLC0415

    lines = source_lines(text)
    hits, left_out = follow(tree, lines, installed)
    if left_out and skipped is not None:
        skipped.append(left_out)
    findings = []
    page = Page(path, lines, tree, said)
    for hit in (with_purpose(one, page) for one in hits):
        line = getattr(hit.node, "lineno", 1)
        if ignored(lines, line, hit.kind.id):
            continue
        column = column_of(lines[line - 1], getattr(hit.node, "col_offset", 0)) if line <= len(lines) else 1
        findings.append(hit.kind.in_code(path, line, hit.message, column=column, edits=hit.edits, fix=hit.fix))
    return sorted(findings, key=lambda one: (one.line, one.column, one.id))


def ignored(lines: list[str], line: int, name: str) -> bool:
    """Whether the line says `# cudafit: ignore`, or the same with the id in brackets."""
    if not 0 < line <= len(lines):
        return False
    found = _IGNORE.search(lines[line - 1])
    if found is None:
        return False
    return found[1] is None or any(
        name == one.strip() or name.startswith(f"{one.strip()}.") for one in found[1].split(",") if one.strip()
    )
