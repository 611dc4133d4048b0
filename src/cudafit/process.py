"""The only place that starts another program.

Every program is an argument list (no shell), has its input closed, and a limit after which it is killed; one that
cannot be killed, as a process stuck in a driver call cannot, is left behind rather than waited for.
"""

import contextlib
import math
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

from cudafit.model.frozen import frozen
from cudafit.system.interrupts import held_off
from cudafit.system.posix import posix, signals
from cudafit.system.python310 import safe_words

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

_REAP_S = 0.5
_NOT_FOR_HELPERS = ("PYTHONSTARTUP", "PYTHONINSPECT")
_SEARCHED = {"PYTHONPATH", "LD_LIBRARY_PATH"}  # an empty entry means the current folder, in both

# The folders of a copy of cudafit that goes on where the environment that it ran in changes (`app/itself`).
COPY = "CUDAFIT_COPY"

# The processes that cudafit itself has started: none of them is part of a job that it watches.
STARTED: set[int] = set()


def which(program: str, path: str) -> str | None:
    """Where PATH has the program. A relative entry of PATH is passed over: what lies in a folder that is looked at is
    not to be run. (The standard library's own takes longer to load than the drivers to ask.)"""
    if os.name == "nt":
        import shutil  # noqa: PLC0415 - it knows PATHEXT

        return shutil.which(program, path=path)
    places = (os.path.join(folder, program) for folder in path.split(os.pathsep) if os.path.isabs(folder))
    return next((place for place in places if os.access(place, os.X_OK) and os.path.isfile(place)), None)


def context_of_workers() -> "BaseContext | None":
    """How a pool's workers begin: forked where nothing else runs in this process. From 3.14 on Python starts a server
    in place of that, which imports everything anew and stays until the program ends."""
    if sys.platform == "linux" and threading.active_count() == 1:
        from multiprocessing import get_context  # noqa: PLC0415 - for many files alone

        return get_context("fork")
    return None


def uv_program() -> str:
    """Raises ModuleNotFoundError where there is none, as in `cudafit.pyz` on a machine without uv."""
    try:
        from uv import find_uv_bin  # noqa: PLC0415 - for locks alone
    except ModuleNotFoundError:
        if found := which("uv", os.environ.get("PATH", "")):
            return found
        raise
    return str(find_uv_bin())


def own_python(*words: str) -> list[str]:
    """The command of a helper of cudafit's own, for this Python: neither the current folder nor the one that the helper
    lies in is searched for modules. Raises OSError where this Python's place is not known."""
    if not sys.executable:
        raise OSError("the place of the Python that runs cudafit is not known")
    return [sys.executable, *safe_words(words)]


def own_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables for such a helper: as they are, but that no code is looked for where the current folder decides."""
    kept = {name: value for name, value in environ.items() if name not in _NOT_FOR_HELPERS}
    if copy := os.environ.get(COPY):
        kept["PYTHONPATH"] = os.pathsep.join([copy, *filter(None, [kept.get("PYTHONPATH")])])
    for name in _SEARCHED.intersection(kept):
        folders = [folder for folder in kept.pop(name).split(os.pathsep) if os.path.isabs(folder)]
        kept |= {name: os.pathsep.join(folders)} if folders else {}
    return kept


def become(command: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """The program goes on in place of this one: with its terminal, its signals and its exit code. Raises OSError."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.execve(command[0], list(command), dict(environ))  # noqa: S606 - an argument list, as everywhere here


@frozen
class Finished:
    """How a program ended: `returncode` is None when it was cut off."""

    returncode: int | None
    stdout: str
    stderr: str

    @property
    def cut_off(self) -> bool:
        return self.returncode is None


