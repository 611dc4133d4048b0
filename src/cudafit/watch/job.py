"""A job that is started as it is, or one that runs already: watched until it ends.

The job has our input, output and process group, so that a terminal treats it as if it had been started directly. What
the terminal sends (Ctrl-C) reaches it by itself; what somebody sends to us is passed on.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cudafit.machine.processes import read_process
from cudafit.model.frozen import frozen
from cudafit.process import start_as_is
from cudafit.system.posix import no_core_file, posix, signals, sigtimedwait, struct_siginfo

if TYPE_CHECKING:
    from cudafit.watch.observe import Observer

REPORT = signals.SIGUSR1
_PASSED_ON = (signal.SIGTERM, signals.SIGHUP, signal.SIGINT, signals.SIGQUIT, signals.SIGUSR2)
_SI_KERNEL = 0x80  # asm-generic/siginfo.h: sent by the kernel, as the terminal's keys are
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_GRACE_S = 10.0
_TWICE_S = 0.5
_OUTLAST_S = 0.5


@frozen
class Ending:
    """How a job ended: `code` as a shell tells it; None for one that was not ours to start."""

    code: int | None
    signal: str | None = None
    by_terminal: bool = False  # the key that ended it was meant for us, too
    cpu_seconds: float | None = None
    ended_by: str | None = None  # cudafit ended it, and why


@frozen
class Wishes:
    """What happens while the job runs."""

    report: Callable[[], None]  # on SIGUSR1, and every so often
    every_s: float | None = None
    require_s: float | None = None
    used: Callable[[], bool | None] = lambda: None  # whether it has used the GPU up to now
    on_look: Callable[[float], None] = lambda _elapsed: None
    failed: Callable[[Exception], None] = lambda _error: None  # the watch broke; the job goes on


class UnwatchedError(Exception):
    """The job ran, and could not be watched: how it ended, and why."""

    def __init__(self, ending: Ending, bug: Exception) -> None:
        super().__init__(str(bug))
        self.ending = ending
        self.bug = bug


class Job:
    """Started by `start` or `attach`; `watch` returns when it has ended."""

    def __init__(self, pid: int, observer: "Observer", before: "set[signal.Signals]", *, ours: bool) -> None:
        self.pid = pid
        self.observer = observer
        self._ours = ours
        self._before = before
        self._last_sent: tuple[int, int, float] | None = None
        self._terminal: set[int] = set()

    @classmethod
    def start(
        cls, command: Sequence[str], environ: Mapping[str, str], outputs: Mapping[int, int] | None = None
    ) -> "Job":
        """`outputs` that go elsewhere than ours. Raises OSError where the command cannot be started, UnwatchedError
        after a job that could not be watched."""
        _adopt_orphans()
        before = _block()
        try:
            pid = start_as_is(command, environ, set(_signals()) - before, outputs)
        except OSError:
            signals.pthread_sigmask(signals.SIG_SETMASK, before)
            raise
        from cudafit.watch.observe import Observer  # noqa: PLC0415 - the job need not wait for it

        try:
            observer = Observer(pid, environ, command=command, adopts=True)
        except Exception as bug:
            ending = _waited_for(pid)
            signals.pthread_sigmask(signals.SIG_SETMASK, before)
            raise UnwatchedError(ending, bug) from bug
        return cls(pid, observer, before, ours=True)

    @classmethod
    def attach(cls, pid: int, environ: Mapping[str, str]) -> "Job":
        from cudafit.watch.observe import Observer  # noqa: PLC0415

        before = _block()
        return cls(pid, Observer(pid, environ), before, ours=False)

    def watch(self, wishes: Wishes) -> Ending:
        """Looks until the job ends. A job that is attached is let go by Ctrl-C and SIGTERM."""
        try:
            try:
                ending = self._watch(wishes)
            except Exception as bug:
                wishes.failed(bug)
                ending = self._outlast()
            # What came in the job's last moment was meant for the job, and must not end the report.
            while got := sigtimedwait(_signals(), 0):
                self._signalled(got, wishes)
        finally:
            signals.pthread_sigmask(signals.SIG_SETMASK, self._before)
        if ending.signal and getattr(signal, ending.signal, None) in self._terminal:
            return replace(ending, by_terminal=True)
        return ending

    def _watch(self, wishes: Wishes) -> Ending:
        began = self.observer.began
        next_look, next_report = began, began + (wishes.every_s or 0.0)
        waiting = wishes.require_s
        while True:
            if ending := self._ended():
                return ending
            now = time.monotonic()
            if now >= next_look:
                self.observer.look()
                self._reap_orphans()
                wishes.on_look(now - began)
                next_look = time.monotonic() + self.observer.pause
            if wishes.every_s and now >= next_report:
                wishes.report()
                next_report = max(next_report + wishes.every_s, now)
            if waiting is not None and now - began >= waiting:
                waiting = None
                if wishes.used() is False:
                    return self._end(f"no CUDA context after {wishes.require_s:g} s (--require-gpu)")
            ends = [next_look, *([next_report] if wishes.every_s else [])]
            if waiting is not None:
                ends.append(began + waiting)
            got = sigtimedwait(_signals(), max(0.0, min(ends) - time.monotonic()))
            if got is not None and (ending := self._signalled(got, wishes)):
                return ending

    def _outlast(self) -> Ending:
        """Only the end is awaited, as nothing else works any more."""
        nothing = Wishes(lambda: None)
        while not (ending := self._ended()):
            got = sigtimedwait(_signals(), _OUTLAST_S)
            if got is not None and (ending := self._signalled(got, nothing)):
                break
        return ending

    def _signalled(self, got: struct_siginfo, wishes: Wishes) -> Ending | None:
        number = got.si_signo
        if number == REPORT:
            wishes.report()
        elif number == signals.SIGCHLD:
            pass  # it only wakes us
        elif not self._ours:
            return Ending(None, signal.Signals(number).name)
        elif got.si_code == _SI_KERNEL:
            self._terminal.add(number)  # the job has got it, too
        else:
            self._pass_on(number, got.si_pid)
        return None

    def _pass_on(self, number: int, sender: int) -> None:
        """Once, where somebody sends the same thing to us and to our group, as `timeout` does."""
        now = time.monotonic()
        last = self._last_sent
        if last is None or last[:2] != (number, sender) or now - last[2] > _TWICE_S:
            with contextlib.suppress(OSError):
                os.kill(self.pid, number)
        self._last_sent = (number, sender, now)

    def _ended(self) -> Ending | None:
        if not self._ours:
            known = self.observer.tree.alive.get(self.pid)
            now = read_process(self.pid)
            gone = now is None or now.ended or (known is not None and now.started != known.started)
            return Ending(None) if gone else None
        try:
            pid, status, usage = posix.wait4(self.pid, posix.WNOHANG)
        except ChildProcessError:
            return Ending(None)
        return None if pid == 0 else _ending(status, usage.ru_utime + usage.ru_stime)

    def _end(self, why: str) -> Ending:
        """SIGTERM for all of the job, and after a while SIGKILL for what is left."""
        for number, wait_s in ((signal.SIGTERM, _GRACE_S), (signals.SIGKILL, 1.0)):
            self.observer.tree.look()
            for pid in [self.pid, *self.observer.tree.alive]:
                with contextlib.suppress(OSError):
                    os.kill(pid, number)
            deadline = time.monotonic() + wait_s
            ending = None
            while time.monotonic() < deadline:
                ending = ending or self._ended()
                self.observer.tree.look()
                self._reap_orphans()
                if ending and not any(not one.ended for one in self.observer.tree.alive.values()):
                    break
                time.sleep(0.05)
            else:
                continue
            break
        return Ending(ending.code if ending else None, ending.signal if ending else None, ended_by=why)

    def _reap_orphans(self) -> None:
        """Those that became our children when whoever started them ended."""
        for one in list(self.observer.tree.alive.values()):
            if one.ended and one.parent == os.getpid() and one.pid != self.pid:
                with contextlib.suppress(OSError):
                    os.waitpid(one.pid, posix.WNOHANG)

    def going_on(self) -> list[str]:
        """What still runs of the job, by number and name."""
        self.observer.tree.look()
        left = [one for one in self.observer.tree.alive.values() if not one.ended]
        return [f"{one.pid} ({one.name})" for one in sorted(left, key=lambda one: one.pid)]


def _ending(status: int, cpu_seconds: float) -> Ending:
    if posix.WIFSIGNALED(status):
        number = posix.WTERMSIG(status)
        return Ending(128 + number, _name(number), cpu_seconds=cpu_seconds)
    return Ending(posix.WEXITSTATUS(status), cpu_seconds=cpu_seconds)


def _waited_for(pid: int) -> Ending:
    """The end of a job that is not watched; what is sent to us is passed on."""
    while True:
        done, status, usage = posix.wait4(pid, posix.WNOHANG)
        if done:
            return _ending(status, usage.ru_utime + usage.ru_stime)
        got = sigtimedwait(_signals(), _OUTLAST_S)
        if got is not None and got.si_signo in _PASSED_ON and got.si_code != _SI_KERNEL:
            with contextlib.suppress(OSError):
                os.kill(pid, got.si_signo)


def end_as(number: int) -> None:
    """End by a signal, so that a shell's loop ends as it would without us; a core file would be ours, so none."""
    no_core_file()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _signals() -> tuple[signal.Signals, ...]:
    return (*_PASSED_ON, REPORT, signals.SIGCHLD)


def _block() -> "set[signal.Signals]":
    return {signal.Signals(one) for one in signals.pthread_sigmask(signals.SIG_BLOCK, _signals())}


def _adopt_orphans() -> None:
    """What the job starts stays below us when its own parent ends, as a daemon's does; else it would be lost to us."""
    import ctypes  # noqa: PLC0415 - for this alone

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
