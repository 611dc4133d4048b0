"""What the operating system answers, as an error that says what to do."""

import errno
import os

from cudafit.errors import CudafitError


def change_trouble(what: str, error: OSError, *, hint: str | None = None) -> CudafitError:
    """An OSError as an error for people; a full disk with its numbers."""
    place = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else None
    cause = [f"{error.strerror or error}" + (f": `{place}`" if place else "")]
    if error.errno in (errno.ENOSPC, errno.EDQUOT) and place:
        cause.append(_free(place))
        hint = hint or "free some space, then try again"
    elif error.errno == errno.EROFS:
        cause.append("the file system is mounted read-only")
    return CudafitError(what, cause=cause, hint=hint)


def size_text(size: int) -> str:
    """`734 MiB`, `5.2 GiB`."""
    for unit, shift in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if size >= 1 << shift:
            value = size / (1 << shift)
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{size} bytes"


def _free(place: str) -> str:
    folder = os.path.dirname(place)
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    room = os.statvfs(folder)
    free = f"{size_text(room.f_bavail * room.f_frsize)} are free"
    return f"{free}, and room for {room.f_favail} more files" if room.f_files else free
