"""The folder beside an environment that makes changes to it safe.

`/p/.venv` has `/p/.venv.cudafit/`, `/p/env` has `/p/.cudafit-env/`: both hidden, and no two environments share one
(`env` and `.env` would, if only a dot were put before the first). It lies beside the environment and not inside, since
the environment itself is renamed. It holds

    lock                     who works here
    journal.json             only while a change is under way
    generations/ID/tree      the environment as it was before a change; of a Python without one the files that changed
    generations/ID/stage     of such a Python: what comes in, until it is in its place
    generations/ID/*.json    when and why, and what each file was
    generations/ID/beside/   the files of the project that changed with it
    discarded/               trees that are no longer needed, until they are removed
    reserve/                 room for the next way back, given up when the disk is full

What may be changed is a `Held`: the folders, open, under the lock. All of them belong to this user, have mode 0700 and
are no links (`system/folders.py`), and everything that is renamed or removed is so by their descriptors: a folder that
was exchanged meanwhile, or came along in an archive, leads nowhere.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from cudafit.errors import CudafitError, InputError
from cudafit.model.frozen import frozen
from cudafit.repair.trouble import change_trouble
from cudafit.system.commands import command_text
from cudafit.system.folders import UntrustedError, is_there, make_file, make_own, open_folder, open_own, remove_tree

ID = re.compile(r"[1-9][0-9]{0,8}")
GENERATIONS, DISCARDED, RESERVE = "generations", "discarded", "reserve"
PACKAGES = ("site-packages", "dist-packages")
NEW_BESIDE = "beside.new"  # a file of the project while it is written
_README = "README"
_NOTICE = b"What lies beside this file is no longer needed, and is removed by the next change that cudafit makes.\n"


@frozen
class State:
    """Where things lie. `env` is the real folder: links in the given path are resolved, as that folder is renamed."""

    env: str
    folder: str

    @property
    def name(self) -> str:
        return os.path.basename(self.env)

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
        return os.path.join(self.folder, GENERATIONS)

    @property
    def discarded(self) -> str:
        return os.path.join(self.folder, DISCARDED)

    def generation(self, name: str) -> str:
        return os.path.join(self.generations, name)

    def tree(self, name: str) -> str:
        return os.path.join(self.generations, name, "tree")

    def stage(self, name: str) -> str:
        return os.path.join(self.generations, name, "stage")

    @property
    def in_parts(self) -> bool:
        """Whether it is the folder of a Python's packages, of which only the files that change are kept."""
        return self.name in PACKAGES and os.path.basename(self.parent).startswith("python3")

    @property
    def exists(self) -> bool:
        return os.path.lexists(self.env)


@frozen
class Held(State):
    """The same with its folders open, by descriptor; only under the lock."""

    at_parent: int
    at_folder: int
    at_generations: int
    at_discarded: int


