"""A change of single files below a Python's prefix: for a folder of packages that is not an environment of its own.

A venv is exchanged as a whole, by renaming it. The packages of a container's or a system's Python lie among much else,
and a folder of an image's lower layer cannot be renamed at all; files can. So there the files of the packages that
change go, one by one, into the generation's `tree`, and those that come lie ready in its `stage` before anything is
touched. Where each file lies tells how far an earlier attempt came: all of this may be killed and called again, and no
file is ever removed before the change is complete. `moves.json` is written first, and names paths below the prefix
alone.
"""

import contextlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from cudafit.errors import CudafitError, InputError
from cudafit.model.frozen import frozen
from cudafit.model.record import RecordError, from_plain, to_plain
from cudafit.repair.generations import generation
from cudafit.repair.state import Held, State
from cudafit.repair.trouble import named
from cudafit.system.durable import write_durably
from cudafit.system.folders import is_there, make_own, open_folder, read_own, remove_tree

SCHEMA = "cudafit.moves/1"
NAME = "moves.json"
TREE, STAGE = "tree", "stage"
_LIMIT = 1 << 28


@frozen
class Moved:
    """A file or a link: enough to see that it is another one now."""

    path: str  # below the prefix
    size: int
    mtime_ns: int


@frozen
class Folder:
    """One that holds, or held, files that move: as it was before."""

    path: str
    mode: int
    mtime_ns: int


@frozen
class Moves:
    """`out` go into the tree of the generation, `into` come in their place."""

    schema: str
    out: tuple[Moved, ...]
    into: tuple[Moved, ...]
    folders: tuple[Folder, ...]


def prefix_of(state: State) -> str:
    """`/usr/local` of `/usr/local/lib/python3.12/site-packages`."""
    return os.path.dirname(os.path.dirname(state.parent))


def forward(held: Held, name: str) -> None:
    """What goes into the generation, then what comes into its place. Raises OSError."""
    moves = read_moves(held, name)
    with _opened(held, name) as (prefix, tree, stage):
        for one in moves.out:
            _move(one.path, prefix, tree)
        _remove_empty(prefix, moves.out)
        for one in moves.into:
            _move(one.path, stage, prefix)


def backward(held: Held, name: str) -> None:
    """The same undone, however far it came. Raises OSError and CudafitError."""
    try:
        moves = read_moves(held, name)
    except FileNotFoundError:
        return  # nothing had been touched
    with _opened(held, name) as (prefix, tree, stage):
        for one in moves.into:
            if not _is_there(one.path, stage):
                _move(one.path, prefix, stage, missing_ok=True)
        _remove_empty(prefix, moves.into)
        _bring(moves, tree, prefix)


def swap(held: Held, wanted: str, replaced: str) -> None:
    """What generation `wanted` holds comes back, and what is in its place becomes that of `replaced`. Raises OSError
    and CudafitError."""
    moves = read_moves(held, wanted)
    with _opened(held, wanted) as (prefix, tree, _), generation(held, replaced) as target, _own(TREE, target) as aside:
        back = {one.path for one in moves.out}
        for one in moves.into:
            restored = one.path in back and not _is_there(one.path, tree)
            if not restored and not _is_there(one.path, aside):
                _move(one.path, prefix, aside, missing_ok=True)
        _remove_empty(prefix, moves.into)
        _bring(moves, tree, prefix)


def write_moves(held: Held, name: str, folder: int, out: Iterable[str]) -> Moves:
    """What a change will do, read from its stage and its prefix: `folder` is the generation's. Raises OSError, and
    InputError where a file would be moved through a link, or onto a folder."""
    prefix = prefix_of(held)
    coming = tuple(_files_below(f"{held.generation(name)}/{STAGE}"))
    in_the_way = {one.path for one in coming if os.path.lexists(f"{prefix}/{one.path}")}
    going = sorted({*(path for path in out if os.path.lexists(f"{prefix}/{path}")), *in_the_way})
    folders = _folders_of(prefix, [*going, *(one.path for one in coming)])
    moves = Moves(SCHEMA, tuple(_moved(prefix, path) for path in going), coming, folders)
    write_durably(NAME, json.dumps(to_plain(moves)).encode(), folder)
    return moves


