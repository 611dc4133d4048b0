"""What a job writes to stderr, read on its way to where it goes.

`relay_child` passes it on in a process of its own and lets us read it. Where stderr is a terminal the job gets a
pseudo-terminal, else a pipe; where stdout is the same file, that goes the same way, so that the order stays.
"""

import contextlib
import os
import socket
import stat
import threading
from collections.abc import Callable, Mapping

from cudafit.process import own_environ, own_python, start_beside
from cudafit.system.posix import message_sockets, posix, terminal_like
from cudafit.watch.relay_child import BLOCK, LOST, TEXT

_CHILD = "cudafit.watch.relay_child"
_LONGEST_S = 10.0  # that the reading of what is there may take after the job's end
_STDOUT, _STDERR = 1, 2


class Relay:
    """Made before the job is started with `outputs`; `read` is called with what it writes, in a thread."""

    def __init__(self, read: Callable[[bytes], None]) -> None:
        """Raises OSError."""
        self.lost = 0  # bytes that came too fast to be read
        self.failed: Exception | None = None  # the reading, not what is passed on
        self._read = read
        self._target: int
        source, self._target = terminal_like(_STDERR) if os.isatty(_STDERR) else posix.pipe()
        try:
            self._socket, theirs = message_sockets()
            with theirs:
                start_beside(own_python("-m", _CHILD), own_environ(os.environ), source, theirs.fileno())
        except BaseException:
            os.close(self._target)
            raise
        finally:
            os.close(source)
        numbers = (_STDOUT, _STDERR) if _is_one_file(_STDOUT, _STDERR) else (_STDERR,)
        self.outputs: Mapping[int, int] = dict.fromkeys(numbers, self._target)
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def started(self) -> None:
        """The job has its end now, and ours would keep it open. Called where the signals are blocked that are meant for
        the job: a thread that did not block them would be given them."""
        os.close(self._target)
        self._thread.start()

    def not_started(self) -> None:
        """There is no job, so nothing will be written."""
        os.close(self._target)
        self._socket.close()

    def end(self) -> None:
        """The job has ended: waits until all that it has written is passed on and read."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        self._thread.join(_LONGEST_S)

    def _listen(self) -> None:
        with self._socket:
            while message := self._socket.recv(BLOCK + 1):
                if message.startswith(LOST):
                    self.lost += int(message[1:])
                    message = TEXT + b"\n"
                if self.failed is None:
                    try:
                        self._read(message[1:])
                    except Exception as bug:
                        self.failed = bug


def _is_one_file(first: int, second: int) -> bool:
    """Both are one terminal, pipe or log; what goes nowhere has no order."""
    try:
        one, other = os.fstat(first), os.fstat(second)
    except OSError:
        return False
    nowhere = stat.S_ISCHR(one.st_mode) and not os.isatty(first)
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino) and not nowhere