def state_of(env: str) -> State:
    """Reads no more than the links in the path. Raises InputError for a path that no environment can have."""
    if os.name == "nt":
        raise InputError(
            "environments cannot be changed safely on Windows",
            cause=["there are no file locks and hard links here of the kind that a safe change needs"],
            hint="make a new one in place of changing this one: `cudafit create PATH`",
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
    """Whether the folder is there; raises CudafitError where others than this user could have written what it holds, or
    it leads elsewhere. Each generation too is a folder of cudafit's own; its tree is the environment's."""
    try:
        folder = open_own(state.folder)
    except FileNotFoundError:
        return False
    except UntrustedError as error:
        raise _untrusted(state.folder, error) from None
    except OSError as error:
        raise change_trouble(f"`{state.folder}` cannot be read", error, state.folder) from error
    try:
        for name in (GENERATIONS, DISCARDED):
            with contextlib.suppress(FileNotFoundError), opened(state, name, folder) as inside:
                if name == GENERATIONS:
                    _check_generations(state, inside)
    finally:
        os.close(folder)
    return True


def _check_generations(state: State, at: int) -> None:
    for name in filter(ID.fullmatch, os.listdir(at)):
        with contextlib.suppress(FileNotFoundError), opened(state, f"{GENERATIONS}/{name}", at):
            continue


@contextmanager
def opened(state: State, path: str, at: int) -> Iterator[int]:
    """The folder `path` inside that of an environment, of which `at` is the last but one that is open. Raises OSError,
    and CudafitError for one that cannot be trusted."""
    try:
        folder = open_own(os.path.basename(path), at)
    except UntrustedError as error:
        raise _untrusted(os.path.join(state.folder, path), error) from None
    try:
        yield folder
    finally:
        os.close(folder)


def prepare(state: State, parent: int) -> int:
    """Make the folder, and open it; raises CudafitError. `parent` is the open folder around the environment."""
    name = os.path.basename(state.folder)
    try:
        os.mkdir(name, 0o700, dir_fd=parent)
    except FileExistsError:
        pass
    except OSError as error:
        raise change_trouble(f"`{state.env}` cannot be changed safely", error, state.folder) from error
    else:
        _check_modes_are_kept(state, name, parent)
        os.fsync(parent)
    check_trusted(state)
    try:
        return open_own(name, parent)
    except OSError as error:
        raise change_trouble(f"`{state.env}` cannot be changed safely", error, state.folder) from error


def open_parent(state: State) -> int:
    """The folder that the environment is in; raises CudafitError."""
    try:
        return open_folder(state.parent)
    except OSError as error:
        raise change_trouble(f"`{state.env}` cannot be changed safely", error, state.parent) from error


def _check_modes_are_kept(state: State, name: str, parent: int) -> None:
    if os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode & 0o077:
        os.rmdir(name, dir_fd=parent)
        raise InputError(
            f"`{state.env}` cannot be changed safely",
            cause=["its file system keeps no permissions, as a Windows drive in WSL: modes could not be brought back"],
            hint="keep the environment on a Linux file system",
        )


@contextmanager
def furnished(state: State, parent: int, folder: int) -> Iterator[Held]:
    """The folder with what it needs inside, all of it open; under the lock, as an empty folder is removed under it too.
    Raises OSError and CudafitError."""
    descriptors: list[int] = []
    try:
        for name in (GENERATIONS, DISCARDED):
            try:
                descriptors.append(make_own(name, folder))
            except UntrustedError as error:
                raise _untrusted(os.path.join(state.folder, name), error) from None
        generations, discarded = descriptors
        make_file(".gitignore", b"*\n", folder)
        make_file(_README, _NOTICE, discarded)
        os.fsync(folder)
        yield Held(state.env, state.folder, parent, folder, generations, discarded)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def remove_if_unused(held: Held) -> None:
    """Under the lock: no folder stays beside an environment of which nothing is kept."""
    folder, discarded = held.at_folder, held.at_discarded
    try:
        if is_there("journal.json", folder) or os.listdir(held.at_generations) or os.listdir(discarded) != [_README]:
            return
        with contextlib.suppress(FileNotFoundError):
            remove_tree(RESERVE, folder)
        os.unlink(_README, dir_fd=discarded)
        for name in (DISCARDED, GENERATIONS):
            os.rmdir(name, dir_fd=folder)
        for name in ("journal.json.new", NEW_BESIDE, ".gitignore"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
        os.unlink("lock", dir_fd=folder)  # whoever waits for it sees that it is gone, and makes a new one
        os.rmdir(os.path.basename(held.folder), dir_fd=held.at_parent)
    except OSError:
        return  # somebody else came, or keeps a file here; what is missing is made anew


def _untrusted(place: str, error: UntrustedError) -> CudafitError:
    """Whose folder it is, and where it came from, is not known: so nobody is told to make it their own."""
    return CudafitError(
        f"nothing in `{place}` can be trusted",
        cause=[
            f"{error.strerror}",
            "cudafit makes these folders itself, with mode 0700; it may have come in an archive",
        ],
        hint=f"look at what it is, and move it away: {command_text('mv', place, f'{place}.other')}",
    )
