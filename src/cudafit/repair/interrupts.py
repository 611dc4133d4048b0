"""Holding off Ctrl-C while trees are put in place: a moment later it is heard as ever."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def held_off(say: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C calls `say` here, and is raised as KeyboardInterrupt at the end; an error that comes first goes first.

    Only the main thread gets signals; elsewhere this does nothing.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is None:
        yield
        return
    heard = False

    def note(_number: int, _frame: object) -> None:
        nonlocal heard
        if not heard:
            heard = True
            say()

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if heard:
        raise KeyboardInterrupt
