"""The files of a project that change together with its environment: its declaration and its lock.

They lie in the folder around the environment, under names that are known here, so no record can lead elsewhere. Of an
environment in Poetry's own folder they lie in its project, which the record names: it is believed where the environment
is called after that very place, as Poetry calls it, and no other place gives that name. Before
a change each is copied into the generation, as it was: bytes, mode, time, or that it was not there. Going back renames
the copies into their places. Where each lies tells how far an earlier attempt came, as it does for trees.
"""

import contextlib
import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from cudafit.env.kept_elsewhere import hashed
from cudafit.errors import CudafitError, InputError
from cudafit.model.frozen import frozen
from cudafit.repair.generations import Beside, generation, read_record
from cudafit.repair.state import NEW_BESIDE, Held, State
from cudafit.system.durable import rename_durably
from cudafit.system.folders import is_there, make_own, open_folder, read_own
from cudafit.system.posix import posix

NAMES = ("pyproject.toml", "uv.lock", "poetry.lock", "pdm.lock", "Pipfile", "Pipfile.lock")
_FOLDER = "beside"
_NEW = ".cudafit-new"  # a file on its way from another file system
_LIMIT = 64 << 20


@frozen
class _Read:
    item: Beside
    data: bytes


def keep(held: Held, folder: int, names: Sequence[str], project: str = "") -> tuple[Beside, ...]:
    """Into the open folder of a generation. Raises OSError, and InputError for what is no plain file."""
    if not names:
        return ()
    with _around(held, project) as place:
        read = [_read(held, name, place) for name in names]
    with _opened(folder) as copies:
        for one in read:
            if one.item.there:
                _write(one.item.name, one.data, one.item.mode, one.item.mtime_ns, copies)
        os.fsync(copies)
    return tuple(one.item for one in read)


def present(held: Held, names: Iterable[str], project: str = "") -> tuple[Beside, ...]:
    """As they are now, without a copy: for where they are renamed. Raises OSError and InputError."""
    with _around(held, project) as place:
        return tuple(_read(held, name, place).item for name in names)


def project_of(state: State, name: str) -> str:
    """Where those of a generation lie; "" for around the environment."""
    record = read_record(state, name)
    return record.project if record else ""


def is_of(env: str, project: str) -> bool:
    """Whether an environment is called after the place of a project, as Poetry calls those in its own folder."""
    real = os.path.realpath(project)
    return re.fullmatch(rf".+-{re.escape(hashed(real))}-py3\.\d+t?", os.path.basename(env)) is not None


@contextmanager
def _around(held: Held, project: str) -> Iterator[int]:
    """The open folder that the files lie in. Raises OSError, and CudafitError for one that is not the environment's."""
    if not project:
        yield held.at_parent
        return
    if "\0" in project or os.path.realpath(project) != project or not is_of(held.env, project):
        raise CudafitError(
            f"`{held.env}` is not the environment of a project in `{project}`",
            cause=["what cudafit keeps of it names that place, and Poetry calls an environment after its project's"],
        )
    place = open_folder(project)
    try:
        yield place
    finally:
        os.close(place)


def _carry(name: str, source: int, target: int, called: str = "") -> None:
    """One file from one open folder to another, as `called`, which may be on another file system. What is half carried
    is carried again: the source goes last."""
    try:
        rename_durably(name, source, called or name, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        data, found = read_own(name, _LIMIT, source), os.stat(name, dir_fd=source, follow_symlinks=False)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_NEW, dir_fd=target)
        _write(_NEW, data, stat.S_IMODE(found.st_mode), found.st_mtime_ns, target)
        rename_durably(_NEW, target, called or name, target)
        os.unlink(name, dir_fd=source)
        os.fsync(source)


def kept(state: State, name: str) -> tuple[Beside, ...]:
    """Those of a generation."""
    record = read_record(state, name)
    return tuple(one for one in record.beside if one.name in NAMES) if record else ()


