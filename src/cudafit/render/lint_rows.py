"""What lint found, as text for people, as lines for GitHub's log, and as SARIF."""

import textwrap
from collections.abc import Callable, Iterator, Mapping

from cudafit.model.code_finding import CodeFinding, LintReport, SkippedFile
from cudafit.render.counts import counted
from cudafit.render.doctor_rows import escaped
from cudafit.system.text import harmless

_WIDTH = 80
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def text(report: LintReport, mark: Callable[[str, str], str] = lambda word, _severity: word) -> str:
    """A block for each finding, then what was not read, then how many there are. `mark` colours a severity."""
    lines: list[str] = []
    for one in report.findings:
        lines.append(f"{harmless(place(one))}: {mark(one.severity, one.severity)} {one.id}")
        lines += _wrapped(harmless(one.message), "  ")
        lines += _wrapped(harmless(f"fix: {one.fix}"), "  ")
    lines += map(skipped, report.skipped)
    lines.append(summary(report))
    return "\n".join(lines) + "\n"


def skipped(one: SkippedFile) -> str:
    return harmless(f"{one.path}: {'left out' if one.part else 'not read'}: {one.reason}")


def place(finding: CodeFinding) -> str:
    cell = f"cell {finding.cell}:" if finding.cell else ""
    return f"{finding.path}:{cell}{finding.line}:{finding.column}"


def _wrapped(words: str, indent: str) -> Iterator[str]:
    """Each line is looked at anew: it may begin with what stood in the middle before."""
    lines = textwrap.wrap(
        words, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    yield from map(harmless, lines)


def summary(report: LintReport) -> str:
    files = counted(report.files, "file")
    if not report.files:
        return "no file could be read" if report.skipped else "no Python file is there"
    if not report.findings:
        return f"nothing found in {files}"
    counts = {name: sum(one.severity == name for one in report.findings) for name in _LEVELS}
    words = [counted(number, name) if name != "info" else f"{number} info" for name, number in counts.items() if number]
    return f"{', '.join(words)} in {files}"


def github(report: LintReport) -> str:
    """Workflow commands: each finding as an annotation of its line."""
    kinds = {"error": "error", "warning": "warning", "info": "notice"}
    return "".join(
        f"::{kinds[one.severity]} file={escaped(one.path, property=True)},line={one.line},col={one.column},"
        f"title={escaped(one.id, property=True)}::{escaped(f'{_where(one)}{one.message}; fix: {one.fix}')}\n"
        for one in report.findings
    )


def _where(finding: CodeFinding) -> str:
    return f"cell {finding.cell}, line {finding.line}: " if finding.cell else ""


def sarif(report: LintReport, version: str) -> Mapping[str, object]:
    """SARIF 2.1.0."""
    from cudafit.model.kinds import KINDS  # noqa: PLC0415 - for SARIF alone

    rules = sorted({one.id for one in report.findings})
    driver = {
        "name": "cudafit",
        "version": version,
        "rules": [{"id": rule, "shortDescription": {"text": KINDS[rule].title}} for rule in rules],
    }
    notes = [{"level": "note", "message": {"text": skipped(one)}} for one in report.skipped]
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notes}],
        "results": [_result(one) for one in report.findings],
    }
    return {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}


def _result(finding: CodeFinding) -> Mapping[str, object]:
    from urllib.parse import quote  # noqa: PLC0415 - for SARIF alone

    region = {"startLine": finding.line, "startColumn": finding.column}
    location = {
        "artifactLocation": {"uri": quote(finding.path.encode("utf-8", "surrogateescape"), safe="/._~+-")},
        "region": region,
    }
    return {
        "ruleId": finding.id,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{_where(finding)}{finding.message}. Fix: {finding.fix}"},
        "locations": [{"physicalLocation": location}],
    }
