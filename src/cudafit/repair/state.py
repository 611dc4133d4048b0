"""The folder beside an environment that makes changes to it safe.

`/p/.venv` has `/p/.venv.cudafit/`, `/p/env` has `/p/.cudafit-env/`: both hidden, and no two environments share one
(`env` and `.env` would, if only a dot were put before the first). It lies beside the environment and not inside, since
the environment itself is renamed. It holds

    lock                     who works here
    journal.json             only while a change is under way
    generations/ID/tree      the environment as it was before a change
    generations/ID/*.json    when and why, and what each file was
    discarded/               trees that are no longer needed, until they are removed
"""

import contextlib
import os
import stat

from cudafit.errors import CudafitError, InputError
from cudafit.model.frozen import frozen
from cudafit.repair.durable import sync_folder
from cudafit.repair.trouble import change_trouble, user_name

_NOTICE = "What lies beside this file is no longer needed, and is removed by the next change that cudafit makes.\n"


@frozen
class State:
    """Where things lie. `env` is the real folder: links in the given path are resolved, as that folder is renamed."""

    env: str
    folder: str

    @property
    def parent(self) -> str:
        return os.path.dirname(self.env)

    @property
    def lock(self) -> str:
        return os.path.join(self.folder, "lock")

    @property
    def journal(self) -> str:
        return os.path.join(self.folder, "journal.json")

    @property
    def generations(self) -> str:
        return os.path.join(self.folder, "generations")

    @property
    def discarded(self) -> str:
        return os.path.join(self.folder, "discarded")

    def generation(self, name: str) -> str:
        return os.path.join(self.generations, name)

    def tree(self, name: str) -> str:
        return os.path.join(self.generations, name, "tree")

    @property
    def exists(self) -> bool:
        return os.path.lexists(self.env)


def state_of(env: str) -> State:
    """Reads no more than the links in the path. Raises InputError for a path that no environment can have."""
    if os.name == "nt":
        raise InputError(
            "environments cannot be changed safely on Windows",
            cause=["there are no file locks and hard links here of the kind that a safe change needs"],
            hint="make a new environment in place of changing this one: `cudafit create PATH`",
        )
    try:
        real = os.path.realpath(env)
    except ValueError:
        raise InputError(f"`{env!r}` is no path") from None
    parent, name = os.path.split(real)
    if not name:
        raise InputError(f"`{env}` is the root of the file system, and no environment")
    if name.startswith(".cudafit-") or name.endswith(".cudafit"):
        raise InputError(f"`{env}` is a folder in which cudafit keeps earlier states of an environment, and not one")
    return State(real, os.path.join(parent, f"{name}.cudafit" if name.startswith(".") else f".cudafit-{name}"))


def check_trusted(state: State) -> bool:
    """Whether the folder is there; raises CudafitError where others than this user could have written what it holds."""
    try:
        found = os.lstat(state.folder)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise change_trouble(f"`{state.folder}` cannot be read", error, state.folder) from error
    if not stat.S_ISDIR(found.st_mode):
        raise _untrusted(state, "it is not a folder", "move it away")
    if found.st_uid != os.geteuid():
        raise _untrusted(state, f"it belongs to {user_name(found.st_uid)}", "run as that user, or move it away")
    if found.st_mode & 0o077:
        mode = stat.S_IMODE(found.st_mode)
        hint = f"look at what it holds; if it is yours: chmod 700 '{state.folder}'"
        raise _untrusted(state, f"its mode is {mode:04o}, so that others may have written in it", hint)
    return True


def prepare(state: State) -> None:
    """Make the folder; raises CudafitError."""
    try:
        os.mkdir(state.folder, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise change_trouble(f"`{state.env}` cannot be changed safely", error, state.folder) from error
    else:
        _check_modes_are_kept(state)
        sync_folder(state.parent)
    check_trusted(state)


def _check_modes_are_kept(state: State) -> None:
    if os.lstat(state.folder).st_mode & 0o077:
        os.rmdir(state.folder)
        raise InputError(
            f"`{state.env}` cannot be changed safely",
            cause=["its file system keeps no permissions, as a Windows drive in WSL: modes could not be brought back"],
            hint="keep the environment on a Linux file system",
        )


def furnish(state: State) -> None:
    """What the folder needs inside; under the lock, as an empty folder is removed under it too. Raises OSError."""
    for folder in (state.generations, state.discarded):
        if not os.path.isdir(folder):
            os.mkdir(folder, 0o700)
    for path, text in ((f"{state.folder}/.gitignore", "*\n"), (f"{state.discarded}/README", _NOTICE)):
        if not os.path.lexists(path):
            with open(path, "x", encoding="utf-8") as file:
                file.write(text)


def remove_if_unused(state: State) -> None:
    """Under the lock: no folder stays beside an environment of which nothing is kept."""
    try:
        if os.path.lexists(state.journal) or os.listdir(state.generations) or os.listdir(state.discarded) != ["README"]:
            return
        os.unlink(f"{state.discarded}/README")
        for folder in (state.discarded, state.generations):
            os.rmdir(folder)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{state.journal}.new")
        os.unlink(f"{state.folder}/.gitignore")
        os.unlink(state.lock)  # whoever waits for it sees that it is gone, and makes a new one
        os.rmdir(state.folder)
    except OSError:
        return  # somebody else came, or keeps a file here; what is missing is made anew


def _untrusted(state: State, cause: str, hint: str) -> CudafitError:
    return CudafitError(f"nothing in `{state.folder}` can be trusted", cause=[cause], hint=hint)
