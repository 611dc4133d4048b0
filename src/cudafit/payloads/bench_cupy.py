"""The benchmark's operations in CuPy. It computes on GPUs only, so that `--device cpu` finds no device."""

from __future__ import annotations

from typing import Any, Callable

import cupy

_KINDS = {"float64": cupy.float64, "float32": cupy.float32, "float16": cupy.float16}
Call = Callable[[], Any]


class Backend:
    def __init__(self, device: str) -> None:
        if device == "cpu":
            raise NotImplementedError("CuPy computes on GPUs only")
        self.version = str(cupy.__version__)
        self.number = int(device.partition(":")[2] or 0)
        self.dtypes = ["float32", "float64", "float16"]
        self.layer_dtypes: list[str] = []  # no convolutions and no attention of its own
        if len(self.seen()) > self.number:
            cupy.cuda.Device(self.number).use()

    def seen(self) -> list[dict[str, Any]]:
        count = cupy.cuda.runtime.getDeviceCount()
        return [{"name": cupy.cuda.runtime.getDeviceProperties(index)["name"].decode()} for index in range(count)]

    def where(self, x: Any) -> str:
        return f"cuda:{x.device.id}"

    def free_bytes(self) -> int | None:
        return int(cupy.cuda.runtime.memGetInfo()[0])

    def array(self, values: list[float], shape: tuple[int, ...], dtype: str) -> Any:
        return cupy.array(values, dtype=_KINDS[dtype]).reshape(shape)

    def flat(self, x: Any) -> list[float]:
        values: list[float] = x.astype(cupy.float64).ravel().get().tolist()
        return values

    def pick(self, x: Any, rows: list[int] | None, columns: list[int] | None) -> list[list[float]]:
        x = x if rows is None else x[rows]
        x = x if columns is None else x[:, columns]
        values: list[list[float]] = x.astype(cupy.float64).get().tolist()
        return values

    def random_numbers(self, count: int, dtype: str, seed: int) -> Any:
        return self.uniform((count,), dtype, seed)

    def uniform(self, shape: tuple[int, ...], dtype: str, seed: int) -> Any:
        kind = cupy.float64 if dtype == "float64" else cupy.float32
        drawn = cupy.random.default_rng(seed).random(shape, dtype=kind)
        return (drawn * 2 - 1).astype(_KINDS[dtype])

    def _poisoned(self, shape: tuple[int, ...], kind: Any) -> Any:
        return cupy.full(shape, cupy.nan, dtype=kind)

    def matmul(self, a: Any, b: Any, dtype: str) -> Any:
        return self.matmul_call(a, b, dtype)()

    def matmul_call(self, a: Any, b: Any, dtype: str) -> Call:
        out = self._poisoned((a.shape[0], b.shape[1]), _KINDS[dtype])
        return lambda: cupy.matmul(a, b, out=out)

    def total(self, x: Any) -> float:
        return float(x.sum(out=self._poisoned((), x.dtype)))

    def largest(self, x: Any) -> float:
        return float(x.max(out=self._poisoned((), x.dtype)))

    def conv2d(self, x: Any, w: Any) -> Any:
        raise NotImplementedError("CuPy has no convolution of images")

    def fft(self, x: Any) -> tuple[list[float], list[float]]:
        self._poisoned((*x.shape, 2), cupy.float32)  # free again at once, and the next of its size gets that memory
        found = cupy.fft.fft(x)
        return self.flat(found.real), self.flat(found.imag)

    def attention(self, q: Any, k: Any, v: Any) -> Any:
        raise NotImplementedError("CuPy has no attention")

    def attention_call(self, q: Any, k: Any, v: Any) -> Call:
        return lambda: self.attention(q, k, v)

    def timed(self, call: Call, count: int) -> float:
        """By the GPU's own events."""
        start, end = cupy.cuda.Event(), cupy.cuda.Event()
        start.record()
        for _ in range(count):
            call()
        end.record()
        end.synchronize()
        return float(cupy.cuda.get_elapsed_time(start, end)) / 1e3 / count

    def copy_calls(self, count: int, seed: int) -> tuple[Call, Call]:
        x = self.uniform((count,), "float32", seed)
        out = self._poisoned((count,), cupy.float32)
        return (lambda: cupy.copyto(out, x)), lambda: float(abs(out - x).max())

    def triad_calls(self, count: int, seed: int) -> tuple[Call, Call]:
        x, y = (self.uniform((count,), "float32", one) for one in (seed, seed + 1))
        out = self._poisoned((count,), cupy.float32)
        triad = cupy.ElementwiseKernel("float32 a, float32 b", "float32 c", "c = a + 3.0f * b", "triad")
        return (lambda: triad(x, y, out)), lambda: float(abs(out - (x + 3.0 * y)).max())

    def transfer_calls(self, count: int, seed: int, pinned: bool, to_device: bool) -> tuple[Call, Call]:
        import numpy  # noqa: PLC0415 - CuPy requires it

        x = self.uniform((count,), "float32", seed)
        if pinned:
            memory = cupy.cuda.alloc_pinned_memory(4 * count)
            host = numpy.frombuffer(memory, numpy.float32, count)
        else:
            host = numpy.empty(count, numpy.float32)
        host[:] = numpy.nan
        if not to_device:
            return (lambda: x.get(out=host)), lambda: float(numpy.abs(host - x.get()).max())
        host[:] = x.get()
        out = self._poisoned((count,), cupy.float32)
        return (lambda: out.set(host)), lambda: float(abs(out - x).max())

    def peer_calls(self, count: int, seed: int) -> tuple[Call, Call]:
        raise NotImplementedError("measured with PyTorch and JAX only")

    def all_reduce_calls(self, count: int) -> tuple[Call, Call]:
        raise NotImplementedError("measured with PyTorch only")

    def conv2d_training_call(self, shape: tuple[int, ...], dtype: str, seed: int) -> Call:
        raise NotImplementedError("CuPy has no convolution of images")

    def launch_call(self) -> Call:
        x = cupy.zeros(1, dtype=cupy.float32)
        return lambda: cupy.add(x, 1.0, out=x)

    def training_step(self, batch: int, seed: int) -> Callable[[], float]:
        raise NotImplementedError("CuPy trains no models")
