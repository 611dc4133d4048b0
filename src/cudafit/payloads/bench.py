"""Makes one framework compute, checks what it computed and measures how fast. Each outcome is one line of JSON.

It runs in the target environment, with its interpreter, of any version from 3.8 on: the standard library and that
framework, nothing of cudafit. What is tested is written once, in `bench_right.py` and `bench_speed.py`;
`bench_torch.py` and its siblings do it with their framework.

Only lines with the mark count, so that whatever a framework or sitecustomize prints does not disturb.
"""

from __future__ import annotations

import json
import math
import os
import random
import runpy
import sys
import time
from typing import Any, Callable

HERE = os.path.dirname(os.path.abspath(__file__))
BALLAST_MIB = 256  # what is held on the GPU, so that its memory visibly grows
_LONGEST_HOLD_S = 15.0

_SHORT_OF_MEMORY = ("out of memory", "outofmemory", "resource exhausted", "alloc failed")
_NOT_THERE = ("not implemented", "unimplemented", "could not satisfy device specification")

Tell = Callable[..., None]


class Suite:
    """The tests, in the order of their worth: a run that is cut short has done the important ones."""

    def __init__(self, backend: Any, options: dict[str, Any], tell: Tell) -> None:
        self.backend = backend
        self.quick = options["mode"] == "quick"
        self.cuda = options["device"] != "cpu"
        self.deadline = time.monotonic() + options["seconds"]
        self.tell = tell
        drawn = random.Random(int.from_bytes(os.urandom(16), "big"))  # noqa: S311 - test inputs, no secrets
        right = load("bench_right")
        self.right = right["Right"](backend, drawn)
        self.speed = load("bench_speed")["Speed"](backend, options, drawn, self.deadline, right)

    def run(self) -> None:
        self.check()
        backend, speed = self.backend, self.speed
        order = [one for one in ("bfloat16", "float32", "float16", "tf32", "float8") if one in backend.dtypes]
        for dtype in [one for one in order if one in ("bfloat16", "float32")] if self.quick else order:
            self.one("matmul", dtype, "speed", speed.matmul)
        self.one("copy", "float32", "speed", speed.copy)
        if self.cuda:
            for kind in ("pinned",) if self.quick else ("pinned", "pageable"):
                self.one("host_to_device", kind, "speed", speed.host_to_device)
                self.one("device_to_host", kind, "speed", speed.device_to_host)
        self.one("training", "float32", "speed", speed.training)
        if self.quick:
            return
        self.one("triad", "float32", "speed", speed.triad)
        for dtype in backend.layer_dtypes:
            self.one("conv2d_training", dtype, "speed", speed.conv2d)
            self.one("attention", dtype, "speed", speed.attention)
        self.one("launch", "float32", "speed", speed.launch)
        if self.cuda and len(backend.seen()) > 1:
            self.one("peer_copy", "float32", "speed", speed.peer_copy)
            self.one("all_reduce", "float32", "speed", speed.all_reduce)

    def check(self) -> None:
        backend, right = self.backend, self.right
        for dtype in backend.dtypes:
            self.one("matmul", dtype, "right", right.matmul)
        self.one("reduction", "float32", "right", right.reduction)
        self.one("random", "float32", "right", right.uniform)
        for dtype in backend.layer_dtypes:
            self.one("conv2d", dtype, "right", right.conv2d)
        self.one("fft", "complex64", "right", right.fft)
        for dtype in backend.layer_dtypes:
            self.one("attention", dtype, "right", right.attention)

    def one(self, test: str, dtype: str, kind: str, function: Callable[[str], dict[str, Any]]) -> None:
        """One test; what it raises is its outcome."""
        told: dict[str, Any] = {"test": test, "dtype": dtype, "kind": kind}
        if time.monotonic() > self.deadline:
            self.tell(result={**told, "skipped": "the time was over"})
            return
        self.tell(at="test", test=test, dtype=dtype)
        start = time.monotonic()
        try:
            told.update(function(dtype))
        except NotImplementedError as error:
            told["skipped"] = _short(str(error)) or "the framework has no such operation"
        except Exception as error:
            told["skipped" if _is_no_fault(error) else "failed"] = _short(f"{type(error).__name__}: {error}")
        told["seconds"] = round(time.monotonic() - start, 4)
        self.tell(result=told)


def _is_no_fault(error: Exception) -> bool:
    """Too little memory, or an operation that the framework has not for this dtype or device, as frameworks say it:
    OutOfMemoryError, RESOURCE_EXHAUSTED, CUBLAS_STATUS_ALLOC_FAILED; `"cat_cuda" not implemented for 'Float8_e4m3fn'`,
    UNIMPLEMENTED, `Could not satisfy device specification`."""
    text = f"{type(error).__name__} {error}".lower().replace("_", " ")
    return any(sign in text for sign in (*_SHORT_OF_MEMORY, *_NOT_THERE))


def load(name: str) -> dict[str, Any]:
    """What a file beside this one defines; none of the folder's names gets in the way of the environment's own."""
    return runpy.run_path(os.path.join(HERE, f"{name}.py"))


def teller(mark: str) -> Tell:
    def tell(**told: Any) -> None:
        """In one piece, and on a line of its own whatever was printed before it."""
        os.write(1, f"\n{mark} {json.dumps(_plain(told))}\n".encode("ascii"))

    return tell


def _plain(value: Any) -> Any:
    """What JSON knows: NaN and the infinities are not among it."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value


def _short(text: str) -> str:
    return " ".join(text.split())[:300]


def main(text: str) -> None:
    if sys.path and os.path.abspath(sys.path[0] or ".") == HERE:
        del sys.path[0]
    options = json.loads(text)
    tell, step = teller(options["mark"]), "import"
    try:
        tell(at="start", pid=os.getpid())
        start = time.monotonic()
        backend = load(f"bench_{options['framework']}")["Backend"](options["device"])
        tell(at="imported", version=backend.version, seconds=round(time.monotonic() - start, 3))
        step = "devices"
        seen = backend.seen()
        tell(at="devices", devices=seen)
        if options["device"] != "cpu" and len(seen) <= _number(options["device"]):
            return
        step = "run"
        _run(backend, options, tell)
    except BaseException as error:  # an import that exits is an outcome like any other
        tell(error=_short(f"{type(error).__name__}: {error}"), step=step)


def _number(device: str) -> int:
    return int(device.partition(":")[2] or 0)


def _run(backend: Any, options: dict[str, Any], tell: Tell) -> None:
    cuda = options["device"] != "cpu"
    free = backend.free_bytes()
    mib = BALLAST_MIB if free is None else max(1, min(BALLAST_MIB, free >> 23))  # an eighth of what a busy GPU has left
    held = backend.uniform((mib << 18 if cuda else 1 << 10,), "float32", 1)
    tell(at="context", where=backend.where(held), held_mib=mib if cuda else 0, free=free)
    Suite(backend, options, tell).run()
    # The GPU is kept until it was seen from outside: as long as this file is there, and not for ever.
    end = time.monotonic() + _LONGEST_HOLD_S
    while options["hold"] and os.path.exists(options["hold"]) and time.monotonic() < end:
        time.sleep(0.05)
    tell(at="end")
    del held


if __name__ == "__main__":
    main(sys.argv[1])
