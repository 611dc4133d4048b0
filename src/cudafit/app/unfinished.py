"""Changes of an environment that were begun and not ended."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from cudafit.env.conda_places import named
from cudafit.env.locate import Asked, locate, may_be_meant, required
from cudafit.env.prefixes import kind_of
from cudafit.errors import InputError
from cudafit.files import Files
from cudafit.machine.conda import read_conda
from cudafit.machine.context import this_machine
from cudafit.model.words import is_path
from cudafit.repair.state import state_of
from cudafit.system.commands import command_text, path_word

if TYPE_CHECKING:
    from cudafit.repair.journal import Interrupted


def unfinished_change(path: str | None) -> "Interrupted | None":
    """Of the environment that is named, or of the one that would be looked at."""
    files = Files()
    for folder in may_be_meant(files, Asked(path, environ=os.environ, folder=os.getcwd())):
        if found := _interrupted(folder):
            return found
        if kind_of(files, folder):
            return None
    return _of_packages(path) if path else None


def _of_packages(path: str) -> "Interrupted | None":
    """Of a Python without an environment."""
    from cudafit.app.kept_at import folders_of  # noqa: PLC0415

    return next((found for folder in folders_of(path, os.environ) if (found := _interrupted(folder))), None)


def conda_path(name: str) -> str:
    """The folder of a conda environment by its name; one in the middle of a change may not even be in its place."""
    if is_path(name):
        return os.path.expanduser(name)
    files, installations, folder = Files(), read_conda(this_machine()), os.getcwd()
    for path in named(files, name, installations, os.environ, folder):
        if _has_journal(path):
            return path
    asked = Asked(conda=name, environ=os.environ, folder=folder, installations=lambda: installations)
    return required(locate(files, asked)).prefix


def _has_journal(folder: str) -> bool:
    try:
        return os.path.lexists(state_of(folder).journal)
    except InputError:
        return False


def _interrupted(folder: str) -> "Interrupted | None":
    """What reads journals is loaded where there is one."""
    if not _has_journal(folder):
        return None
    from cudafit.repair.journal import interrupted  # noqa: PLC0415

    return interrupted(folder)


def warn_of_unfinished(path: str | None, say: Callable[[str], None]) -> None:
    """Says on stderr that an environment is in the middle of a change, and how that is ended."""
    found = unfinished_change(path)
    if found is None:
        return
    say(f"warning: {interrupted_text(found)}")
    if not found.running:
        finish, undo = (command_text("cudafit", way, path_word(found.env)) for way in ("repair", "rollback"))
        say(f"hint: `{finish}` finishes it, `{undo}` brings back what was there")


def interrupted_text(unfinished: "Interrupted") -> str:
    if unfinished.running:
        return f"`{unfinished.command}` (process {unfinished.pid}) is changing it, since {unfinished.started}"
    return f"a change of {unfinished.env} was interrupted, begun {unfinished.started}: {unfinished.reason}"
