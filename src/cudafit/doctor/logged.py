"""What a log says, as evidence of a diagnosis.

A finding that the log names has a witness more, and is the cause where several could be. What the log names and nothing
looks for is a finding by the log's word alone; what it names and is not so here is told, and is none.
"""

from collections.abc import Callable
from dataclasses import replace

from cudafit.model.finding import (
    ERROR,
    LAYERS,
    OK,
    SEVERITIES,
    WARNING,
    Evidence,
    Finding,
    Logged,
    LogRead,
    Report,
    Status,
)
from cudafit.model.kinds import KINDS
from cudafit.model.messages import Explanation, Match


def with_log(report: Report, said: Explanation, file: str, is_wanted: Callable[[str], bool]) -> Report:
    """`said` has been laid beside what was found here. `is_wanted` says of an id whether it is to be told."""
    findings = [_confirmed(one, said, file) for one in report.findings]
    root = next((one for one in said.matches if one.id == said.root), None)
    if root and _is_told_by_the_log_alone(root, findings) and is_wanted(root.id):
        findings.append(KINDS[root.id].found(root.title, (_evidence(root, file),), root.fix))
        findings.sort(key=lambda one: (SEVERITIES.index(one.severity), LAYERS.index(one.layer)))
    return replace(
        report,
        status=_status(report.status, findings),
        cause=_cause(report.cause, findings, root),
        findings=tuple(findings),
        log=LogRead(file, said.lines, said.ordinary, tuple(map(_logged, said.matches))),
    )


def _is_told_by_the_log_alone(root: Match, findings: list[Finding]) -> bool:
    return root.holds_here is None and root.id in KINDS and all(one.id != root.id for one in findings)


def _confirmed(finding: Finding, said: Explanation, file: str) -> Finding:
    told = next((one for one in said.matches if one.id == finding.id and not one.harmless), None)
    return replace(finding, evidence=(*finding.evidence, _evidence(told, file))) if told else finding


def _evidence(match: Match, file: str) -> Evidence:
    return Evidence(match.text, f"{file}:{match.lines[0]}")


def _cause(before: str | None, findings: list[Finding], root: Match | None) -> str | None:
    """The error that the log's root is, or the one that explains it; else as it was."""
    errors = {one.id: one for one in reversed(findings) if one.severity == ERROR}
    found = errors.get(root.id) if root else None
    while found is not None and found.explained_by in errors:
        found = errors[found.explained_by]
    return found.id if found else before


def _status(before: Status, findings: list[Finding]) -> Status:
    severities = {one.severity for one in findings}
    if ERROR in severities:
        return ERROR
    return WARNING if before == OK and WARNING in severities else before


def _logged(match: Match) -> Logged:
    return Logged(match.id, match.title, match.lines, match.text, match.holds_here, match.follows_from, match.harmless)
