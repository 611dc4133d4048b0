"""Asks NVML, in a process of its own (`nvml_child`).

Small on purpose: `inspect` starts the question before it loads the other probes, so that the driver is already
answering while they are imported and read their files.
"""

import os
import signal
import sys
from collections.abc import Mapping

from cudafit.model.frozen import frozen
from cudafit.process import Talk, own_environ, own_python

SYSTEMS = ("linux", "win32")


# The folder that cudafit lies in comes last, and nobody's `.pth` files are read: none of that is needed.
_START = "import sys; sys.path.append(sys.argv.pop(1)); from cudafit.machine.nvml_child import main; main()"


def child(*words: str) -> list[str]:
    """The command that asks NVML. Raises OSError where this Python's place is not known."""
    folder = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    python, *more = own_python("-c", _START, folder, *words)
    return [python, "-S", *more]


@frozen
class Answer:
    """The child's lines, and how it ended when it did not end well."""

    lines: tuple[str, ...]
    broken: str | None = None


class Question:
    """NVML, asked: the answer is awaited only when it is needed."""

    def __init__(self, environ: Mapping[str, str], silence_s: float) -> None:
        self._silence_s = silence_s
        self._talk: Talk | None = None
        self._refused: str | None = None
        try:
            self._talk = Talk(child(), own_environ(environ))
        except OSError as error:
            self._refused = f"could not start {sys.executable}: {error.strerror or error}"

    def answer(self) -> Answer:
        if self._talk is None:
            return Answer((), self._refused)
        lines = tuple(self._talk.lines(self._silence_s))
        if self._talk.silent:
            return Answer(lines, f"gave no answer for {self._silence_s:g} s")
        return Answer(lines, ending(self._talk.returncode) if self._talk.returncode != 0 else None)

    def close(self) -> None:
        """Whoever asked has gone, maybe without an answer."""
        if self._talk is not None:
            self._talk.stop()


def ask(environ: Mapping[str, str], silence_s: float) -> Question | None:
    """None where NVIDIA has no driver, and so no NVML."""
    return Question(environ, silence_s) if sys.platform in SYSTEMS else None


def ending(returncode: int | None) -> str:
    if returncode is not None and returncode < 0:
        try:
            return f"crashed ({signal.Signals(-returncode).name})"
        except ValueError:
            return f"crashed (signal {-returncode})"
    return f"ended with exit code {returncode}"
