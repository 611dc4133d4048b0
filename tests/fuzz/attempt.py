"""One input for one parser, and what came of it."""

import resource
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.parser import Parser

SLOW_S = 2.0
_GIVEN_UP_S = 8.0  # of processor time
LARGE_MIB = 300


class GivenUp(BaseException):
    """It takes too long."""


@dataclass(frozen=True)
class Outcome:
    """`finding` is what is wrong, on its first line in a form in which the same comes out the same."""

    finding: str | None
    value: bool  # rather than the parser's own error
    seconds: float


def attempt(parser: Parser, data: bytes, folder: Path) -> Outcome:
    began = time.process_time()
    finding, value = None, False
    try:
        with within(_GIVEN_UP_S, of_processor=True):
            parser.read(data, folder)
            value = True
    except parser.errors:
        pass
    except GivenUp:
        finding = f"slow: no answer after {_GIVEN_UP_S:.0f} s"
    except Exception as error:
        finding = _told(error)
    seconds = time.process_time() - began
    if finding is None and seconds > SLOW_S:
        finding = f"slow: an answer after more than {SLOW_S:.0f} s"
    return Outcome(finding, value, seconds)


@contextmanager
def within(seconds: float, *, of_processor: bool = False) -> Iterator[None]:
    """Raises GivenUp in what takes longer."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def give_up(_number: int, _frame: object) -> None:
        raise GivenUp

    timer, number = (signal.ITIMER_PROF, signal.SIGPROF) if of_processor else (signal.ITIMER_REAL, signal.SIGALRM)
    before = signal.signal(number, give_up)
    signal.setitimer(timer, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(timer, 0)
        signal.signal(number, before)


def _told(error: BaseException) -> str:
    """The error, and the last line of ours that it went through."""
    while error.__cause__ is not None and type(error).__name__ == "BugError":
        error = error.__cause__
    frames = [one for one in traceback.extract_tb(error.__traceback__) if "/src/cudafit/" in one.filename]
    where = f"{frames[-1].filename.rpartition('/src/cudafit/')[2]}:{frames[-1].lineno}" if frames else "?"
    first = f"{type(error).__name__} at {where}"
    return first + "\n" + "".join(traceback.format_exception(error))[-3000:]


def memory_mib() -> float:
    """The most that this process has held since it began, or since the last call of `forget_memory`.

    What the kernel tells of a child is never less than its parent had, so that is asked only where nothing else is.
    """
    if known := memory_peak_mib():
        return known
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def memory_now_mib() -> float:
    return _told_mib("VmRSS")


def memory_peak_mib() -> float:
    """Since the last call of `forget_memory`; 0 where that cannot be known."""
    return _told_mib("VmHWM")


def _told_mib(name: str) -> float:
    try:
        told = Path("/proc/self/status").read_text()
    except OSError:
        return 0.0
    return float(told.partition(f"{name}:")[2].split()[0]) / (1 << 10)


def forget_memory() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return
