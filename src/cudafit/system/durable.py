"""Writing so that a power cut cannot take it back: data first, then the name, then the folder that has the name."""

import contextlib
import os

from cudafit.system.posix import posix


def write_durably(name: str, data: bytes, folder: int) -> None:
    """Replace the file in one step that lasts; raises OSError. `folder` is the descriptor of one of cudafit's own."""
    new = f"{name}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new, dir_fd=folder)  # never written into: it may be one more name of another file
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | posix.O_NOFOLLOW | posix.O_CLOEXEC
    descriptor = os.open(new, flags, 0o600, dir_fd=folder)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
        os.replace(new, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.unlink(new, dir_fd=folder)
        raise
    finally:
        os.close(descriptor)
    os.fsync(folder)


def remove_durably(name: str, folder: int) -> None:
    os.unlink(name, dir_fd=folder)
    os.fsync(folder)


def rename_durably(source: str, folder: int, target: str, to: int) -> None:
    """From one open folder to another."""
    os.rename(source, target, src_dir_fd=folder, dst_dir_fd=to)
    os.fsync(to)
    os.fsync(folder)


def sync_file_system(folder: int) -> None:
    """Everything written so far on the file system that the open folder is on; raises OSError.

    One call in place of an fsync for each of some ten thousand files. Python has no syncfs; where the C library has
    none either, all file systems are synced.
    """
    import ctypes  # noqa: PLC0415 - only where something was changed

    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        posix.sync()
    elif syncfs(folder) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
