"""A stand-in for CuPy: lazy arrays of Python's own numbers, and a clock that runs as fast as a GPU is told to be.

FAKE_CUPY names what it does wrong; FAKE_CUPY_SPEED is its speed in parts of a sound H200's. It enters itself in the
test NVML's process list, as a driver would, when it makes its first array.
"""

import cmath
import os
import random as _random
import sys
import time
import types
from collections.abc import Callable
from typing import Any

__version__ = "14.0"
float64, float32, float16, nan = "float64", "float32", "float16", float("nan")
_FAULT = os.environ.get("FAKE_CUPY", "")
_SPEED = float(os.environ.get("FAKE_CUPY_SPEED", "1"))
_clock = 0.0

if _FAULT == "garbage":
    sys.stdout.write("{" * 5000)
    sys.stdout.flush()


class Array:
    def __init__(self, make: Callable[[], list[float]], shape: tuple[int, ...]) -> None:
        self.make, self.shape, self.dtype = make, shape, "float32"
        self.device = types.SimpleNamespace(id=0)

    @property
    def values(self) -> list[float]:
        made = self.make()
        self.make = lambda: made
        return made

    def reshape(self, shape: tuple[int, ...]) -> "Array":
        return Array(lambda: self.values, shape)

    def astype(self, _kind: str) -> "Array":
        return self

    def ravel(self) -> "Array":
        return Array(lambda: self.values, (len(self.values),))

    def get(self, out: "Array | None" = None) -> "Array":
        if out is not None:
            _took(4 * self.shape[0] / 50e9)
            out.make = self.make
        return self

    def set(self, host: "Array") -> None:
        _took(4 * self.shape[0] / 50e9)
        self.make = host.make

    def tolist(self) -> Any:
        if len(self.shape) == 1:
            return list(self.values)
        width = self.shape[1]
        return [self.values[at : at + width] for at in range(0, len(self.values), width)]

    def __getitem__(self, key: Any) -> "Array":
        rows, columns = (key, None) if isinstance(key, list) else (None, key[1])
        return self.picked(rows, columns)

    def picked(self, rows: list[int] | None, columns: list[int] | None) -> "Array":
        height, width = self.shape
        rows, columns = rows or list(range(height)), columns or list(range(width))
        values = self.values
        found = [values[row * width + column] for row in rows for column in columns]
        return Array(lambda: found, (len(rows), len(columns)))

    def __setitem__(self, _all: slice, value: Any) -> None:
        self.make = value.make if isinstance(value, Array) else (lambda: [value] * self.shape[0])

    def _each(self, other: Any, operation: Callable[[float, float], float]) -> "Array":
        if isinstance(other, Array):
            return Array(lambda: [operation(a, b) for a, b in zip(self.values, other.values, strict=True)], self.shape)
        return Array(lambda: [operation(a, other) for a in self.values], self.shape)

    def __mul__(self, other: Any) -> "Array":
        return self._each(other, lambda a, b: a * b)

    __rmul__ = __mul__

    def __add__(self, other: Any) -> "Array":
        return self._each(other, lambda a, b: a + b)

    def __sub__(self, other: Any) -> "Array":
        return self._each(other, lambda a, b: a - b)

    def __abs__(self) -> "Array":
        return Array(lambda: [abs(a) for a in self.values], self.shape)

    def max(self, out: Any = None) -> float:
        return max(self.values)

    def sum(self, out: Any = None) -> float:
        return sum(self.values)

    @property
    def real(self) -> "Array":
        return Array(lambda: [complex(a).real for a in self.values], self.shape)

    @property
    def imag(self) -> "Array":
        return Array(lambda: [complex(a).imag for a in self.values], self.shape)


