"""Writing a file whole or not at all."""

import contextlib
import errno
import os
import stat
import tempfile
import time

from cudafit.system.posix import posix

_READER_S = 5.0

# A name of a file that is no UTF-8 may stand in what is written; it is spelled out, since the text is UTF-8.
_SPELLED = "backslashreplace"


def write_text(path: str, text: str) -> None:
    """Replace what `path` leads to in one step; a link stays. Raises OSError."""
    if os.path.exists(path) and not os.path.isfile(path):
        # A pipe or a device, as /dev/stdout may lead to one without a name; a folder is refused here.
        with open(path, "w", encoding="utf-8", errors=_SPELLED, opener=_opened) as file:
            file.write(text)
        return
    path = os.path.realpath(path)
    descriptor, temporary = tempfile.mkstemp(prefix=".cudafit-", dir=os.path.dirname(path))
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors=_SPELLED) as file:
            file.write(text)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def write_bytes(path: str, data: bytes) -> None:
    """The same for bytes, in a file that is there: it keeps its rights. Raises OSError."""
    path = os.path.realpath(path)
    mode = os.stat(path).st_mode & 0o7777
    descriptor, temporary = tempfile.mkstemp(prefix=".cudafit-", dir=os.path.dirname(path))
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _opened(path: str, flags: int) -> int:
    """A pipe with a name is waited for a while, not for ever, until somebody reads it."""
    if not stat.S_ISFIFO(os.stat(path).st_mode):
        return os.open(path, flags)
    deadline = time.monotonic() + _READER_S
    while True:
        try:
            descriptor = os.open(path, flags | posix.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > deadline:
                raise OSError(errno.ENXIO, "nobody reads this pipe", path) from None
            time.sleep(0.05)
            continue
        posix.set_blocking(descriptor, True)
        return descriptor


def append_text(path: str, text: str) -> None:
    """Adds to a file of a user's; a link is followed. Raises OSError, also for a pipe or a device, without waiting."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags, 0o666)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", path)
        file.write(text)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
