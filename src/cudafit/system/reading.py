"""Reading files that others may have prepared: the one way in.

What lies in a folder may be a pipe that nobody writes to, a device without an end, a link to one, or a file of
terabytes. So a file that is *found* must be a regular one, is opened without waiting, and is read whole within a limit
or not at all; `head` is for where its beginning is all that counts. A file that a person *names* may be a pipe too:
`<(ssh host cudafit inspect --json)` is one, and so is /dev/stdin.

Whatever keeps a file from being read is an OSError whose `strerror` ends a sentence that begins with the file's name.
"""

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)
_BLOCK = 1 << 20
_LONGEST_PATH = 4096
SILENCE_S = 30.0  # how long a pipe with a writer may say nothing
_NO_WRITER_S = 1.0  # how long one without may wait for its first


def read_bytes(path: str, limit: int) -> bytes:
    """All of a regular file; raises OSError, also for one that is larger than the limit."""
    descriptor, size = _open_regular(path)
    try:
        return _whole(descriptor, size, path, limit)
    finally:
        os.close(descriptor)


def read_text(path: str, limit: int, *, errors: str = "strict") -> str:
    """The same as UTF-8 text, with line ends as Python has them and no byte order mark; raises OSError, also for what
    is none."""
    return as_text(read_bytes(path, limit), path, errors=errors)


def read_untouched(path: str, limit: int) -> str:
    """The same with its own line ends and its byte order mark, for a file that is changed in place."""
    try:
        return read_bytes(path, limit).decode("utf-8")
    except UnicodeDecodeError:
        raise _not_utf8(path) from None


def head(path: str, limit: int) -> bytes:
    """The first bytes of a regular file, `limit` at most; raises OSError."""
    with opened(path) as descriptor:
        return b"".join(_chunks(descriptor, limit))


def tail(path: str, limit: int) -> bytes:
    """The last bytes of a regular file; raises OSError."""
    with opened(path) as descriptor:
        size = os.fstat(descriptor).st_size
        os.lseek(descriptor, max(0, size - limit), os.SEEK_SET)
        return b"".join(_chunks(descriptor, limit))


def blocks(path: str) -> Iterator[bytes]:
    """A regular file of any size, piece by piece; raises OSError."""
    with opened(path) as descriptor:
        while block := os.read(descriptor, _BLOCK):
            yield block


def named_blocks(path: str) -> Iterator[bytes]:
    """The same of a file that a person named, which may be a pipe; raises OSError."""
    if not stat.S_ISFIFO(_status(path).st_mode):
        yield from blocks(path)
        return
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            yield block


def standard_blocks() -> Iterator[bytes]:
    """What is given on stdin, piece by piece; raises OSError."""
    if sys.stdin is None:
        raise OSError(errno.EBADF, "it is closed", "stdin")
    descriptor = sys.stdin.fileno()
    while block := os.read(descriptor, _BLOCK):
        yield block


def read_named(path: str, limit: int) -> bytes:
    """All of a file that a person named: a regular one, or a pipe that somebody writes to. Raises OSError."""
    if not stat.S_ISFIFO(_status(path).st_mode):
        return read_bytes(path, limit)
    descriptor = os.open(path, _FLAGS)
    try:
        return _from_pipe(descriptor, path, limit) if _is_pipe(descriptor) else whole(descriptor, path, limit)
    finally:
        os.close(descriptor)


def read_named_text(path: str, limit: int, *, errors: str = "strict") -> str:
    """The same as UTF-8 text; raises OSError."""
    return as_text(read_named(path, limit), path, errors=errors)


def standard_input(limit: int) -> bytes:
    """What is given on stdin, for as long as it takes: a person may type it. Raises OSError."""
    if sys.stdin is None:
        raise OSError(errno.EBADF, "it is closed", "stdin")
    data = sys.stdin.buffer.read(limit + 1)
    if len(data) > limit:
        raise _too_large("stdin", limit)
    return data


