"""What must hold before an environment is changed: asked first, so that nothing is found out half-way."""

import errno
import os
import sys
from collections.abc import Sequence

from cudafit.errors import CudafitError, InputError
from cudafit.repair.state import DISCARDED, Held, State
from cudafit.system.commands import command_text
from cudafit.system.folders import user_name
from cudafit.system.mounts import mounts_below
from cudafit.system.posix import posix

_MARKS = ("pyvenv.cfg", "conda-meta")
_FULL = frozenset({errno.ENOTEMPTY, errno.EEXIST})


def runs_here(env: str) -> bool:
    """Whether the cudafit that runs now is installed in this environment."""
    real = os.path.realpath(env)
    places = (sys.prefix, os.path.dirname(sys.executable), os.path.dirname(__file__))
    return any(os.path.commonpath((real, os.path.realpath(place))) == real for place in places)


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
    _check_user(state, found.st_uid)


def check_packages(state: State) -> None:
    """The same for the folder of a Python's packages, where there is no environment."""
    try:
        _check_user(state, os.stat(state.env).st_uid)
    except OSError as error:
        raise InputError(f"there is no folder of packages `{state.env}`", cause=[f"{error.strerror}"]) from None


def _check_user(state: State, owner: int) -> None:
    if owner != posix.geteuid():
        whose, user = user_name(owner), user_name(posix.geteuid())
        raise InputError(
            f"`{state.env}` belongs to another user",
            cause=[f"its owner is {whose}, and this is {user}: what is made now, {whose} could not change"],
            hint=f"run the same as {whose}",
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


def check_can_be_renamed(state: Held) -> None:
    """Raises InputError where the environment cannot be renamed into the folder beside it. Nothing is moved.

    The kernel is asked for a move onto a folder that is not empty. It refuses that in any case; by its reason it shows
    whether the move would have been possible. That finds mount points, immutable folders, and environments in a lower
    layer of a container's image, which look like any other folder.
    """
    try:
        os.rename(state.name, DISCARDED, src_dir_fd=state.at_parent, dst_dir_fd=state.at_folder)
    except OSError as error:
        if error.errno not in _FULL:
            raise _fixed(state, error) from error
        return
    os.rename(DISCARDED, state.name, src_dir_fd=state.at_folder, dst_dir_fd=state.at_parent)
    raise CudafitError(f"`{state.discarded}` was emptied by another program", hint="try again")


def check_no_mounts(state: State) -> None:
    """Raises InputError where another file system is mounted inside the environment: a snapshot would not hold it."""
    mounts = mounts_below(state.env)
    if mounts:
        raise InputError(
            f"another file system is mounted inside `{state.env}`",
            cause=[f"at `{path}`" for path in mounts[:5]],
            hint=command_text("umount", mounts[0]),
        )


def _fixed(state: State, error: OSError) -> InputError:
    copied = f"{state.env}.copy"
    copy = " && ".join(
        command_text(*words)
        for words in (("cp", "-a", state.env, copied), ("rm", "-rf", state.env), ("mv", copied, state.env))
    )
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
    return bool(posix.statvfs(path).f_flag & posix.ST_RDONLY)
