"""The signals that ask cudafit to stop: Ctrl-C, a closed terminal, `timeout`, a job that is cancelled.

Within `stoppable` each of them raises KeyboardInterrupt, so that a change is undone before the process ends; within
`held_off` they wait. Only the main thread gets signals: elsewhere neither does anything.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# A second signal that comes so soon is part of the same wish: a terminal that closes sends one, and its shell another.
_AGAIN_S = 1.0
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")


class Stopped(KeyboardInterrupt):
    """`signal` is the one that came."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.signal = signal.Signals(number)


class _Hearing:
    """What has been heard, and whether it has to wait."""

    def __init__(self) -> None:
        self.held: list[Callable[[], None]] = []
        self.waiting: int | None = None
        self.raised_at = float("-inf")

    def hear(self, number: int, _frame: FrameType | None) -> None:
        if self.held:
            if self.waiting is None:
                self.waiting = number
                self.held[-1]()
            return
        self.stop(number)

    def stop(self, number: int) -> None:
        if time.monotonic() - self.raised_at < _AGAIN_S:
            return
        self.raised_at = time.monotonic()
        raise Stopped(number)


_hearing = _Hearing()


@contextmanager
def stoppable() -> Iterator[None]:
    """The signals raise Stopped inside. One that was ignored before, as by `nohup`, stays ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {}
    try:
        if signal.getsignal(signal.SIGINT) != _hearing.hear:
            _hearing.raised_at = float("-inf")
        for name in _NAMES:
            number = getattr(signal, name, None)
            # None: a handler that was not set by Python.
            if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None, _hearing.hear):
                before[number] = signal.signal(number, _hearing.hear)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held_off(say: Callable[[], None] = lambda: None) -> Iterator[None]:
    """The first signal calls `say` here, and is raised at the end; an error that comes first goes first."""
    with stoppable():
        _hearing.held.append(say)
        heard = None
        try:
            yield
        finally:
            _hearing.held.pop()
            if not _hearing.held:
                heard, _hearing.waiting = _hearing.waiting, None
        if heard is not None:
            _hearing.stop(heard)
