"""Who keeps an environment, and what its files have to say, as rows for people."""

import os
from collections.abc import Iterator, Sequence

from cudafit.model.finding import Edit, Owner
from cudafit.render.row import Row

MANAGERS = {"poetry": "Poetry", "pdm": "PDM", "pipenv": "Pipenv", "hatch": "Hatch"}


def owner_row(owner: Owner) -> Iterator[Row]:
    """An environment that pip alone fills has no owner to speak of."""
    if owner.manager is None:
        claims = " and ".join(owner_name(one.manager) + _files(one.declaration, one.lock) for one in owner.others)
        yield Row("owner", f"not known: {claims} each claim it", _via(owner), "warn")
        return
    if owner.manager == "pip":
        return
    others = ", ".join(owner_name(one.manager) + _files(one.declaration, one.lock) for one in owner.others)
    beside = f"; {others} claims it too" if others else ""
    sure = " (a guess)" if owner.sure == "guess" else ""
    files = _files(owner.declaration, owner.lock)
    yield Row("owner", f"{owner_name(owner.manager)}{files}{sure}{beside}", _via(owner), "warn" if others else "plain")


def owner_name(manager: str) -> str:
    return MANAGERS.get(manager, manager)


def edit_rows(edits: Sequence[Edit]) -> Iterator[Row]:
    for one in edits:
        yield Row("", f"{one.what}, in {one.path}:")
        yield from (Row("", f"  {text}") for text in one.lines)


def _files(declaration: str | None, lock: str | None) -> str:
    names = [os.path.basename(one) for one in (declaration, lock) if one]
    return f" by {' and '.join(names)}" if names else ""


def _via(owner: Owner) -> str:
    return "; ".join(one.fact for one in owner.evidence[:3])
