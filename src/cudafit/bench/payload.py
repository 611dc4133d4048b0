"""Runs the payload of a framework in the environment, with its own interpreter, and reads what it tells.

A hang, a crash and a flood of other output are outcomes. The process is the head of a group, and is killed with it.
"""

import json
import os
import secrets
import time
from collections.abc import Callable, Iterable, Mapping

from cudafit.model.bench import CUT_OFF, ENDED, FAILED, NO_GPU, RAN, SKIPPED, Run, State, Told
from cudafit.model.frameworks import FRAMEWORKS
from cudafit.model.frozen import frozen
from cudafit.model.record import RecordError, from_plain
from cudafit.process import Talk

_PAYLOAD = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "payloads", "bench.py")

# Seconds to measure in, by mode; the import of a framework comes on top.
SECONDS = {"quick": 4.0, "default": 40.0, "full": 240.0}

# Frameworks that share a run share its time, down to what the tests of correctness need.
_LEAST_S = {"quick": 2.0, "default": 10.0, "full": 60.0}

# How much longer than its own limit a payload may take: the test in which the limit falls, and the end.
_GRACE_S = 30.0

_KEPT = 200  # characters of its last words


@frozen
class Order:
    """What to run, and how."""

    interpreter: str
    device: str  # cuda:0, cpu
    mode: str
    environ: Mapping[str, str]
    timeout_s: float  # to import, and for any silence after that


Watch = Callable[[int, int], None]  # the process id, and the MiB that it holds on the GPU


def run_payload(order: Order, framework: str, frameworks: int, watch: Watch, hold: str | None) -> Run:
    """`watch` is called once the framework holds the GPU; the payload keeps it as long as the file `hold` is there."""
    mark = f"cudafit-bench-{secrets.token_hex(8)}"
    seconds = max(_LEAST_S[order.mode], SECONDS[order.mode] / frameworks)
    asked = {
        "framework": framework,
        "device": order.device,
        "mode": order.mode,
        "seconds": seconds,
        "mark": mark,
        "hold": hold,
    }
    start = time.monotonic()
    try:
        talk = Talk([order.interpreter, _PAYLOAD, json.dumps(asked)], order.environ, group=True)
    except OSError as error:
        return Run(framework, FAILED, error=f"{order.interpreter}: {error.strerror or error}")
    heard = _Heard(mark, watch)
    for line in talk.lines(order.timeout_s, order.timeout_s + seconds + _GRACE_S):
        heard.line(line)
    return heard.run(framework, talk, round(time.monotonic() - start, 2))


class _Heard:
    """What a payload said so far."""

    def __init__(self, mark: str, watch: Watch) -> None:
        self.mark = f"{mark} "
        self.watch = watch
        self.told: list[Told] = []
        self.said: dict[str, dict[str, object]] = {}
        self.error: dict[str, object] | None = None
        self.doing = "the start of its interpreter"
        self.last = ""

    def line(self, line: str) -> None:
        if not line.startswith(self.mark):
            self.last = line.strip() or self.last
            return
        try:
            said = json.loads(line[len(self.mark) :])
        except (ValueError, RecursionError):
            return
        if not isinstance(said, dict):
            return
        if "error" in said:
            self.error = said
        elif isinstance(said.get("result"), dict):
            self._result(said["result"])
        else:
            self._step(said)

    def _result(self, said: dict[str, object]) -> None:
        try:
            self.told.append(from_plain(Told, {**said, "checked": "max_error" in said}))
        except RecordError:
            self.told.append(
                Told(str(said.get("test")), str(said.get("dtype")), "right", failed="a result without sense")
            )

    def _step(self, said: dict[str, object]) -> None:
        step = str(said.get("at"))
        self.said[step] = said
        names = {"start": "its import", "imported": "counting GPUs", "context": "its first test"}
        self.doing = f"{said.get('test')} in {said.get('dtype')}" if step == "test" else names.get(step, self.doing)
        if step == "context":
            pid, held = self.said.get("start", {}).get("pid"), said.get("held_mib")
            self.watch(pid if isinstance(pid, int) else 0, held if isinstance(held, int) else 0)

    def run(self, framework: str, talk: Talk, seconds: float) -> Run:
        state, error = self._state(talk)
        imported, context = self.said.get("imported", {}), self.said.get("context", {})
        devices, took = self.said.get("devices", {}).get("devices"), imported.get("seconds")
        return Run(
            framework,
            state,
            version=str(imported.get("version") or "") or None,
            error=error,
            devices=len(devices) if isinstance(devices, list) else None,
            where=str(context["where"]) if "where" in context else None,
            import_seconds=float(took) if isinstance(took, int | float) else None,
            seconds=seconds,
            told=tuple(self.told),
        )

    def _state(self, talk: Talk) -> tuple[State, str | None]:
        if "end" in self.said:
            return RAN, None
        if self.error:
            text = str(self.error.get("error"))
            if text.startswith("NotImplementedError: "):
                return SKIPPED, text.partition(": ")[2]
            return FAILED, text[:500]
        if talk.silent:
            return CUT_OFF, f"gave no end in its time, and was killed at {self.doing}"
        if talk.returncode is not None and talk.returncode < 0:
            return ENDED, f"the process was ended by signal {-talk.returncode} at {self.doing}"
        if "devices" in self.said and talk.returncode == 0:
            return NO_GPU, None
        last = f": {self.last[:_KEPT]}" if self.last else ""
        return ENDED, f"the process ended with {talk.returncode} at {self.doing}{last}"


def frameworks_in(names: Iterable[str]) -> list[str]:
    """The frameworks that a payload is written for, among normalised names of distributions."""
    there = set(names)
    return [one.name for one in FRAMEWORKS if any(map(one.is_called, there))]