class Product(Array):
    """Large ones are never computed whole."""

    def __init__(self, a: Array, b: Array) -> None:
        super().__init__(self._all, (a.shape[0], b.shape[1]))
        self.a, self.b = a, b

    def _all(self) -> list[float]:
        return self._of(list(range(self.shape[0])), list(range(self.shape[1])))

    def _of(self, rows: list[int], columns: list[int]) -> list[float]:
        inner, width = self.a.shape[1], self.b.shape[1]
        a, b = self.a.values, self.b.values
        lines = [a[row * inner : (row + 1) * inner] for row in rows]
        others = [b[column::width] for column in columns]
        found = [sum(x * y for x, y in zip(line, other, strict=True)) for line in lines for other in others]
        if _FAULT == "wrong":
            found[len(found) // 2] += 1.0
        if _FAULT == "nan":
            found[-1] = nan
        return [0.0] * len(found) if _FAULT == "zeros" else found

    def picked(self, rows: list[int] | None, columns: list[int] | None) -> Array:
        if columns is None:
            return Rows(self, rows or [])
        raise AssertionError("rows come first")


class Rows(Array):
    def __init__(self, product: Product, rows: list[int]) -> None:
        super().__init__(list, (len(rows), product.shape[1]))
        self.product, self.rows = product, rows

    def picked(self, rows: list[int] | None, columns: list[int] | None) -> Array:
        found = self.product._of(self.rows, columns or [])
        return Array(lambda: found, (len(self.rows), len(columns or [])))


def _took(seconds: float) -> None:
    global _clock
    _clock += seconds / _SPEED


def _enter() -> None:
    folder = os.environ.pop("FAKE_NVML_PROCESSES", None)
    if folder and _FAULT != "unseen":
        with open(os.path.join(folder, str(os.getpid())), "w", encoding="utf-8") as file:
            file.write("0 512\n")


def array(values: list[float], dtype: str) -> Array:
    return Array(lambda: values, (len(values),))


def full(shape: tuple[int, ...], value: float, dtype: str) -> Array:
    count = shape[0] if len(shape) == 1 else 0
    return Array(lambda: [value] * count, shape)


def matmul(a: Array, b: Array, out: Array) -> Array:
    if _FAULT == "hang":
        time.sleep(600)
    if _FAULT == "abort":
        os.abort()
    if _FAULT == "raise":
        raise RuntimeError("no kernel image is available for execution on the device")
    if _FAULT == "memory":
        raise MemoryError("out of memory")
    _took(2 * a.shape[0] * a.shape[1] * b.shape[1] / 50e12)
    return Product(a, b)


def copyto(out: Array, x: Array) -> None:
    _took(8 * x.shape[0] / 4.3e12)
    out.make = x.make


def _uniform(seed: int, shape: tuple[int, ...]) -> Array:
    _enter()
    count = 1
    for length in shape:
        count *= length
    draw = _random.Random(seed).random
    return Array(lambda: [draw() for _ in range(count)], shape)


def _transform(x: Array) -> Array:
    values, length = x.values, len(x.values)
    turns = [cmath.exp(-2j * cmath.pi * k / length) for k in range(length)]
    found: Any = [sum(value * turns[n * k % length] for n, value in enumerate(values)) for k in range(length)]
    return Array(lambda: found, x.shape)


class _Event:
    def record(self) -> None:
        self.at = _clock

    def synchronize(self) -> None:
        pass


_GPUS = 0 if _FAULT == "blind" else 1
random = types.SimpleNamespace(
    default_rng=lambda seed: types.SimpleNamespace(random=lambda shape, dtype: _uniform(seed, shape))
)
fft = types.SimpleNamespace(fft=_transform)
cuda = types.SimpleNamespace(
    Event=_Event,
    get_elapsed_time=lambda start, end: (end.at - start.at) * 1e3,
    Device=lambda number: types.SimpleNamespace(use=lambda: None),
    alloc_pinned_memory=lambda size: size,
    runtime=types.SimpleNamespace(
        getDeviceCount=lambda: _GPUS,
        getDeviceProperties=lambda index: {"name": b"NVIDIA H200"},
        memGetInfo=lambda: (4 << 20, 8 << 20),
    ),
)

# CuPy requires numpy, which is made of the same arrays here.
_numpy: Any = types.ModuleType("numpy")
_numpy.float32, _numpy.nan, _numpy.abs = float32, nan, abs
_numpy.frombuffer = lambda memory, kind, count: full((count,), 0.0, kind)
_numpy.empty = lambda count, kind: full((count,), 0.0, kind)
sys.modules["numpy"] = _numpy
