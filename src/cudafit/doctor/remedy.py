"""Whether a remedy is one: what doctor would find after it, against what it found before."""

from collections.abc import Sequence

from cudafit.doctor.paper import broken
from cudafit.doctor.world import World
from cudafit.model.finding import ERROR, WARNING, Finding

_BAD = (ERROR, WARNING)


def drawbacks(
    finding: Finding, before: Sequence[Finding], was: World, after: Sequence[Finding], now: World
) -> list[str]:
    """Why the world after is not better; none where it is."""
    found = []
    if any(one.id == finding.id and one.severity in _BAD and one.evidence == finding.evidence for one in after):
        found.append(f"it is still there: {finding.title}")
    elif _count(finding.id, after) >= max(1, _count(finding.id, before)):
        found.append(f"another one of its kind is there: {next(one.title for one in after if one.id == finding.id)}")
    known = {one.id for one in before if one.severity in _BAD}
    found += [f"{one.id}: {one.title}" for one in after if one.severity in _BAD and one.id not in known]
    if was.environment and now.environment:
        found += broken(was.environment, now.environment)
    return found


def _count(name: str, findings: Sequence[Finding]) -> int:
    return sum(one.id == name and one.severity in _BAD for one in findings)
