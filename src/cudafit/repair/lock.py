"""One cudafit at a time works on an environment; the next one waits, and says for whom.

The lock is the kernel's (flock): it ends with the last process that has the file open, however that process ends. A
program that changes the environment is given the open file too (`Lock.descriptor`), so that a killed cudafit whose
installer still writes is not taken for gone.
"""

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cudafit.errors import CudafitError
from cudafit.model.frozen import frozen
from cudafit.model.record import RecordError, from_plain, to_plain
from cudafit.repair.durable import sync_folder
from cudafit.repair.state import State, furnish, prepare
from cudafit.repair.trouble import change_trouble

_LIMIT = 1 << 14
_POLL_S = 0.1


@frozen
class Holder:
    """Who has the lock, by its own words."""

    pid: int
    host: str
    command: str
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} (`{self.command}`, since {self.since})"

    @property
    def ended(self) -> bool:
        """The process is known to be gone; then a program that it started has the lock."""
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return False


@frozen
class Lock:
    """Held. `waited`: another had it first, so what was read of the environment before may no longer be so."""

    descriptor: int
    waited: bool


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def this_process() -> Holder:
    command = " ".join([os.path.basename(sys.argv[0] or "python"), *sys.argv[1:]])
    return Holder(os.getpid(), socket.gethostname(), command[:400], now())


@contextmanager
def locked(state: State, wait_s: float, say: Callable[[str], None]) -> Iterator[Lock]:
    """Hold the lock, with the folder beside the environment made and furnished; raises CudafitError."""
    deadline = time.monotonic() + wait_s
    waited = False
    while True:
        prepare(state)
        descriptor = _open(state)
        try:
            while not _take(state, descriptor):
                if not waited:
                    waited = True
                    say(f"`{state.env}` is being changed by {_whom(descriptor)}: waiting for it to end")
                if time.monotonic() >= deadline:
                    raise _too_long(state, descriptor, wait_s)
                time.sleep(_POLL_S)
            if not _is_still(descriptor, state.lock):
                continue  # the one before us removed the folder, or another has made a new one
            try:
                _sign(descriptor)
                furnish(state)
                sync_folder(state.folder)
            except OSError as error:
                raise change_trouble(f"`{state.env}` cannot be changed safely", error, state.folder) from error
            yield Lock(descriptor, waited)
            return
        finally:
            os.close(descriptor)


def holder(state: State) -> Holder | None:
    """Who works on the environment now; None where nobody does. Changes nothing."""
    import fcntl  # noqa: PLC0415 - POSIX alone has it

    try:
        descriptor = os.open(state.lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(descriptor) or Holder(0, "unknown", "unknown", "unknown")
    finally:
        os.close(descriptor)
    return None


def _open(state: State) -> int:
    try:
        return os.open(state.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise change_trouble(f"the lock of `{state.env}` cannot be opened", error, state.folder) from error


def _take(state: State, descriptor: int) -> bool:
    import fcntl  # noqa: PLC0415 - POSIX alone has it

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise change_trouble("no change is safe on a file system without locks", error, state.folder) from error
    return True


def _is_still(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path, follow_symlinks=False))
    except OSError:
        return False


def _sign(descriptor: int) -> None:
    text = json.dumps(to_plain(this_process())).encode()
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text, 0)


def _read(descriptor: int) -> Holder | None:
    try:
        return from_plain(Holder, json.loads(os.pread(descriptor, _LIMIT, 0)))
    except (OSError, ValueError, RecordError):
        return None


def _whom(descriptor: int) -> str:
    found = _read(descriptor)
    if found is None:
        return "another cudafit"
    return f"a program that was started by {found}, which itself has ended" if found.ended else str(found)


def _too_long(state: State, descriptor: int, wait_s: float) -> CudafitError:
    return CudafitError(
        f"`{state.env}` is being changed by another cudafit",
        cause=[f"by {_whom(descriptor)}", f"it was waited for {wait_s:.0f} s"],
        hint="wait for it, or end it; then run the same again",
    )
