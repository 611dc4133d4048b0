"""Removing a tree of files, also one whose folders may not be written."""

import errno
import os
import stat

from cudafit.repair.mounts import mounts_below

_OPEN = stat.S_IRWXU


def remove_tree(path: str) -> None:
    """Raises OSError. Follows no link, enters no other file system; may be killed and called again."""
    top = os.lstat(path)
    if not stat.S_ISDIR(top.st_mode):
        os.unlink(path)
        return
    mounts = mounts_below(path)
    if mounts:
        raise OSError(errno.EBUSY, "another file system is mounted inside", mounts[0])
    folders = [path]
    for folder in folders:
        status = os.lstat(folder)
        if status.st_dev != top.st_dev:
            raise OSError(errno.EBUSY, "another file system is mounted here", folder)
        if status.st_mode & _OPEN != _OPEN:
            os.chmod(folder, _OPEN)
        with os.scandir(folder) as found:
            inside = list(found)
        for entry in inside:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            else:
                os.unlink(entry.path)
    for folder in reversed(folders):
        os.rmdir(folder)
