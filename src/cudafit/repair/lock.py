"""One cudafit at a time works on an environment; the next one waits, and says for whom.

The lock is the kernel's (flock): it ends with the last process that has the file open, however that process ends. A
program that changes the environment is given the open file too (`Lock.descriptor`), so that a killed cudafit whose
installer still writes is not taken for gone.
"""

import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from cudafit.errors import CudafitError
from cudafit.model.frozen import frozen
from cudafit.model.record import RecordError, from_plain, to_plain
from cudafit.repair.state import Held, State, furnished, open_parent, prepare
from cudafit.repair.trouble import change_trouble, is_full
from cudafit.system.commands import command_text, joined
from cudafit.system.posix import lock_file, posix
from cudafit.system.secrets import redacted, redacted_words

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
        if self.host != posix.uname().nodename:
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except (OSError, OverflowError):
            return False
        return False


@frozen
class Lock:
    """`held` are the folders, open. `waited`: another had it first, so what was read of the environment before may no
    longer be so."""

    descriptor: int
    waited: bool
    held: Held


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def this_process() -> Holder:
    command = joined(redacted_words([os.path.basename(sys.argv[0] or "python"), *sys.argv[1:]]))
    return Holder(os.getpid(), posix.uname().nodename, command[:400], now())


@contextmanager
def locked(state: State, wait_s: float, say: Callable[[str], None]) -> Iterator[Lock]:
    """Hold the lock, with the folder beside the environment made and furnished; raises CudafitError."""
    with ExitStack() as folders:
        parent = open_parent(state)
        folders.callback(os.close, parent)
        yield from _locked(state, parent, _Waiting(state, wait_s, say))


def _locked(state: State, parent: int, waiting: "_Waiting") -> Iterator[Lock]:
    while True:
        with ExitStack() as opened:
            folder = prepare(state, parent)
            opened.callback(os.close, folder)
            descriptor = _open(state, folder)
            opened.callback(os.close, descriptor)
            waiting.until_taken(descriptor)
            there = _is_still(folder, os.path.basename(state.folder), parent)
            if not (there and _is_still(descriptor, "lock", folder)):
                continue  # the one before us removed the folder, or another has made a new one
            try:
                _sign(descriptor)
                held = opened.enter_context(furnished(state, parent, folder))
            except OSError as error:
                raise change_trouble(f"`{state.env}` cannot be changed safely", error, state.folder) from error
            yield Lock(descriptor, waiting.waited, held)
            return


class _Waiting:
    """For the one that has the lock, told once, and not longer than it was said."""

    def __init__(self, state: State, wait_s: float, say: Callable[[str], None]) -> None:
        self._state, self._wait_s, self._say = state, wait_s, say
        self._deadline = time.monotonic() + wait_s
        self.waited = False

    def until_taken(self, descriptor: int) -> None:
        while not _take(self._state, descriptor):
            if not self.waited:
                self.waited = True
                self._say(f"`{self._state.env}` is being changed by {_whom(descriptor)}: waiting for it to end")
            if time.monotonic() >= self._deadline:
                raise _too_long(self._state, descriptor, self._wait_s)
            time.sleep(_POLL_S)


def holder(state: State) -> Holder | None:
    """Who works on the environment now; None where nobody does. Changes nothing."""
    try:
        descriptor = os.open(state.lock, os.O_RDONLY | posix.O_NOFOLLOW | posix.O_NONBLOCK | posix.O_CLOEXEC)
    except OSError:
        return None
    try:
        lock_file(descriptor, shared=True)
    except BlockingIOError:
        return _read(descriptor) or Holder(0, "unknown", "unknown", "unknown")
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None


def _open(state: State, folder: int) -> int:
    flags = os.O_RDWR | os.O_CREAT | posix.O_NOFOLLOW | posix.O_NONBLOCK | posix.O_CLOEXEC
    try:
        descriptor = os.open("lock", flags, 0o600, dir_fd=folder)
    except OSError as error:
        raise change_trouble(f"the lock of `{state.env}` cannot be opened", error, state.folder) from error
    found = os.fstat(descriptor)
    # It is written into. A file with another name elsewhere would be written into there.
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1 or found.st_uid != posix.geteuid():
        os.close(descriptor)
        raise CudafitError(
            f"`{state.lock}` is no lock that cudafit has made",
            cause=["it is not a plain file of this user that has this one name"],
            hint=f"look at what it is, and move it away: {command_text('mv', state.lock, f'{state.lock}.other')}",
        )
    return descriptor


def _take(state: State, descriptor: int) -> bool:
    try:
        lock_file(descriptor, shared=False)
    except BlockingIOError:
        return False
    except OSError as error:
        raise change_trouble("no change is safe on a file system without locks", error, state.folder) from error
    return True


def _is_still(descriptor: int, name: str, at: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(name, dir_fd=at, follow_symlinks=False))
    except OSError:
        return False


def _sign(descriptor: int) -> None:
    """Who has it, for those who wait. On a full disk they are not told; it is held all the same."""
    text = json.dumps(to_plain(this_process())).encode()
    try:
        os.ftruncate(descriptor, 0)
        posix.pwrite(descriptor, text, 0)
    except OSError as error:
        if not is_full(error):
            raise


def _read(descriptor: int) -> Holder | None:
    try:
        found = from_plain(Holder, json.loads(posix.pread(descriptor, _LIMIT, 0)))
        return replace(found, command=redacted(found.command))
    except (OSError, ValueError, RecordError, RecursionError):
        return None


def _whom(descriptor: int) -> str:
    found = _read(descriptor)
    if found is None:
        return "another cudafit"
    return f"a program that was started by {found}, which itself has ended" if found.ended else str(found)


def _too_long(state: State, descriptor: int, wait_s: float) -> CudafitError:
    return CudafitError(
        f"`{state.env}` is being changed by another cudafit",
        cause=[f"by {_whom(descriptor)}", f"cudafit waited {wait_s:.0f} s for it"],
        hint="wait for it, or end it; then run the same again",
    )
