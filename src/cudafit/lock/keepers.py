"""What differs between the managers whose declaration, lock and environment change together: their words, as data.

Sources: uv's, Poetry's and PDM's documentation of their commands. Plugins of a project are code of the project: they
are not loaded. Nothing of it is built or installed by Poetry and PDM; uv does that after the change, as `uv sync` does.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence

from cudafit.errors import CudafitError
from cudafit.lock.pyproject_change import changed
from cudafit.lock.sourced_change import changed_for_pdm, changed_for_poetry
from cudafit.model.finding import Manager
from cudafit.model.frozen import frozen
from cudafit.process import uv_program, which

Change = Callable[..., str]


@frozen
class Choice:
    """What of a project is installed: its extras and groups. Those of uv come beside its default groups."""

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@frozen
class Keeper:
    """`lock_words` get the folder and what is to be upgraded, `install_words` the folder, the environment and the
    choice; `variables` the environment that is meant."""

    manager: Manager
    lock: str
    program: Callable[[Mapping[str, str]], str | None]
    change: Change
    lock_words: Callable[[str, Sequence[str]], list[str]]
    install_words: Callable[[str, str, Choice], list[list[str]]]
    variables: Callable[[str], dict[str, str]]
    needs_python: bool  # whether it starts a Python to lock
    unlocked: tuple[str, ...] = ()  # what lies in a project and is not for a copy that is only planned with
    wanted: str = ""  # what to look at where it locks otherwise


def _uv_lock(folder: str, upgrade: Sequence[str]) -> list[str]:
    again = [word for name in upgrade for word in ("--upgrade-package", name)]
    return ["lock", "--quiet", "--no-build", *again, "--project", folder, "--no-python-downloads"]


def _uv_install(folder: str, env: str, choice: Choice) -> list[list[str]]:
    """Inexact: what else was put into the environment stays, as it stood before."""
    where = ["--project", folder, "--python", os.path.join(env, "bin", "python"), *uv_choice(choice)]
    return [["sync", "--inexact", *where, *more] for more in (["--frozen"], ["--locked", "--check"])]


def uv_choice(choice: Choice) -> list[str]:
    pairs = [("--extra", name) for name in choice.extras] + [("--group", name) for name in choice.groups]
    return [word for pair in pairs for word in pair]


_POETRY = ("--no-interaction", "--no-ansi", "--no-plugins")


def _poetry_lock(folder: str, upgrade: Sequence[str]) -> list[str]:
    words = ["update", "--lock", *upgrade] if upgrade else ["lock"]
    return [*words, *_POETRY, "--directory", folder]


def _poetry_install(folder: str, _env: str, choice: Choice) -> list[list[str]]:
    extras = ["--extras", " ".join(choice.extras)] if choice.extras else []
    only = ["--only", ",".join(("main", *choice.groups))]
    return [["install", "--no-root", *_POETRY, "--directory", folder, *only, *extras]]


def _pdm_lock(folder: str, upgrade: Sequence[str]) -> list[str]:
    words = ["update", "--no-sync", "--update-reuse", *upgrade] if upgrade else ["lock", "--update-reuse"]
    return [*words, "--skip", ":all", "--project", folder]


def _pdm_install(folder: str, _env: str, choice: Choice) -> list[list[str]]:
    groups = [word for name in (*choice.extras, *choice.groups) for word in ("-G", name)]
    rest = [] if choice.groups else ["--prod"]
    return [["sync", "--no-self", "--skip", ":all", "--project", folder, *groups, *rest]]


def _uv(_environ: Mapping[str, str]) -> str:
    return uv_program()


def _on_path(name: str) -> Callable[[Mapping[str, str]], str | None]:
    return lambda environ: which(name, environ.get("PATH", ""))


_ACTIVE = re.compile(r"CONDA_\w+|POETRY_VIRTUALENVS_\w+|PDM_(PYTHON|PROJECT|IGNORE\w+|LOCKFILE|IN_VENV)")


def without_active(environ: Mapping[str, str]) -> dict[str, str]:
    """What would make Poetry or PDM take another environment or project than the one that is meant."""
    return {name: value for name, value in environ.items() if not _ACTIVE.fullmatch(name)}


KEEPERS: Mapping[str, Keeper] = {
    one.manager: one
    for one in (
        Keeper(
            "uv",
            "uv.lock",
            _uv,
            changed,
            _uv_lock,
            _uv_install,
            lambda env: {"UV_PROJECT_ENVIRONMENT": env},
            needs_python=False,
            wanted="look at `override-dependencies`, `constraint-dependencies` and `conflicts` in `[tool.uv]`",
        ),
        Keeper(
            "poetry",
            "poetry.lock",
            _on_path("poetry"),
            changed_for_poetry,
            _poetry_lock,
            _poetry_install,
            lambda env: {"VIRTUAL_ENV": env},
            needs_python=True,
            wanted="look at the dependencies in `pyproject.toml`",
        ),
        Keeper(
            "pdm",
            "pdm.lock",
            _on_path("pdm"),
            changed_for_pdm,
            _pdm_lock,
            _pdm_install,
            lambda env: {"VIRTUAL_ENV": env, "PDM_IGNORE_SAVED_PYTHON": "1", "PDM_CHECK_UPDATE": "0"},
            needs_python=True,
            unlocked=(".pdm-python", ".pdm-plugins", "pdm.toml"),
            wanted="look at `[tool.pdm.resolution]`",
        ),
    )
}


def program_of(keeper: Keeper, environ: Mapping[str, str]) -> str:
    """Raises CudafitError where the manager is not there."""
    program = keeper.program(environ)
    if program is None:
        raise CudafitError(f"`{keeper.manager}` is not on PATH")
    return program
