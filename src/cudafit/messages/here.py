"""What a text says, laid beside what was found on the machine."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from cudafit.model.finding import Finding, Fix
from cudafit.model.messages import Explanation, Match


def asked_about(explanation: Explanation) -> set[str]:
    """The findings that the machine is asked for: those that are meant, and those that could be."""
    return {name for one in explanation.matches if not one.harmless for name in (one.id, *one.also)}


def beside(
    explanation: Explanation, found: Mapping[str, Finding], looked: Collection[str], remedies: Mapping[str, Fix]
) -> Explanation:
    """`looked` are the findings that were looked for. Of several with the same words, the one that holds is meant."""
    matches = [_beside(one, found, looked, remedies) for one in explanation.matches]
    names = {before.id: after.id for before, after in zip(explanation.matches, matches, strict=True)}
    root = _root_here(explanation.root and names[explanation.root], matches)
    kept: dict[str, Match] = {}
    for one in matches:
        follows = root if root and one.id != root and not one.harmless else None
        kept.setdefault(one.id, replace(one, follows_from=follows))
    ordered = sorted(kept.values(), key=lambda one: one.id != root)
    return replace(explanation, root=root, matches=tuple(ordered))


def _root_here(root: str | None, matches: Sequence[Match]) -> str | None:
    """What the text means first is not the root where it is not so here, and something else that is said holds."""
    meant = next((one for one in matches if one.id == root), None)
    if meant is None or meant.holds_here is not False:
        return root
    return next((one.id for one in matches if one.holds_here), root)


def _beside(match: Match, found: Mapping[str, Finding], looked: Collection[str], remedies: Mapping[str, Fix]) -> Match:
    if match.harmless:
        return match
    held = next((name for name in (match.id, *match.also) if name in found), None)
    if held is None:
        return replace(match, holds_here=False if match.id in looked else None)
    also = tuple(name for name in (match.id, *match.also) if name != held)
    finding = found[held]
    # This machine's own first; and what to do about the one that the words alone meant is no help against another.
    fix = finding.fix or (match.fix if held == match.id else remedies.get(held))
    return replace(match, id=held, title=finding.title, holds_here=True, fix=fix, also=also, evidence=finding.evidence)
