"""The earlier states of an environment that are kept, newest first, and the removal of those that need not be."""

import calendar
import contextlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cudafit.errors import CudafitError
from cudafit.model.frozen import frozen
from cudafit.model.record import RecordError, from_plain, to_plain
from cudafit.repair.state import DISCARDED, GENERATIONS, ID, Held, State, opened
from cudafit.system.durable import write_durably
from cudafit.system.folders import is_there, read_own, remove_tree
from cudafit.system.posix import allocated

SCHEMA = "cudafit.generation/1"
RECORD = "generation.json"
KEPT = 3
KEPT_DAYS = 30
_LIMIT = 1 << 16
_NOT_TREES = frozenset({"README"})


@frozen
class Beside:
    """A file in the folder around the environment, as it was; or that it was not `there`."""

    name: str
    there: bool
    mode: int
    mtime_ns: int
    sha256: str


@frozen
class Kept:
    """`generation.json`: written last, so a generation that has it is whole."""

    schema: str
    time: str
    reason: str
    files: int
    bytes: int
    beside: tuple[Beside, ...] = ()
    project: str = ""  # where these lie, if not around the environment

    @classmethod
    def of(
        cls, when: str, reason: str, files: int, size: int, beside: tuple[Beside, ...] = (), project: str = ""
    ) -> "Kept":
        return cls(SCHEMA, when, reason, files, size, beside, project)


@frozen
class Generation:
    """`time` and `reason` are those of the change before which the environment was like this. `disk_bytes` is what
    removing it would free: blocks of files that nothing else has a name for."""

    id: str
    time: str
    reason: str
    files: int
    bytes: int
    disk_bytes: int
    beside: tuple[str, ...] = ()  # the files of the project that come back with it


@contextmanager
def generation(held: Held, name: str, *, new: bool = False) -> Iterator[int]:
    """The folder of a generation, open; raises OSError, and CudafitError for one that cannot be trusted."""
    if new:
        os.mkdir(name, 0o700, dir_fd=held.at_generations)
    with opened(held, f"{GENERATIONS}/{name}", held.at_generations) as folder:
        yield folder


def write_record(record: Kept, folder: int) -> None:
    """Raises OSError. `folder` is that of the generation."""
    write_durably(RECORD, json.dumps(to_plain(record)).encode(), folder)


def read_record(state: State, name: str) -> Kept | None:
    """None where it is missing, or was not written by this cudafit."""
    try:
        data = read_own(os.path.join(state.generation(name), RECORD), _LIMIT)
        record = from_plain(Kept, json.loads(data))
    except (OSError, ValueError, RecordError, RecursionError):
        return None
    return record if record.schema == SCHEMA else None


def whole(state: State) -> dict[str, Kept]:
    """The generations that can be gone back to, newest first."""
    found = {}
    for name in sorted(_ids(state), key=int, reverse=True):
        record = read_record(state, name)
        if record is not None and has_tree(state, name):
            found[name] = record
    return found


def has_tree(state: State, name: str) -> bool:
    try:
        folders = [os.lstat(path) for path in (state.generation(name), state.tree(name))]
    except OSError:
        return False
    return all(stat.S_ISDIR(folder.st_mode) for folder in folders)


def described(state: State, name: str, record: Kept) -> Generation:
    size, names = _own_bytes(state.generation(name)), tuple(one.name for one in record.beside)
    return Generation(name, record.time, record.reason, record.files, record.bytes, size, names)


def disk_use(state: State) -> int:
    """What removing all of them would free: more than the sum, since what two of them share is freed too."""
    return _own_bytes(state.generations)


def next_id(state: State) -> str:
    """Numbers go up, so their order needs no clock. Raises CudafitError where there is none left."""
    discarded = (name.partition("-")[0] for name in _names(state.discarded))
    used = [*_ids(state), *(name for name in discarded if ID.fullmatch(name))]
    following = str(max((int(name) for name in used), default=0) + 1)
    if not ID.fullmatch(following):
        raise CudafitError(
            f"no number is left for an earlier state of `{state.env}`",
            cause=[f"`{state.folder}` holds one that cudafit has not made: {max(used, key=int)}"],
        )
    return following


def discard(held: Held, name: str) -> None:
    """Take a generation out of the list in one step. It is removed by `empty_discarded`. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        os.rename(name, _free_place(held, name), src_dir_fd=held.at_generations, dst_dir_fd=held.at_discarded)
        os.fsync(held.at_generations)


def clean(state: Held, say: Callable[[str], None], *, kept: int = KEPT, days: int = KEPT_DAYS) -> None:
    """Under the lock, with no journal: remove what is in excess, too old, or was left half-made by a killed change."""
    try:
        generations = whole(state)
        oldest = time.time() - days * 86400
        for number, (name, record) in enumerate(generations.items()):
            if number >= kept or (number > 0 and _seconds(record.time) < oldest):
                discard(state, name)
        for name in _ids(state):
            if name not in generations and not (has_tree(state, name) and _has_record(state, name)):
                discard(state, name)
    except OSError as error:
        say(f"earlier states of `{state.env}` could not be removed: {error.strerror}: `{error.filename}`")
    empty_discarded(state, say)


def empty_discarded(held: Held, say: Callable[[str], None]) -> None:
    """What cannot be removed is said, and tried again next time: it is in nobody's way."""
    for name in os.listdir(held.at_discarded):
        if name in _NOT_TREES:
            continue
        try:
            remove_tree(name, held.at_discarded)
        except OSError as error:
            path = os.path.join(held.folder, DISCARDED, name)
            say(f"`{path}` is no longer needed and could not be removed: {error.strerror}: `{error.filename}`")


def _free_place(held: Held, name: str) -> str:
    place, number = name, 1
    while is_there(place, held.at_discarded):
        number += 1
        place = f"{name}-{number}"
    return place


def _ids(state: State) -> list[str]:
    return [name for name in _names(state.generations) if ID.fullmatch(name)]


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _has_record(state: State, name: str) -> bool:
    """Also one that this cudafit cannot read: a newer one's is not for it to remove."""
    return os.path.lexists(os.path.join(state.generation(name), RECORD))


def _seconds(text: str) -> float:
    try:
        return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        return time.time()


def _own_bytes(folder: str) -> int:
    names: dict[int, int] = {}
    own = 0
    todo = [folder]
    while todo:
        try:
            with os.scandir(todo.pop()) as found:
                for entry in found:
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(status.st_mode):
                        own += allocated(status)
                        todo.append(entry.path)
                        continue
                    names[status.st_ino] = names.get(status.st_ino, 0) + 1
                    if names[status.st_ino] == status.st_nlink:
                        own += allocated(status)
        except OSError:
            continue  # it is being removed, or may not be read: then nothing is known of it
    return own