def run(
    command: Sequence[str],
    *,
    timeout_s: float | None,
    environ: Mapping[str, str] | None = None,
    shown: bool = False,
    keep_open: Sequence[int] = (),
) -> Finished:
    """Run a program to its end; raises OSError when it cannot be started.

    `shown`: its stderr goes where ours goes, as for progress that it draws itself. It gets the file descriptors
    `keep_open` besides the usual three: a lock stays held while it runs, also when its starter is killed.
    """
    child = _start(command, environ, stderr=None if shown else subprocess.PIPE, keep_open=keep_open)
    try:
        stdout, stderr = child.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        return Finished(None, "", "")
    finally:
        _abandon(child)
        for pipe in (child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()
    return Finished(child.returncode, stdout, stderr or "")


class Talk:
    """A program that reports line by line, watched for silence rather than for its total time."""

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str] | None = None,
        keep_open: Sequence[int] = (),
        *,
        group: bool = False,
    ) -> None:
        """Start it; raises OSError. It works while its starter does something else.

        `group`: with what it starts itself it is a group of its own, and is killed with all of that.
        """
        self._group = group and hasattr(os, "killpg")
        self._child = _start(
            command, environ, stderr=subprocess.STDOUT, keep_open=keep_open, start_new_session=self._group
        )
        self.pid = self._child.pid
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.silent = False
        self.ended = False
        self.returncode: int | None = None

    def arrived(self) -> list[str]:
        """The lines that have come since, without waiting; `ended` is set when there will be no more of them."""
        found = []
        with contextlib.suppress(queue.Empty):
            while (line := self._lines.get_nowait()) is not None:
                found.append(line)
            self.ended = True
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.returncode = self._child.wait(timeout=_REAP_S)
        return found

    def stop(self) -> None:
        """Kill it, if it still runs."""
        _abandon(self._child)
        self._reader.join(_REAP_S)

    def lines(self, silence_s: float, total_s: float = math.inf) -> Iterator[str]:
        """Its lines, until it ends, says nothing for `silence_s` or still runs after `total_s` from now; then
        `silent` or `returncode` tells which."""
        end = time.monotonic() + total_s
        try:
            while True:
                try:
                    if (left := min(silence_s, end - time.monotonic())) <= 0:
                        raise queue.Empty
                    line = self._lines.get(timeout=left)
                except queue.Empty:
                    self.silent = True
                    return
                if line is None:
                    break
                yield line
            try:
                self.returncode = self._child.wait(timeout=silence_s)
            except subprocess.TimeoutExpired:
                self.silent = True  # it closed its output, and goes on
        finally:
            if self._group:
                # Also after its own end: what it started may go on, and hold the GPU.
                with contextlib.suppress(OSError):
                    posix.killpg(self.pid, signals.SIGKILL)
            _abandon(self._child)
            self._reader.join(_REAP_S)

    def _read(self) -> None:
        assert self._child.stdout is not None  # noqa: S101 - narrows the type; a pipe was asked for
        with self._child.stdout as stdout, contextlib.suppress(ValueError, OSError):
            for line in stdout:
                self._lines.put(line)
        self._lines.put(None)


def start_as_is(
    command: Sequence[str],
    environ: Mapping[str, str],
    unblocked: Iterable[int],
    outputs: Mapping[int, int] | None = None,
) -> int:
    """Start what a user wants to run, as a shell would: with our input and output, in our process group.

    `unblocked` are the signals that it must not find blocked, though we block them. `outputs` are those of its three
    descriptors that go elsewhere than ours. Returns its process; raises OSError when it cannot be started.
    """
    mask = signals.pthread_sigmask(signals.SIG_BLOCK, ()) - set(unblocked)
    # Python ignores these two for itself; no program is used to that.
    pid: int = posix.posix_spawnp(
        command[0],
        list(command),
        dict(environ),
        setsigmask=mask,
        setsigdef=(signals.SIGPIPE, signals.SIGXFSZ),
        file_actions=[(posix.POSIX_SPAWN_DUP2, theirs, number) for number, theirs in (outputs or {}).items()],
    )
    return pid


def start_beside(command: Sequence[str], environ: Mapping[str, str], stdin: int, stdout: int) -> None:
    """Start a helper that goes on whatever becomes of us, until it has nothing more to do; nobody waits for it.

    Its stderr is ours. What is sent to all programs of a terminal is not meant for it. Raises OSError.
    """
    deaf = {signals.SIGINT, signals.SIGQUIT, signals.SIGHUP, signals.SIGTERM, signals.SIGUSR1, signals.SIGUSR2}
    pid = posix.posix_spawn(
        command[0],
        list(command),
        dict(environ),
        setsigmask=signals.pthread_sigmask(signals.SIG_BLOCK, ()) | deaf,
        file_actions=[(posix.POSIX_SPAWN_DUP2, stdin, 0), (posix.POSIX_SPAWN_DUP2, stdout, 1)],
    )
    STARTED.add(pid)


def _start(
    command: Sequence[str],
    environ: Mapping[str, str] | None,
    *,
    stderr: int | None,
    keep_open: Sequence[int],
    start_new_session: bool = False,
) -> "subprocess.Popen[str]":
    child: subprocess.Popen[str] | None = None
    try:
        with held_off():  # a signal in between would leave a child that nobody knows
            child = subprocess.Popen(  # noqa: S603 - an argument list, never a shell string
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=None if environ is None else dict(environ),
                pass_fds=keep_open if sys.platform != "win32" else (),  # Windows hands none on
                start_new_session=start_new_session,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
            STARTED.add(child.pid)
    except BaseException:
        if child is not None:
            _abandon(child)
        raise
    return child


def _abandon(child: "subprocess.Popen[str]") -> None:
    """Kill it if it still runs, and wait a moment for it, no longer."""
    if child.poll() is None:
        child.kill()
        deadline = time.monotonic() + _REAP_S
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
    if child.returncode is not None:
        STARTED.discard(child.pid)  # the number may become that of any other process
