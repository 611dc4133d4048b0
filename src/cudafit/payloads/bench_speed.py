"""How fast is a framework? Medians of many samples after a warm-up, by the device's own clock where there is one.

Sizes follow from the free memory and from the time. What was measured is checked as well: a sample of the large product
by Python itself, so that a fast kernel which is wrong does not look good.
"""

from __future__ import annotations

import math
import statistics
import time
from typing import Any, Callable

# What is used of the free memory; the rest is for the framework's work space and for others.
MEMORY_SHARE = 0.25

CUDA_SIZES = (512, 1024, 2048, 4096, 8192)
FULL_SIZES = (*CUDA_SIZES, 16384)
CPU_SIZES = (128, 256, 512, 1024, 2048)

# A fraction of the whole time for each of the tests.
PARTS = {"quick": 8, "default": 20, "full": 20}

Call = Callable[[], Any]
Times = "tuple[float, float, int]"


class Speed:
    """The measurements, for one backend."""

    def __init__(self, backend: Any, options: dict[str, Any], drawn: Any, deadline: float, right: Any) -> None:
        self.backend = backend
        self.cuda = options["device"] != "cpu"
        self.sizes = (FULL_SIZES if options["mode"] == "full" else CUDA_SIZES) if self.cuda else CPU_SIZES
        self.share = options["seconds"] / PARTS[options["mode"]]
        self.drawn = drawn
        self.deadline = deadline
        self.product_error, self.worst = right["product_error"], right["worst"]

    def seed(self) -> int:
        return int(self.drawn.randrange(1 << 30))

    def matmul(self, dtype: str) -> dict[str, Any]:
        """The largest square matrices that memory and time allow."""
        free, size, once = self.backend.free_bytes(), 0, 0.0
        for larger in self.sizes:
            if size and once * (larger / size) ** 3 > self.share / 10:
                break
            if size and free is not None and 12 * larger * larger > free * MEMORY_SHARE:
                break
            size = larger
            left, right = (self.backend.uniform((size, size), dtype, self.seed()) for _ in range(2))
            call = self.backend.matmul_call(left, right, dtype)
            self.backend.timed(call, 1)
            once = self.backend.timed(call, 2)
        times = self.measured(call)
        rows, columns = (sorted(self.drawn.sample(range(size), 8)) for _ in range(2))
        lines = self.backend.pick(left, rows, None)
        others = list(zip(*self.backend.pick(right, None, columns)))
        error = self.product_error(lines, others, self.backend.pick(call(), rows, columns))
        return {**rate(2 * size**3, times, 1e12, "TFLOP/s"), "size": size, "max_error": error}

    def length(self, arrays: int) -> int:
        """Numbers in an array: far more than any cache holds, no more than the memory allows."""
        most = 1 << 28 if self.cuda else 1 << 23
        free = self.backend.free_bytes()
        return most if free is None else max(1 << 16, min(most, int(free * MEMORY_SHARE) // (4 * arrays)))

    def moved(self, made: tuple[Call, Call], size: int) -> dict[str, Any]:
        """Bytes read and written; afterwards the copy is compared."""
        call, check = made
        times = self.measured(call)
        return {**rate(size, times, 1e9, "GB/s"), "size": size, "max_error": self.worst([check()])}

    def copy(self, dtype: str) -> dict[str, Any]:
        count = self.length(2)
        return self.moved(self.backend.copy_calls(count, self.seed()), 8 * count)

    def triad(self, dtype: str) -> dict[str, Any]:
        count = self.length(3)
        return self.moved(self.backend.triad_calls(count, self.seed()), 12 * count)

    def host_to_device(self, kind: str) -> dict[str, Any]:
        count = min(self.length(2), 1 << 26)
        return self.moved(self.backend.transfer_calls(count, self.seed(), kind == "pinned", True), 4 * count)

    def device_to_host(self, kind: str) -> dict[str, Any]:
        count = min(self.length(2), 1 << 26)
        return self.moved(self.backend.transfer_calls(count, self.seed(), kind == "pinned", False), 4 * count)

    def peer_copy(self, dtype: str) -> dict[str, Any]:
        count = self.length(4)
        return self.moved(self.backend.peer_calls(count, self.seed()), 4 * count)

    def all_reduce(self, dtype: str) -> dict[str, Any]:
        """By the bandwidth of the bus: of n GPUs each sends and receives 2 (n - 1) / n of the data."""
        count, gpus = self.length(4), len(self.backend.seen())
        return self.moved(self.backend.all_reduce_calls(count), 8 * count * (gpus - 1) // gpus)

    def conv2d(self, dtype: str) -> dict[str, Any]:
        batch, channels, size = (64, 128, 56) if self.cuda else (2, 16, 28)
        times = self.measured(self.backend.conv2d_training_call((batch, channels, size, size), dtype, self.seed()))
        # Forward, and the gradients of the input and of the weights: three convolutions.
        return {**rate(6 * batch * channels * channels * 9 * size * size, times, 1e12, "TFLOP/s"), "size": size}

    def attention(self, dtype: str) -> dict[str, Any]:
        batch, heads, tokens, width = (8, 16, 2048, 64) if self.cuda else (1, 2, 128, 32)
        q, k, v = (self.backend.uniform((batch, heads, tokens, width), dtype, self.seed()) for _ in range(3))
        times = self.measured(self.backend.attention_call(q, k, v))
        return {**rate(4 * batch * heads * tokens * tokens * width, times, 1e12, "TFLOP/s"), "size": tokens}

    def launch(self, dtype: str) -> dict[str, Any]:
        middle, width, count = self.measured(self.backend.launch_call())
        return {"value": middle * 1e6, "unit": "us", "spread": width, "samples": count}

    def training(self, dtype: str) -> dict[str, Any]:
        """A small classifier of images. That its loss falls shows that the gradients are right."""
        batch = 256 if self.cuda else 32
        step = self.backend.training_step(batch, self.seed())
        losses: list[float] = []
        seconds = []
        end = min(self.deadline, time.monotonic() + 2 * self.share)
        while len(losses) < 20 or (time.monotonic() < end and len(losses) < 200):
            start = time.perf_counter()
            losses.append(step())
            seconds.append(time.perf_counter() - start)
        error = statistics.mean(losses[-3:]) / statistics.mean(losses[:2]) if all(map(math.isfinite, losses)) else None
        return {**rate(batch, spread(seconds[4:]), 1.0, "images/s"), "size": batch, "max_error": error}

    def measured(self, call: Call) -> tuple[float, float, int]:
        """Seconds of a call; each sample is of many calls where one is short."""
        self.backend.timed(call, 1)
        inner = max(1, min(1000, int(0.004 / max(self.backend.timed(call, 2), 1e-9))))
        end = min(self.deadline, time.monotonic() + self.share)
        taken: list[float] = []
        while len(taken) < 5 or (time.monotonic() < end and len(taken) < 60):
            taken.append(self.backend.timed(call, inner))
        return spread(taken)


def spread(taken: list[float]) -> tuple[float, float, int]:
    """Median, the width between the quartiles in parts of it, and how many samples there are."""
    ordered = sorted(taken)
    middle = statistics.median(ordered)
    width = ordered[(3 * len(ordered)) // 4] - ordered[len(ordered) // 4]
    return middle, (width / middle if middle else 0.0), len(ordered)


def rate(work: float, times: tuple[float, float, int], of: float, unit: str) -> dict[str, Any]:
    return {"value": work / max(times[0], 1e-12) / of, "unit": unit, "spread": times[1], "samples": times[2]}