def write_back(held: Held, wanted: str, folder: int) -> Moves:
    """What a way back to `wanted` will do, into the open folder of the generation that it makes. Raises OSError."""
    prefix, moves = prefix_of(held), read_moves(held, wanted)
    there = [one.path for one in moves.into if os.path.lexists(f"{prefix}/{one.path}")]
    folders = _folders_of(prefix, [*there, *(one.path for one in moves.out)])
    back = Moves(SCHEMA, tuple(_moved(prefix, path) for path in there), moves.out, folders)
    write_durably(NAME, json.dumps(to_plain(back)).encode(), folder)
    return back


def check_unchanged(state: State, name: str) -> None:
    """Raises CudafitError where going back would mix two versions of a package: something else changed the files since,
    or those that are kept."""
    prefix, moves = prefix_of(state), read_moves(state, name)
    tree = state.tree(name)
    gone = [one.path for one in moves.out if _now(tree, one.path) != one]
    if gone:
        raise CudafitError(
            f"generation {name} of `{state.env}` is damaged",
            cause=["another program changed what cudafit keeps", *named(gone)],
        )
    came = {one.path for one in moves.into}
    other = [one.path for one in moves.into if _now(prefix, one.path) != one]
    other += [one.path for one in moves.out if one.path not in came and os.path.lexists(f"{prefix}/{one.path}")]
    if other:
        raise CudafitError(
            f"`{state.env}` was changed since by another program, so going back would mix two versions of a package",
            cause=named(other),
            hint="install the packages that you want with pip; `cudafit rollback --clear` frees what is kept",
        )


def read_moves(state: State, name: str) -> Moves:
    """Raises FileNotFoundError where there are none, CudafitError where they cannot be believed."""
    path = os.path.join(state.generation(name), NAME)
    data = read_own(path, _LIMIT)
    try:
        moves = from_plain(Moves, json.loads(data))
    except (RecordError, ValueError, RecursionError) as error:
        raise _broken(path, str(error)[:200]) from None
    paths = [*(one.path for one in (*moves.out, *moves.into)), *(one.path for one in moves.folders if one.path)]
    if moves.schema != SCHEMA or not all(map(_is_below, paths)):
        raise _broken(path, "it names a path that leads out of the prefix")
    return moves


def tidy(held: Held, name: str) -> None:
    """What is left of the stage once the change is complete: empty folders. Raises OSError."""
    with generation(held, name) as folder, contextlib.suppress(FileNotFoundError):
        remove_tree(STAGE, folder)


def _broken(path: str, cause: str) -> CudafitError:
    return CudafitError(f"`{path}` is broken, or was not written by this cudafit", cause=[cause])


def _is_below(path: str) -> bool:
    return "\0" not in path and not any(part in ("", ".", "..") for part in path.split("/"))


@contextmanager
def _opened(held: Held, name: str) -> Iterator[tuple[int, int, int]]:
    """The prefix, and the tree and the stage of the generation."""
    with generation(held, name) as inside, _own(TREE, inside) as tree, _own(STAGE, inside) as stage:
        prefix = open_folder(prefix_of(held))
        try:
            yield prefix, tree, stage
        finally:
            os.close(prefix)


@contextmanager
def _own(name: str, inside: int) -> Iterator[int]:
    """A folder of cudafit's own in an open one, made where it is not there."""
    folder = make_own(name, inside)
    try:
        yield folder
    finally:
        os.close(folder)


def _bring(moves: Moves, tree: int, prefix: int) -> None:
    """What the tree holds into its places, and the folders as they were."""
    modes = {one.path: one.mode for one in moves.folders}
    for one in moves.out:
        if _is_there(one.path, tree):
            _move(one.path, tree, prefix, modes=modes)
    for folder in sorted(moves.folders, key=lambda one: one.path, reverse=True):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            found = os.stat(folder.path or ".", dir_fd=prefix)
            if stat.S_IMODE(found.st_mode) != folder.mode:
                os.chmod(folder.path or ".", folder.mode, dir_fd=prefix)
            os.utime(folder.path or ".", ns=(found.st_atime_ns, folder.mtime_ns), dir_fd=prefix)


