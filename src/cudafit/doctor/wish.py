"""What the automatic fixes ask for, all together: `repair` does it, and doctor says whether there is anything to do."""

from collections.abc import Sequence
from dataclasses import fields

from cudafit.model.environment import CONDA, SYSTEM, VENV, Environment
from cudafit.model.finding import ERROR, INFO, WARNING, Change, Finding, Owner, Wish
from cudafit.model.frameworks import FRAMEWORKS, OF_CONDA
from cudafit.model.requirement import wanted
from cudafit.resolve.conda import CONDA_NAMES

# Whose packages are changed in an environment of each kind: of the second only where nothing is asked of the first.
SIDES = {VENV: (VENV,), CONDA: (CONDA, VENV), SYSTEM: (VENV,)}
# Managers without a lock, and those whose files change with the environment; what the others keep is left to them.
_CHANGED = ("pip", "conda", "uv")
_OF_CONDA = frozenset((*OF_CONDA, *(name for one in FRAMEWORKS for name in one.conda_beside)))
_PARTS = tuple(part.name for part in fields(Change))


def wish_of(findings: Sequence[Finding], side: str) -> Wish:
    """The changes of all fixes together, of pip's packages or of conda's. What is only informed about, or explained by
    something below, asks nothing."""
    parts: dict[str, dict[str, str]] = {part: {} for part in _PARTS}  # by name; of requirements the words
    why: dict[str, str] = {}
    answers: list[str] = []
    by_hand: list[Finding] = []
    for finding in findings:
        if finding.severity == INFO or finding.explained_by is not None:
            continue
        change = _change(finding, side)
        if change is None:
            if finding.severity in (ERROR, WARNING):
                by_hand.append(finding)
            continue
        answers.append(finding.id)
        for part, known in parts.items():
            for text in getattr(change, part):
                name = wanted(text).name if part == "install" else text
                known[name] = _joined(known.get(name), text)
                shown = CONDA_NAMES.get(name, name) if side == CONDA and part == "choose" else name
                why.setdefault(shown, finding.id)
    # The build that is chosen brings its own libraries and its own version.
    for name in parts["choose"]:
        parts["install"].pop(name, None)
    whole = Change(**{part: tuple(known.values()) for part, known in parts.items()})
    return Wish(whole, why, tuple(dict.fromkeys(answers)), tuple(by_hand))


def is_left_to(owner: Owner | None) -> bool:
    """Whether a change of the environment alone would make it differ from its owner's files, which cudafit leaves."""
    return owner is not None and owner.manager not in _CHANGED and not owner.repaired


def is_repaired(environment: Environment, findings: Sequence[Finding]) -> bool:
    """Whether `repair` would change packages of this environment, for what was found."""
    if environment.kind == CONDA and any(one.name in ("conda", "mamba") for one in environment.conda):
        return False  # conda's own environment
    if is_left_to(environment.owner) or environment.managed_by:
        return False
    for side in SIDES.get(environment.kind, ()):
        if not wish_of(findings, side).empty:
            return side == environment.kind or not has_frameworks(environment)
    return False


def has_frameworks(environment: Environment) -> bool:
    """Whether conda installed frameworks: pip would install others over them."""
    return any(one.name in _OF_CONDA for one in environment.conda)


def _change(finding: Finding, side: str) -> Change | None:
    if finding.fix is None or not finding.fix.automatic:
        return None
    return finding.fix.conda if side == CONDA else finding.fix.change


def _joined(first: str | None, second: str) -> str:
    """Two requirements of one package: both hold."""
    if first is None or first == second:
        return second
    one, other = wanted(first), wanted(second)
    extras = ",".join(sorted({*one.extras, *other.extras}))
    parts = [part for text in (one.specifier, other.specifier) for part in text.split(",") if part]
    specifiers = ",".join(dict.fromkeys(parts))
    return f"{one.name}[{extras}]{specifiers}" if extras else f"{one.name}{specifiers}"
