"""Passes on what a job writes, and lets cudafit read it: a program of its own.

What comes in by stdin goes out by stderr, byte by byte, as long as there is a program that may write; so the job's
output does not depend on cudafit, which may be stopped, be killed, or end before a daemon of the job. Stdout is a
socket, over which cudafit gets the same: as fast as it takes it, and else a part less of it. It closes its half when
the job has ended; then it is given the rest, and the socket is closed.
"""

import contextlib
import errno
import os
import signal
from collections import deque
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import Any

from cudafit.system.posix import copy_size, posix, signals

SOURCE, LISTENER, TARGET = 0, 1, 2
BLOCK = 1 << 16
KEPT = 8 << 20  # bytes that wait for cudafit
TEXT, LOST = b"t", b"l"  # how a message begins: what was written, or how many bytes of it are left out
_LAST_S = 0.05  # so long may a terminal take to hand on the last bytes of a job


class Relay:
    """Between the three descriptors."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._held = 0
        self._lost = 0
        self._listens = True

    def run(self) -> None:
        with DefaultSelector() as ready:
            ready.register(SOURCE, EVENT_READ)
            ready.register(LISTENER, EVENT_READ)
            while self._listens:
                ready.modify(LISTENER, EVENT_READ | (EVENT_WRITE if self._waiting else 0))
                found = {key.fd: events for key, events in ready.select()}
                if SOURCE in found and not self._pass_on():
                    break
                if found.get(LISTENER, 0) & EVENT_READ:  # the job has ended, or cudafit is gone
                    ready.unregister(LISTENER)
                    while ready.select(_LAST_S) and self._pass_on():
                        pass
                    break
                if LISTENER in found:
                    self._tell()
        self._tell_the_rest()
        while self._pass_on():
            pass

    def _pass_on(self) -> bool:
        """What there is, to where it was meant to go; whether there may be more."""
        try:
            block = os.read(SOURCE, BLOCK)
        except OSError as error:
            if error.errno == errno.EIO:  # nobody has the pseudo-terminal open any more
                return False
            raise
        if self._listens and block:
            self._keep(block)
        return bool(block) and _written(block)

    def _keep(self, block: bytes) -> None:
        self._waiting.append(block)
        self._held += len(block)
        while self._held > KEPT:
            gone = len(self._waiting.popleft())
            self._held -= gone
            self._lost += gone

    def _tell(self) -> None:
        while self._waiting:
            message = LOST + str(self._lost).encode() if self._lost else TEXT + self._waiting[0]
            try:
                os.write(LISTENER, message)
            except BlockingIOError:
                return
            except OSError:  # cudafit is gone
                self._waiting.clear()
                return
            if self._lost:
                self._lost = 0
            else:
                self._held -= len(self._waiting.popleft())

    def _tell_the_rest(self) -> None:
        posix.set_blocking(LISTENER, True)
        self._tell()
        os.close(LISTENER)
        self._listens = False


def _written(block: bytes) -> bool:
    """Whether all of it could be written; where it cannot, the job is to hear of it as it would without us."""
    left = memoryview(block)
    while left:
        try:
            left = left[os.write(TARGET, left) :]
        except BlockingIOError:  # others may have made it so
            with DefaultSelector() as ready:
                ready.register(TARGET, EVENT_WRITE)
                ready.select()
        except OSError:
            return False
    return True


def take_size(*_of_a_signal: Any) -> None:
    """The pseudo-terminal gets the size of the terminal."""
    with contextlib.suppress(OSError):
        copy_size(TARGET, SOURCE)


def main() -> None:
    if os.isatty(SOURCE):
        signal.signal(signals.SIGWINCH, take_size)
        take_size()
    posix.set_blocking(LISTENER, False)
    Relay().run()


if __name__ == "__main__":
    main()
