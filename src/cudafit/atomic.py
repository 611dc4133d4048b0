"""Writing a file whole or not at all."""

import contextlib
import errno
import os
import stat
import tempfile
import time

_READER_S = 5.0


def write_text(path: str, text: str) -> None:
    """Replace what `path` leads to in one step; a link stays. Raises OSError."""
    if os.path.exists(path) and not os.path.isfile(path):
        # A pipe or a device, as /dev/stdout may lead to one without a name; a folder is refused here.
        with open(path, "w", encoding="utf-8", opener=_opened) as file:
            file.write(text)
        return
    path = os.path.realpath(path)
    descriptor, temporary = tempfile.mkstemp(prefix=".cudafit-", dir=os.path.dirname(path))
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
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
            descriptor = os.open(path, flags | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > deadline:
                raise OSError(errno.ENXIO, "nobody reads this pipe", path) from None
            time.sleep(0.05)
            continue
        os.set_blocking(descriptor, True)
        return descriptor


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
