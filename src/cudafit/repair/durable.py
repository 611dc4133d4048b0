"""Writing so that a power cut cannot take it back: data first, then the name, then the folder that has the name."""

import ctypes
import os


def write_durably(path: str, data: bytes) -> None:
    """Replace `path` in one step that lasts; raises OSError. The folder is one that only this user can write."""
    new = f"{path}.new"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
        os.replace(new, path)
    except BaseException:
        os.unlink(new)
        raise
    finally:
        os.close(descriptor)
    sync_folder(os.path.dirname(path))


def remove_durably(path: str) -> None:
    os.unlink(path)
    sync_folder(os.path.dirname(path))


def rename_durably(source: str, target: str) -> None:
    os.rename(source, target)
    sync_folder(os.path.dirname(target))
    sync_folder(os.path.dirname(source))


def sync_folder(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file_system(path: str) -> None:
    """Everything written so far on the file system that `path` is on; raises OSError.

    One call in place of an fsync for each of some ten thousand files. Python has no syncfs; where the C library has
    none either, all file systems are synced.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
        if syncfs is None:
            os.sync()
        elif syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), path)
    finally:
        os.close(descriptor)
