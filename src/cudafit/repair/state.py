"""The folder beside an environment that makes changes to it safe, and what must hold before anything is changed.

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
import errno
import os
import stat
import sys
from collections.abc import Sequence

from cudafit.errors import CudafitError, InputError
from cudafit.model.frozen import frozen
from cudafit.repair.durable import sync_folder
from cudafit.repair.mounts import mounts_below
from cudafit.repair.trouble import change_trouble

_NOTICE = "What lies beside this file is no longer needed, and is removed by the next change that cudafit makes.\n"
_MARKS = ("pyvenv.cfg", "conda-meta")
_FULL = frozenset({errno.ENOTEMPTY, errno.EEXIST})


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


def runs_here(env: str) -> bool:
    """Whether the cudafit that runs now is installed in this environment."""
    real = os.path.realpath(env)
    places = (sys.prefix, os.path.dirname(sys.executable), os.path.dirname(__file__))
    return any(os.path.commonpath((real, os.path.realpath(place))) == real for place in places)


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


def check_environment(state: State) -> None:
    """Raises InputError where there is no environment that this user could change. Before anything is made."""
    try:
        found = os.stat(state.env)
        names = os.listdir(state.env)
    except FileNotFoundError:
        raise InputError(f"there is no environment at `{state.env}`", hint="cudafit create PATH") from None
    except NotADirectoryError:
        raise InputError(f"`{state.env}` is not a folder, so no environment") from None
    except OSError as error:
        raise InputError(f"`{state.env}` cannot be read", cause=[f"{error.strerror}"]) from None
    if not any(mark in names for mark in _MARKS):
        raise InputError(
            f"`{state.env}` is not an environment", cause=["it has neither a `pyvenv.cfg` nor a folder `conda-meta`"]
        )
    if found.st_uid != os.geteuid():
        owner, user = user_name(found.st_uid), user_name(os.geteuid())
        raise InputError(
            f"`{state.env}` belongs to another user",
            cause=[f"its owner is {owner}, and this is {user}: what is made now, {owner} could not change"],
            hint=f"run the same as {owner}",
        )


def check_runs_elsewhere(state: State) -> None:
    """Raises InputError where cudafit would change the files that it runs from."""
    if runs_here(state.env):
        raise InputError(
            f"cudafit itself runs in `{state.env}`",
            cause=["a program that changes the files it runs from cannot promise to come to an end"],
            hint=f"run it from elsewhere: `uvx cudafit` or `pipx run cudafit`, with the path `{state.env}`",
        )


def check_writable(state: State) -> None:
    """Raises InputError where the environment and the folder that it is in cannot be written."""
    for path in (state.parent, state.env):
        if os.path.lexists(path) and not os.access(path, os.W_OK | os.X_OK):
            how = "is on a file system mounted read-only" if _is_read_only(path) else "may not be written by this user"
            raise InputError(
                f"`{state.env}` cannot be changed",
                cause=[f"`{path}` {how}", "an environment is brought back by renaming it, so both folders are written"],
            )


def check_can_be_renamed(state: State) -> None:
    """Raises InputError where the environment cannot be renamed into the folder beside it. Nothing is moved.

    The kernel is asked for a move onto a folder that is not empty. It refuses that in any case; by its reason it shows
    whether the move would have been possible. That finds mount points, immutable folders, and environments in a lower
    layer of a container's image, which look like any other folder.
    """
    try:
        os.rename(state.env, state.discarded)
    except OSError as error:
        if error.errno not in _FULL:
            raise _fixed(state, error) from error
        return
    os.rename(state.discarded, state.env)
    raise CudafitError(f"`{state.discarded}` was emptied by another program", hint="try again")


def check_no_mounts(state: State) -> None:
    """Raises InputError where another file system is mounted inside the environment: a snapshot would not hold it."""
    mounts = mounts_below(state.env)
    if mounts:
        raise InputError(
            f"another file system is mounted inside `{state.env}`",
            cause=[f"at `{path}`" for path in mounts[:5]],
            hint=f"umount '{mounts[0]}'",
        )


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


def user_name(number: int) -> str:
    import pwd  # noqa: PLC0415 - for messages alone; Windows has none

    try:
        return f"`{pwd.getpwuid(number).pw_name}`"
    except KeyError:
        return f"user {number}"


def _untrusted(state: State, cause: str, hint: str) -> CudafitError:
    return CudafitError(f"nothing in `{state.folder}` can be trusted", cause=[cause], hint=hint)


def _fixed(state: State, error: OSError) -> InputError:
    copy = f"cp -a '{state.env}' '{state.env}.copy' && rm -rf '{state.env}' && mv '{state.env}.copy' '{state.env}'"
    causes: dict[int | None, tuple[Sequence[str], str | None]] = {
        errno.EBUSY: (
            ["it is a mount point, and those cannot be renamed"],
            "keep the environment in a folder below it",
        ),
        errno.EXDEV: (
            [
                "it is on another file system than the folder around it, or in a lower layer of a container's image",
                "the system moves neither as a whole",
            ],
            f"in a container, copy it once: {copy}",
        ),
        errno.EROFS: (["the file system is mounted read-only"], None),
        errno.EPERM: (["it, or the folder that it is in, is immutable (see `lsattr -d`)"], None),
        errno.EACCES: (["it, or the folder that it is in, may not be written by this user"], None),
    }
    cause, hint = causes.get(error.errno, ([f"{error.strerror}"], None))
    return InputError(
        f"`{state.env}` cannot be changed safely",
        cause=["it cannot be renamed, which bringing it back needs", *cause],
        hint=hint,
    )


def _is_read_only(path: str) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
