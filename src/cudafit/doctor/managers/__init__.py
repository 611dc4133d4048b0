"""A change of packages in the words of the manager that keeps the environment: its commands, and what its files say.

One module for each manager, loaded when it is the one. What is changed past a manager is undone by its next `sync`.
"""

from importlib import import_module

from cudafit.doctor.managers.work import Told, Work
from cudafit.model.finding import Owner

_MANAGERS = ("uv", "poetry", "pdm", "pipenv", "hatch", "pixi", "conda")


def in_words_of(owner: Owner | None, work: Work) -> Told | None:
    """None where no manager keeps a declaration, so that the environment alone is changed."""
    if owner is None or not owner.declaration or owner.manager not in _MANAGERS:
        return None
    told: Told = import_module(f"{__name__}.{owner.manager}").told(owner, work)
    return told
