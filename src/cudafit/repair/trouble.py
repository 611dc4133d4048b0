"""What the operating system answers, as an error that says what to do."""

import errno
import os
from collections.abc import Iterable

from cudafit.errors import CudafitError


def change_trouble(what: str, error: OSError, folder: str) -> CudafitError:
    """An OSError as an error for people; a full disk with its numbers. `folder` is where it was, should the error not
    know: the system names no file when it refuses to write."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return CudafitError(what, cause=cause_of(error, folder), hint="free some space, then try again" if full else None)


def cause_of(error: OSError, folder: str) -> list[str]:
    place = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else None
    cause = [f"{error.strerror or error}" + (f": `{place}`" if place else "")]
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        cause.append(_free(place or folder))
    return cause


def named(paths: Iterable[str], limit: int = 5) -> list[str]:
    """The first of many paths, one a line."""
    every = list(paths)
    lines = [f"`{path or '.'}`" for path in every[:limit]]
    return lines if len(every) <= limit else [*lines, f"and {len(every) - limit} more"]


def user_name(number: int) -> str:
    import pwd  # noqa: PLC0415 - for messages alone; Windows has none

    try:
        return f"`{pwd.getpwuid(number).pw_name}`"
    except KeyError:
        return f"user {number}"


def size_text(size: int) -> str:
    """`734 MiB`, `5.2 GiB`."""
    for unit, shift in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if size >= 1 << shift:
            value = size / (1 << shift)
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{size} bytes"


def _free(place: str) -> str:
    folder = os.path.abspath(place)
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    room = os.statvfs(folder)
    free = f"{size_text(room.f_bavail * room.f_frsize)} are free in `{folder}`"
    return f"{free}, and room for {room.f_favail} more files" if room.f_files else free