@contextmanager
def opened(path: str) -> Iterator[int]:
    """The descriptor of a regular file; raises OSError."""
    descriptor = open_regular(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_regular(path: str) -> int:
    """A descriptor that no program inherits. Raises OSError for what is not a regular file, which stays unopened:
    opening alone makes some devices act."""
    return _open_regular(path)[0]


def _open_regular(path: str) -> tuple[int, int]:
    """And its size."""
    _check(_status(path).st_mode, path)
    descriptor = os.open(path, _FLAGS)
    try:
        status = os.fstat(descriptor)
        _check(status.st_mode, path)  # it may have been exchanged meanwhile
    except OSError:
        os.close(descriptor)
        raise
    return descriptor, status.st_size


def whole(descriptor: int, path: str, limit: int) -> bytes:
    """All that an open file holds; raises OSError for more than the limit, at once where its size tells."""
    return _whole(descriptor, os.fstat(descriptor).st_size, path, limit)


def _whole(descriptor: int, size: int, path: str, limit: int) -> bytes:
    if size > limit:
        raise _too_large(path, limit)
    # Room for a byte more than there are: to make more, and give it back, costs more than to read a small file.
    data = os.read(descriptor, size + 1)
    if not size or len(data) != size:  # files of /proc have no size, and others may grow
        data += b"".join(_chunks(descriptor, limit + 1 - len(data)))
    if len(data) > limit:
        raise _too_large(path, limit)
    return data


def as_text(data: bytes, path: str, *, errors: str = "strict") -> str:
    """Raises OSError for what is not UTF-8, where `errors` is strict."""
    try:
        text = data.decode("utf-8", errors).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise _not_utf8(path) from None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def is_possible(path: str) -> bool:
    """Whether a file can have this name. Names come out of files too, and the functions of `os` answer a NUL, and
    what no name can be encoded from, with a ValueError; one of thousands of folders they walk for long."""
    if "\0" in path or len(path) > _LONGEST_PATH:
        return False
    if path.isascii():
        return True
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True


def _status(path: str) -> os.stat_result:
    """What the path leads to; raises OSError."""
    if not is_possible(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    return os.stat(path)


def _check(mode: int, path: str) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", path)
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is not a regular file", path)


def _chunks(descriptor: int, limit: int) -> Iterator[bytes]:
    while limit > 0 and (chunk := os.read(descriptor, min(limit, _BLOCK))):
        yield chunk
        limit -= len(chunk)


def _is_pipe(descriptor: int) -> bool:
    return stat.S_ISFIFO(os.fstat(descriptor).st_mode)


def _from_pipe(descriptor: int, path: str, limit: int) -> bytes:
    """Until its last writer is gone, one that says nothing for long, or the limit."""
    from select import select  # noqa: PLC0415 - for pipes alone
    from time import monotonic, sleep  # noqa: PLC0415

    chunks: list[bytes] = []
    size, began = 0, monotonic()
    since = began
    while size <= limit:
        try:
            chunk = os.read(descriptor, min(limit + 1 - size, _BLOCK))
        except BlockingIOError:  # there is a writer, and it has said nothing yet
            if (left := since + SILENCE_S - monotonic()) <= 0:
                raise TimeoutError(errno.ETIMEDOUT, f"its writer said nothing for {SILENCE_S:g} s", path) from None
            select([descriptor], [], [], left)
            continue
        if chunk:
            chunks.append(chunk)
            size, since = size + len(chunk), monotonic()
        elif chunks:
            return b"".join(chunks)
        elif monotonic() > began + _NO_WRITER_S:
            raise OSError(errno.EPIPE, "nothing comes out of this pipe", path)
        else:
            sleep(0.01)
    raise _too_large(path, limit)


def _not_utf8(path: str) -> OSError:
    return OSError(errno.EILSEQ, "it is not UTF-8 text", path)


def _too_large(path: str, limit: int) -> OSError:
    size = f"{limit >> 20} MiB" if limit >= 1 << 20 else f"{limit >> 10} KiB" if limit >= 1 << 10 else f"{limit} bytes"
    return OSError(errno.EFBIG, f"it is larger than {size}", path)