def _move(
    path: str, source: int, target: int, *, missing_ok: bool = False, modes: dict[str, int] | None = None
) -> None:
    """One file from one open folder to the other, with the folders that it needs."""
    for attempt in range(2):
        try:
            os.rename(path, path, src_dir_fd=source, dst_dir_fd=target)
            return
        except FileNotFoundError:
            if not _is_there(path, source):
                if missing_ok:
                    return
                raise
            if attempt:
                raise
        _make_folders(os.path.dirname(path), source, target, modes or {})


def _make_folders(path: str, source: int, target: int, modes: dict[str, int]) -> None:
    parts = path.split("/")
    for number in range(1, len(parts) + 1):
        part = "/".join(parts[:number])
        with contextlib.suppress(FileExistsError):
            os.mkdir(part, 0o700, dir_fd=target)
            mode = modes.get(part)
            if mode is None:
                mode = stat.S_IMODE(os.stat(part, dir_fd=source).st_mode)
            os.chmod(part, mode | stat.S_IRWXU, dir_fd=target)


def _is_there(path: str, folder: int) -> bool:
    try:
        return is_there(path, folder)
    except NotADirectoryError:
        return False


def _remove_empty(prefix: int, moved: Iterable[Moved]) -> None:
    """The folders that a package leaves behind; those that hold anything stay."""
    for start in sorted({os.path.dirname(one.path) for one in moved}, key=len, reverse=True):
        path = start
        # `lib/python3.12/site-packages` and what lies above is no package's.
        while path.count("/") > 2 or (path.count("/") > 0 and not path.startswith("lib")):
            try:
                os.rmdir(path, dir_fd=prefix)
            except FileNotFoundError:
                pass
            except OSError:
                break
            path = os.path.dirname(path)


def _files_below(top: str) -> Iterator[Moved]:
    for folder, folders, files in os.walk(top):
        links = [name for name in folders if os.path.islink(f"{folder}/{name}")]
        for name in (*files, *links):
            path = os.path.relpath(f"{folder}/{name}", top)
            if path != ".lock":  # uv's own
                yield _moved(top, path)


def _moved(top: str, path: str) -> Moved:
    found = os.lstat(f"{top}/{path}")
    if stat.S_ISDIR(found.st_mode):
        raise InputError(f"`{top}/{path}` is a folder where a package has a file, so nothing was changed")
    return Moved(path, found.st_size if stat.S_ISREG(found.st_mode) else 0, found.st_mtime_ns)


def _now(top: str, path: str) -> Moved | None:
    try:
        return _moved(top, path)
    except (OSError, InputError):
        return None


def _folders_of(prefix: str, paths: Sequence[str]) -> tuple[Folder, ...]:
    """Those that are there, as they are. Raises InputError where one leads elsewhere or may not be written."""
    found: dict[str, Folder | None] = {}
    for path in paths:
        folder = os.path.dirname(path)
        while folder not in found:
            found[folder] = _folder(prefix, folder)
            folder = os.path.dirname(folder)
    return tuple(one for one in found.values() if one)


def _folder(prefix: str, path: str) -> Folder | None:
    whole = f"{prefix}/{path}" if path else prefix
    try:
        status = os.lstat(whole)
    except FileNotFoundError:
        return None
    if not stat.S_ISDIR(status.st_mode):
        raise InputError(
            f"`{prefix}` cannot be changed safely: `{whole}` is no folder, or a link to one elsewhere",
            cause=["what is changed through it could not be brought back"],
        )
    if path and not os.access(whole, os.W_OK | os.X_OK):
        raise InputError(f"`{whole}` may not be written by this user", hint="do it as the user that owns it")
    if status.st_dev != os.stat(prefix).st_dev:
        raise InputError(f"`{whole}` is on another file system than `{prefix}`, so files cannot be moved as a whole")
    return Folder(path, stat.S_IMODE(status.st_mode), status.st_mtime_ns)
