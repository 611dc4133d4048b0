"""Asks the frameworks themselves: a small program that runs with the environment's own interpreter, in a time limit.

Only where the user asked for it: this imports and runs what lies in the environment.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from cudafit.model.environment import Ran
from cudafit.process import Finished, run

_PROBE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "payloads", "probe.py")
MARK = "cudafit-probe "
_MOST_OF_STDERR, _MOST_LINES, _LONGEST_LINE = 1 << 15, 60, 1000


def ask_frameworks(
    interpreter: str, names: Sequence[str], environ: Mapping[str, str], timeout_s: float
) -> tuple[Ran, ...]:
    """One answer for each; a crash, a hang and an interpreter that does not start are answers too."""
    return tuple(_ask(interpreter, name, environ, timeout_s) for name in names)


def _ask(interpreter: str, name: str, environ: Mapping[str, str], timeout_s: float) -> Ran:
    """Each in a process of its own: two frameworks in one can disturb each other."""
    try:
        finished = run([interpreter, _PROBE, name], timeout_s=timeout_s, environ=environ)
    except OSError as error:
        return Ran(name, error=f"{interpreter}: {error.strerror or error}")
    if finished.cut_off:
        return Ran(name, error=f"gave no answer for {timeout_s:g} s")
    return replace(_answer(name, finished), stderr=_last_lines(finished.stderr))


def _last_lines(text: str) -> tuple[str, ...]:
    """What was said last is what went wrong; a framework may write much before."""
    return tuple(line[:_LONGEST_LINE] for line in text[-_MOST_OF_STDERR:].splitlines() if line.strip())[-_MOST_LINES:]


def _answer(name: str, finished: Finished) -> Ran:
    for told in _told(finished.stdout):
        if told.get("framework") == name:
            return _ran(name, told)
    if finished.returncode is not None and finished.returncode < 0:
        return Ran(name, error=f"the process was ended by signal {-finished.returncode}")
    last = (finished.stderr.strip().splitlines() or ["no output"])[-1]
    return Ran(name, error=f"the process ended with {finished.returncode}: {last[:300]}")


def _told(text: str) -> Iterator[dict[str, object]]:
    for line in text.splitlines():
        if line.startswith(MARK):
            try:
                value = json.loads(line[len(MARK) :])
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict):
                yield value


def _ran(name: str, told: Mapping[str, object]) -> Ran:
    devices, error, worked = told.get("devices"), told.get("error"), told.get("worked")
    pairs = [pair for pair in worked if isinstance(pair, list) and len(pair) == 2] if isinstance(worked, list) else []
    return Ran(
        name,
        version=str(told.get("version") or "") or None,
        devices=devices if isinstance(devices, int) else None,
        worked=tuple(pair[0] for pair in pairs if type(pair[0]) is int and pair[1] is True),
        error=str(error)[:500] if error else None,
        imported="step" in told,
    )
