"""Whether the disk has room for a snapshot: asked before, and answered with numbers."""

from cudafit.errors import CudafitError
from cudafit.model.frozen import frozen
from cudafit.render.sizes import size_text
from cudafit.repair.checks import check_environment, check_no_mounts
from cudafit.repair.reserve import FILES, room_for
from cudafit.repair.snapshot import is_linked
from cudafit.repair.state import State, state_of
from cudafit.repair.walk import FILE, FOLDER, Walk, walk
from cudafit.system.posix import posix

_SPARE = 1 << 20
_UNPACKED = 1.5  # what is installed takes more than its archive, which is packed
_ROW_BYTES = 160  # of the manifest, for each file


@frozen
class Needed:
    """`bytes` and `files` are new on the disk; what is hard-linked costs neither. `free_files` is None where the file
    system has no limit. `env_bytes` and `env_files` are the whole environment's."""

    bytes: int
    files: int
    free_bytes: int
    free_files: int | None
    env_bytes: int
    env_files: int

    @property
    def enough(self) -> bool:
        return self.bytes <= self.free_bytes and (self.free_files is None or self.files <= self.free_files)


def room_needed(env: str) -> Needed:
    """What a snapshot of this environment would take, and what is free. Reads only; raises CudafitError."""
    state = state_of(env)
    check_environment(state)
    return needed_for(state, walk_whole(state))


def check_space(env: str, coming: int) -> None:
    """Raises CudafitError, with numbers, where the snapshot and what comes in (bytes of archives) do not fit."""
    needed = room_needed(env)
    _check_fits(env, needed.bytes, coming, needed.free_bytes)


def check_space_for(place: str, coming: int) -> None:
    """The same where what goes is moved and not kept twice."""
    room = posix.statvfs(place)
    _check_fits(place, _SPARE, coming, room.f_bavail * room.f_frsize)


def _check_fits(place: str, kept: int, coming: int, free: int) -> None:
    wanted = kept + int(coming * _UNPACKED)
    if wanted > free:
        raise CudafitError(
            f"there is no room to repair `{place}`",
            cause=[
                f"{size_text(wanted)} are needed: {size_text(kept)} for the snapshot, and about "
                f"{size_text(wanted - kept)} for what comes in",
                f"{size_text(free)} are free on its file system",
            ],
            hint="free some space there",
        )


def walk_whole(state: State) -> Walk:
    """The environment's tree; raises CudafitError where a part of it could not be kept."""
    check_no_mounts(state)
    found = walk(state.env)
    if found.problems:
        raise CudafitError(
            f"`{state.env}` cannot be kept as it is, so it is not changed",
            cause=[*found.problems[:5], *([f"and {len(found.problems) - 5} more"] if len(found.problems) > 5 else [])],
            hint="make these readable and your own, or remove them",
        )
    return found


def needed_for(state: State, found: Walk) -> Needed:
    room = posix.statvfs(state.parent)
    block = room.f_frsize
    manifest = _ROW_BYTES * len(found.entries)
    size, files = _SPARE + manifest + room_for(manifest), 16 + FILES
    for entry in found.entries:
        item = entry.item
        if item.kind == FILE and not is_linked(entry):
            size += -(-item.size // block) * block
            files += 1
        elif item.kind == FOLDER:
            size += max(entry.stat.st_size, block)
            files += 1
    free_files = room.f_favail if room.f_files else None
    return Needed(size, files, room.f_bavail * block, free_files, found.size, found.files)


def check_room(state: State, found: Walk) -> None:
    """Raises CudafitError, with numbers, where a snapshot would not fit."""
    needed = needed_for(state, found)
    if needed.enough:
        return
    cause = [
        f"a snapshot takes {size_text(needed.bytes)} for {needed.files} small files and folders; "
        f"{size_text(needed.free_bytes)} are free in `{state.parent}`"
    ]
    if needed.free_files is not None and needed.files > needed.free_files:
        cause.append(f"the file system has room for {needed.free_files} more files")
    raise CudafitError(f"there is no room to change `{state.env}` safely", cause=cause, hint="free some space there")
