"""Room for the way back, kept while there is something to go back to.

Going back renames trees, which needs no room. But it is first written down, and what is there now gets a manifest: on a
disk that is full, neither could be written. So as much as that takes is set aside with each change, and given up then.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from cudafit.errors import CudafitError
from cudafit.repair.state import RESERVE, Held, opened
from cudafit.system.folders import remove_tree
from cudafit.system.posix import allocated, posix

# A generation's folder, its manifest and record, the journal, each new version of them under a name of its own.
FILES = 8
_LARGE = "0"
_SPARE = 64 << 10
_CHUNK = 1 << 20
_NO_FALLOCATE = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)


def room_for(manifest_bytes: int) -> int:
    """What is set aside: the environment may have more files by then."""
    return manifest_bytes * 3 // 2 + _SPARE


def keep_reserve(held: Held, manifest_bytes: int) -> None:
    """Set it aside, or more of it than there is; raises OSError where there is no room for it."""
    size = room_for(manifest_bytes)
    if _is_enough(held, size):
        return
    give_up_reserve(held)
    os.mkdir(RESERVE, 0o700, dir_fd=held.at_folder)
    try:
        with opened(held, RESERVE, held.at_folder) as folder:
            for number in range(FILES):
                with _new_file(str(number), folder) as descriptor:
                    if str(number) == _LARGE:
                        _fill(descriptor, size)
    except OSError:
        with contextlib.suppress(OSError):
            give_up_reserve(held)
        raise


def _is_enough(held: Held, size: int) -> bool:
    try:
        with opened(held, RESERVE, held.at_folder) as folder:
            found = os.stat(_LARGE, dir_fd=folder, follow_symlinks=False)
            return stat.S_ISREG(found.st_mode) and allocated(found) >= size and len(os.listdir(folder)) >= FILES
    except (OSError, CudafitError):
        return False


@contextmanager
def _new_file(name: str, folder: int) -> Iterator[int]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | posix.O_NOFOLLOW | posix.O_CLOEXEC
    descriptor = os.open(name, flags, 0o600, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def give_up_reserve(held: Held) -> bool:
    """Make room; False where none was set aside. Raises OSError."""
    try:
        remove_tree(RESERVE, held.at_folder)
    except FileNotFoundError:
        return False
    os.fsync(held.at_folder)
    return True


def _fill(descriptor: int, size: int) -> None:
    """With blocks of the disk, and not with a promise of them."""
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError as error:
            if error.errno not in _NO_FALLOCATE:
                raise
        else:
            return
    chunk = os.urandom(_CHUNK)  # what a file system that compresses cannot make smaller
    for start in range(0, size, _CHUNK):
        posix.pwrite(descriptor, chunk[: size - start], start)
