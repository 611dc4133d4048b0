"""What the operating system answers, as an error that says what to do."""

import errno
import os
from collections.abc import Iterable

from cudafit.errors import CudafitError
from cudafit.render.sizes import size_text
from cudafit.system.posix import posix


def change_trouble(what: str, error: OSError, folder: str) -> CudafitError:
    """An OSError as an error for people; a full disk with its numbers. `folder` is where it was, should the error not
    know: the system names no file when it refuses to write."""
    hint = "free some space, then try again" if is_full(error) else None
    return CudafitError(what, cause=cause_of(error, folder), hint=hint)


def cause_of(error: OSError, folder: str) -> list[str]:
    place = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else None
    cause = [f"{error.strerror or error}" + (f": `{place}`" if place else "")]
    if is_full(error):
        # A name without a folder is that of a file in an open folder.
        cause.append(_free(place if place and os.path.isabs(place) else folder))
    return cause


def is_full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def named(paths: Iterable[str], limit: int = 5) -> list[str]:
    """The first of many paths, one a line."""
    every = list(paths)
    lines = [f"`{path or '.'}`" for path in every[:limit]]
    return lines if len(every) <= limit else [*lines, f"and {len(every) - limit} more"]


def _free(place: str) -> str:
    folder = os.path.abspath(place)
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    room = posix.statvfs(folder)
    free = f"{size_text(room.f_bavail * room.f_frsize)} are free in `{folder}`"
    return f"{free}, and room for {room.f_favail} more files" if room.f_files else free