def put(held: Held, allowed: Iterable[Beside], project: str, name: str, data: bytes) -> None:
    """Replace one of the files that were kept, in one step. Raises OSError."""
    was = next(one for one in allowed if one.name == name)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(NEW_BESIDE, dir_fd=held.at_folder)
    _write(NEW_BESIDE, data, was.mode if was.there else 0o644, None, held.at_folder)
    with _around(held, project) as place:
        _carry(NEW_BESIDE, held.at_folder, place, name)


def bring_back(held: Held, name: str) -> None:
    """After a change that came to nothing: what was made since goes. Raises OSError."""
    items = kept(held, name)
    if not items:
        return
    around = _around(held, project_of(held, name))
    with generation(held, name) as folder, _opened(folder) as copies, around as place:
        for one in items:
            if one.there and is_there(one.name, copies):
                _carry(one.name, copies, place)
            elif not one.there:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(one.name, dir_fd=place)
        os.fsync(place)


def exchange(held: Held, wanted: str, replaced: str | None) -> None:
    """What is there goes into the one generation, and what the other holds into its place. Raises OSError."""
    items = kept(held, wanted)
    if not items:
        return
    around = _around(held, project_of(held, wanted))
    with generation(held, wanted) as folder, _opened(folder) as copies, around as place:
        for one in items:
            waits = is_there(one.name, copies) if one.there else True
            if replaced is not None and waits and is_there(one.name, place):
                _put_aside(held, replaced, one.name, place)
            if one.there and is_there(one.name, copies):
                _carry(one.name, copies, place)
            elif not one.there and replaced is None:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(one.name, dir_fd=place)


def check_copies(state: State, name: str) -> None:
    """Raises CudafitError where what was kept is not there any more as it was."""
    for one in kept(state, name):
        path = os.path.join(state.generation(name), _FOLDER, one.name)
        try:
            found = _digest(read_own(path, _LIMIT)) if one.there else ""
        except OSError as error:
            raise _damaged(state, name, f"`{path}`: {error.strerror}") from error
        if found != one.sha256:
            raise _damaged(state, name, f"`{path}` is not what it was")


def _damaged(state: State, name: str, cause: str) -> CudafitError:
    return CudafitError(
        f"generation {name} of `{state.env}` is damaged", cause=["another program changed what cudafit keeps", cause]
    )


def _put_aside(held: Held, replaced: str, name: str, place: int) -> None:
    with generation(held, replaced) as folder, _opened(folder) as copies:
        if not is_there(name, copies):
            _carry(name, place, copies)


@contextmanager
def _opened(folder: int) -> Iterator[int]:
    copies = make_own(_FOLDER, folder)
    try:
        yield copies
    finally:
        os.close(copies)


def _read(held: Held, name: str, place: int) -> _Read:
    try:
        data = read_own(name, _LIMIT, place)
        found = os.stat(name, dir_fd=place, follow_symlinks=False)
    except FileNotFoundError:
        return _Read(Beside(name, False, 0, 0, ""), b"")
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.EINVAL, errno.EFBIG):
            raise
        raise InputError(
            f"`{os.path.join(held.parent, name)}` cannot be changed safely",
            cause=["it is a link" if error.errno == errno.ELOOP else f"{error.strerror}"],
            hint="put the file itself in its place",
        ) from None
    return _Read(Beside(name, True, stat.S_IMODE(found.st_mode), found.st_mtime_ns, _digest(data)), data)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _write(name: str, data: bytes, mode: int, mtime_ns: int | None, folder: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | posix.O_NOFOLLOW | posix.O_CLOEXEC
    with open(os.open(name, flags, 0o600, dir_fd=folder), "wb") as file:
        file.write(data)
        file.flush()
        posix.fchmod(file.fileno(), mode)
        if mtime_ns is not None:
            os.utime(file.fileno(), ns=(mtime_ns, mtime_ns))
        os.fsync(file.fileno())
