"""A change of packages in the words of the manager that keeps the environment: its commands, and what its files say.

One module for each manager. What is changed past a manager is undone by its next `sync`.
"""

from collections.abc import Callable, Mapping

from cudafit.doctor.managers import conda, hatch, pdm, pipenv, pixi, poetry, uv
from cudafit.doctor.managers.work import Told, Work
from cudafit.model.finding import Owner

_IN_WORDS_OF: Mapping[str, Callable[[Owner, Work], Told]] = {
    "uv": uv.told,
    "poetry": poetry.told,
    "pdm": pdm.told,
    "pipenv": pipenv.told,
    "hatch": hatch.told,
    "pixi": pixi.told,
    "conda": conda.told,
}


def in_words_of(owner: Owner | None, work: Work) -> Told | None:
    """None where no manager keeps a declaration, so that the environment alone is changed."""
    words = _IN_WORDS_OF.get(owner.manager or "") if owner else None
    return words(owner, work) if owner and owner.declaration and words else None
