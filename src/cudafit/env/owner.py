"""Who keeps an environment, and in which files: by marks in it and by what lies in its project. Nothing is run.

What a manager wrote into the environment itself decides, or a place that no other takes; then a lock beside it. Two
that claim it on the same ground are both named, and none is taken.
"""

import os
from collections.abc import Iterator, Sequence

from cudafit.env.around import Around
from cudafit.env.claims import CLAIMANTS, Claimed
from cudafit.env.declared import asks_of
from cudafit.env.marks import Marks, marks_of
from cudafit.env.nearby import parents
from cudafit.model.environment import CONDA, VENV, Environment
from cudafit.model.finding import Claim, Evidence, Owner, Sure

_FILLED = {"uv": ("uv",), "poetry": ("poetry",), "pdm": ("pdm", "uv"), "pipenv": ("pip", "uv"), "hatch": ("pip", "uv")}


def owner_of(around: Around, environment: Environment, folder: str) -> Owner | None:
    """`folder` is where it is asked from: what is kept elsewhere belongs to the project there. None for a system's."""
    if environment.kind not in (VENV, CONDA):
        return None
    marks = marks_of(around.files, environment)
    claims = list(_claims(around, environment, marks, folder))
    return _of_conda(environment, claims) if environment.kind == CONDA else _of_venv(environment, marks, claims)


def _claims(around: Around, environment: Environment, marks: Marks, folder: str) -> Iterator[Claimed]:
    for place in dict.fromkeys(_projects(environment, marks, folder)):
        for claimant in CLAIMANTS:
            if claimed := claimant(around, place, environment, marks):
                yield claimed


def _projects(environment: Environment, marks: Marks, folder: str) -> Iterator[str]:
    """What the environment names itself, where it lies, what is installed from a folder, and where it is asked from."""
    yield from marks.projects
    yield os.path.dirname(environment.path.rstrip("/")) or "/"
    yield from marks.editable
    yield from parents(folder)


def _of_conda(environment: Environment, claims: Sequence[Claimed]) -> Owner:
    """A prefix is conda's or pixi's; another manager may keep the packages of pip in it."""
    own = [one for one in claims if one.manager in ("pixi", "conda")]
    others = [one for one in claims if one not in own and one.proven]
    if not own:
        evidence = (Evidence("it has a conda-meta", f"{environment.path}/conda-meta"),)
        return Owner("conda", "likely" if others else "certain", evidence=evidence, others=_told(others))
    first = next((one for one in own if one.proven), own[0])
    return _owned(first, [one for one in others if one.project == first.project])


def _of_venv(environment: Environment, marks: Marks, claims: Sequence[Claimed]) -> Owner:
    proven = [one for one in claims if one.proven]
    locked = [one for one in claims if one.lock and not one.proven and one.at_home]
    if len({one.manager for one in proven}) == 1:
        return _owned(proven[0], [one for one in locked if one.manager != proven[0].manager])
    contested = proven or [one for one in locked if _may_have_filled(one, marks)] or locked
    if len({one.manager for one in contested}) > 1:
        return Owner(None, "no", evidence=tuple(e for one in contested for e in one.evidence), others=_told(contested))
    if contested:
        only = contested[0]
        sure: Sure = "likely" if _may_have_filled(only, marks) else "guess"
        rest = [one for one in locked if one.manager != only.manager]
        return Owner(
            only.manager, sure, only.project, only.declaration, only.lock, only.evidence, _told(rest), asks_of(only)
        )
    by = f"its packages are {', '.join(marks.installers)}'s" if marks.installers else "it has no packages"
    return Owner("pip", "likely", evidence=(Evidence(f"{by}, and no manager's lock claims it", environment.path),))


def _may_have_filled(claim: Claimed, marks: Marks) -> bool:
    """Whether the packages could be its: those of an environment that is empty could be anybody's."""
    return not marks.installers or any(one in marks.installers for one in _FILLED.get(claim.manager, ()))


def _owned(claim: Claimed, others: Sequence[Claimed]) -> Owner:
    sure: Sure = "likely" if others else "certain"
    return Owner(
        claim.manager,
        sure,
        claim.project,
        claim.declaration,
        claim.lock,
        claim.evidence,
        _told(others),
        asks_of(claim),
    )


def _told(claims: Sequence[Claimed]) -> tuple[Claim, ...]:
    return tuple(Claim(one.manager, one.project, one.declaration, one.lock, one.evidence) for one in claims)
