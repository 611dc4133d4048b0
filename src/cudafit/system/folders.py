"""Folders of cudafit's own, by descriptor: the only way in which they are opened, filled and emptied.

A path is looked up anew with every call, and what it leads to may have been exchanged since the last one; a descriptor
stays with one folder. A folder may also have come along in an archive or a clone: so none is used that is a link, that
belongs to somebody else, or in which others may write.
"""

import contextlib
import errno
import os
import stat
import sys

from cudafit.system.mounts import mounts_below
from cudafit.system.posix import posix

_OPEN = stat.S_IRWXU
# So deep a folder is moved up before it is emptied: each level takes one descriptor.
_DEEPEST = 40


class UntrustedError(OSError):
    """The folder is there, and not one that only this user can have filled. `strerror` says why."""

    def __init__(self, reason: str, path: str) -> None:
        super().__init__(errno.EPERM, reason, path)


def open_folder(name: str, at: int | None = None) -> int:
    """Any folder, but no link to one; raises OSError. `at` is the descriptor of the folder that it is in."""
    return os.open(name, os.O_RDONLY | posix.O_DIRECTORY | posix.O_NOFOLLOW | posix.O_CLOEXEC, dir_fd=at)


def open_own(name: str, at: int | None = None) -> int:
    """A folder of this user that nobody else may read or write; raises OSError, UntrustedError where it is another."""
    try:
        folder = open_folder(name, at)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOTDIR):
            raise
        raise UntrustedError(_instead(name, at), name) from None
    found = os.fstat(folder)
    reason = None
    if found.st_uid != posix.geteuid():
        reason = f"it belongs to {user_name(found.st_uid)}"
    elif found.st_mode & 0o077:
        reason = f"its mode is {stat.S_IMODE(found.st_mode):04o}, so that others may have written in it"
    if reason:
        os.close(folder)
        raise UntrustedError(reason, name)
    return folder


def make_own(name: str, at: int | None = None) -> int:
    """The same; it is made where there is none."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=at)
    return open_own(name, at)


def make_file(name: str, data: bytes, at: int) -> None:
    """A new file. What is there already, whatever it is, stays as it is; raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | posix.O_NOFOLLOW | posix.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, 0o600, dir_fd=at)
    except FileExistsError:
        return
    with open(descriptor, "wb") as file:
        file.write(data)


def read_own(name: str, limit: int, at: int | None = None) -> bytes:
    """A small file of this user's; raises OSError, also where it is a link, none that can be read to an end, or too
    large: half of it would be something else."""
    descriptor = os.open(name, os.O_RDONLY | posix.O_NOFOLLOW | posix.O_NONBLOCK | posix.O_CLOEXEC, dir_fd=at)
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != posix.geteuid():
            raise OSError(errno.EINVAL, "it is not a plain file of this user", name)
        data = b"" if found.st_size > limit else file.read(limit + 1)
    if found.st_size > limit or len(data) > limit:
        raise OSError(errno.EFBIG, f"it is larger than {limit} bytes", name)
    return data


def is_there(name: str, at: int) -> bool:
    """Whether the folder has that name, be it of a link that leads nowhere."""
    try:
        os.stat(name, dir_fd=at, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def remove_tree(name: str, at: int) -> None:
    """Raises OSError. Goes by descriptors, so that no folder that is exchanged meanwhile leads it elsewhere; enters no
    other file system; may be killed and called again."""
    if not stat.S_ISDIR(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode):
        os.unlink(name, dir_fd=at)
        return
    top = _open_to_empty(name, at)
    try:
        if mounts := mounts_below(_path_of(top)):
            raise OSError(errno.EBUSY, "another file system is mounted inside", mounts[0])
        device = os.fstat(top).st_dev
        while os.listdir(top):  # what lay deep comes to the top
            _empty(top, top, device, 0)
    finally:
        os.close(top)
    os.rmdir(name, dir_fd=at)


def _empty(folder: int, top: int, device: int, depth: int) -> None:
    if os.fstat(folder).st_dev != device:
        raise OSError(errno.EBUSY, "another file system is mounted here", _path_of(folder))
    with os.scandir(folder) as found:
        inside = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
    for name, is_folder in inside:
        if not is_folder:
            os.unlink(name, dir_fd=folder)
            continue
        below = _open_to_empty(name, folder)
        try:
            if depth < _DEEPEST:
                _empty(below, top, device, depth + 1)
            elif os.listdir(below):
                os.rename(name, _free_name(top), src_dir_fd=folder, dst_dir_fd=top)
                continue
        finally:
            os.close(below)
        os.rmdir(name, dir_fd=folder)


def _open_to_empty(name: str, at: int) -> int:
    """Also a folder that its owner may not read or write."""
    try:
        folder = open_folder(name, at)
    except PermissionError:
        _allow(name, at)
        folder = open_folder(name, at)
    mode = os.fstat(folder).st_mode
    if mode & _OPEN != _OPEN:
        posix.fchmod(folder, stat.S_IMODE(mode) | _OPEN)
    return folder


def _allow(name: str, at: int) -> None:
    """Sets the rights of the very folder that was opened: a link by that name is not followed."""
    if not hasattr(os, "O_PATH"):
        os.chmod(name, _OPEN, dir_fd=at, follow_symlinks=False)
        return
    place = os.open(name, os.O_PATH | posix.O_DIRECTORY | posix.O_NOFOLLOW | posix.O_CLOEXEC, dir_fd=at)
    try:
        os.chmod(f"/proc/self/fd/{place}", _OPEN)
    finally:
        os.close(place)


def _free_name(folder: int) -> str:
    number = 1
    while is_there(f"deep-{number}", folder):
        number += 1
    return f"deep-{number}"


def _path_of(folder: int) -> str:
    """Where an open folder lies now, for the table of mounts and for messages."""
    try:
        return os.readlink(f"/proc/self/fd/{folder}")
    except OSError:
        return ""


def _instead(name: str, at: int | None) -> str:
    try:
        return f"it is a link to `{os.readlink(name, dir_fd=at)}`"
    except OSError:
        return "it is not a folder"


def user_name(number: int) -> str:
    if sys.platform != "win32":
        import pwd  # noqa: PLC0415 - for messages alone

        with contextlib.suppress(KeyError):
            return f"`{pwd.getpwuid(number).pw_name}`"
    return f"user {number}"
