"""The benchmark's operations in JAX. It tells no events of the device: many calls are timed up to their last result."""

from __future__ import annotations

import math
import os
import time
from typing import Any, Callable

# Otherwise it takes three quarters of the memory at once, and the growth would prove nothing.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax
import numpy
from jax import numpy as jnp

_KINDS = {"float32": jnp.float32, "tf32": jnp.float32, "float16": jnp.float16, "bfloat16": jnp.bfloat16}
Call = Callable[[], Any]


class Backend:
    def __init__(self, device: str) -> None:
        self.version = str(jax.__version__)
        self.cuda = device != "cpu"
        self.dtypes = ["float32", "bfloat16"]
        self.layer_dtypes = ["float32"]
        if not self.cuda:
            self.device = jax.devices("cpu")[0]
        elif self.seen():
            self.device = self._gpus()[int(device.partition(":")[2] or 0)]
            capability = float(getattr(self.device, "compute_capability", None) or 0)
            self.dtypes = ["float32", "float16", *(["tf32", "bfloat16"] if capability >= 8 else [])]
            self.layer_dtypes.append("bfloat16" if capability >= 8 else "float16")
        # TF32 is measured under its own name, and float32 is float32.
        jax.config.update("jax_default_matmul_precision", "highest")

    def _gpus(self) -> list[Any]:
        return [one for one in jax.devices() if one.platform in ("gpu", "cuda")]

    def seen(self) -> list[dict[str, Any]]:
        return [{"name": one.device_kind} for one in self._gpus()] if self.cuda else []

    def where(self, x: Any) -> str:
        (device,) = x.devices()
        return f"{'cuda' if device.platform in ('gpu', 'cuda') else device.platform}:{device.id}"

    def free_bytes(self) -> int | None:
        told = self.device.memory_stats() if self.cuda else None
        return told["bytes_limit"] - told["bytes_in_use"] if told and "bytes_limit" in told else None

    def array(self, values: list[float], shape: tuple[int, ...], dtype: str) -> Any:
        return jax.device_put(numpy.array(values, numpy.float32).reshape(shape), self.device).astype(_KINDS[dtype])

    def flat(self, x: Any) -> list[float]:
        values: list[float] = numpy.asarray(x.astype(jnp.float32), numpy.float64).ravel().tolist()
        return values

    def pick(self, x: Any, rows: list[int] | None, columns: list[int] | None) -> list[list[float]]:
        x = x if rows is None else x[numpy.array(rows), :]
        x = x if columns is None else x[:, numpy.array(columns)]
        values: list[list[float]] = numpy.asarray(x.astype(jnp.float32), numpy.float64).tolist()
        return values

    def random_numbers(self, count: int, dtype: str, seed: int) -> Any:
        return self.uniform((count,), dtype, seed)

    def uniform(self, shape: tuple[int, ...], dtype: str, seed: int) -> Any:
        with jax.default_device(self.device):
            found = jax.random.uniform(jax.random.key(seed), shape, jnp.float32, -1, 1)
        return found.astype(_KINDS[dtype])

    def _litter(self, shape: tuple[int, ...], kind: Any) -> None:
        """NaN in memory that is free again, and that the next operation of that size gets for its output."""
        jax.device_put(numpy.full(shape, numpy.nan, kind), self.device).block_until_ready()

    def matmul(self, a: Any, b: Any, dtype: str) -> Any:
        self._litter((a.shape[0], b.shape[1]), _KINDS[dtype])
        return self.matmul_call(a, b, dtype)()

    def matmul_call(self, a: Any, b: Any, dtype: str) -> Call:
        precision = "tensorfloat32" if dtype == "tf32" else "highest"
        product = jax.jit(lambda x, y: jnp.matmul(x, y, precision=precision))
        return lambda: product(a, b)

    def total(self, x: Any) -> float:
        return float(jnp.sum(x))

    def largest(self, x: Any) -> float:
        return float(jnp.max(x))

    def conv2d(self, x: Any, w: Any) -> Any:
        self._litter((x.shape[0], w.shape[0], x.shape[2] - 2, x.shape[3] - 2), x.dtype)
        return jax.lax.conv(x, w, (1, 1), "VALID")

    def fft(self, x: Any) -> tuple[list[float], list[float]]:
        found = jnp.fft.fft(x)
        return self.flat(found.real), self.flat(found.imag)

    def attention(self, q: Any, k: Any, v: Any) -> Any:
        return _attention(q, k, v)

    def attention_call(self, q: Any, k: Any, v: Any) -> Call:
        return lambda: self.attention(q, k, v)

    def timed(self, call: Call, count: int) -> float:
        begun = time.perf_counter()
        result = None
        for _ in range(count):
            result = call()
        jax.block_until_ready(result)
        return (time.perf_counter() - begun) / count

    def _checked(self, call: Call, right: Any) -> tuple[Call, Call]:
        return call, lambda: float(jnp.max(jnp.abs(call() - right)))

    def copy_calls(self, count: int, seed: int) -> tuple[Call, Call]:
        x = self.uniform((count,), "float32", seed)
        copy = jax.jit(jnp.copy)
        return self._checked(lambda: copy(x), x)

    def triad_calls(self, count: int, seed: int) -> tuple[Call, Call]:
        x, y = (self.uniform((count,), "float32", one) for one in (seed, seed + 1))
        triad = jax.jit(lambda a, b: a + 3.0 * b)
        return self._checked(lambda: triad(x, y), x + 3.0 * y)

    def transfer_calls(self, count: int, seed: int, pinned: bool, to_device: bool) -> tuple[Call, Call]:
        if pinned:
            raise NotImplementedError("JAX has no arrays in pinned memory that every version knows")
        x = self.uniform((count,), "float32", seed)
        host = numpy.array(x)
        if to_device:
            return self._checked(lambda: jax.device_put(host, self.device), x)

        def fetch() -> Any:
            """An array keeps what was once fetched, so a new one is made; that takes a copy within the device."""
            return numpy.array(jnp.copy(x))

        return fetch, lambda: float(numpy.abs(fetch() - host).max())

    def peer_calls(self, count: int, seed: int) -> tuple[Call, Call]:
        x = self.uniform((count,), "float32", seed)
        gpus = self._gpus()
        other = gpus[(gpus.index(self.device) + 1) % len(gpus)]

        def call() -> Any:
            return jax.device_put(x, other)

        return call, lambda: float(numpy.abs(numpy.asarray(call()) - numpy.asarray(x)).max())

    def all_reduce_calls(self, count: int) -> tuple[Call, Call]:
        raise NotImplementedError("measured with PyTorch only")

    def conv2d_training_call(self, shape: tuple[int, ...], dtype: str, seed: int) -> Call:
        x, gradient = (self.uniform(shape, dtype, one) for one in (seed, seed + 1))
        w = self.uniform((shape[1], shape[1], 3, 3), dtype, seed + 2)

        @jax.jit
        def both(x: Any, w: Any, gradient: Any) -> Any:
            out, back = jax.vjp(lambda x, w: jax.lax.conv(x, w, (1, 1), "SAME"), x, w)
            return out, back(gradient)

        return lambda: both(x, w, gradient)

    def launch_call(self) -> Call:
        x = jax.device_put(jnp.zeros(1), self.device)
        add = jax.jit(lambda x: x + 1.0)
        return lambda: add(x)

    def training_step(self, batch: int, seed: int) -> Callable[[], float]:
        """Ten kinds of images, each a pattern under noise."""
        keys = iter(jax.random.split(jax.device_put(jax.random.key(seed), self.device), 1000))
        images = jax.random.normal(next(keys), (10, 3, 32, 32))
        weights = {
            "first": jax.random.normal(next(keys), (16, 3, 3, 3)) / math.sqrt(27),
            "second": jax.random.normal(next(keys), (32, 16, 3, 3)) / math.sqrt(144),
            "last": jax.random.normal(next(keys), (2048, 10)) / math.sqrt(2048),
        }

        def loss_of(weights: Any, x: Any, kinds: Any) -> Any:
            x = jax.nn.relu(jax.lax.conv(x, weights["first"], (2, 2), "SAME"))
            x = jax.nn.relu(jax.lax.conv(x, weights["second"], (2, 2), "SAME"))
            told = jax.nn.log_softmax(x.reshape(x.shape[0], -1) @ weights["last"])
            return -jnp.mean(jnp.take_along_axis(told, kinds[:, None], axis=1))

        @jax.jit
        def train(weights: Any, key: Any) -> Any:
            one, other = jax.random.split(key)
            kinds = jax.random.randint(one, (batch,), 0, 10)
            x = images[kinds] + 0.5 * jax.random.normal(other, (batch, 3, 32, 32))
            loss, gradients = jax.value_and_grad(loss_of)(weights, x, kinds)
            return loss, jax.tree_util.tree_map(lambda w, g: w - 0.1 * g, weights, gradients)

        state = {"weights": weights}

        def step() -> float:
            loss, state["weights"] = train(state["weights"], next(keys))
            return float(loss)

        return step


@jax.jit
def _attention(q: Any, k: Any, v: Any) -> Any:
    scores = jnp.einsum("bhqd,bhkd->bhqk", q, k, preferred_element_type=jnp.float32)
    weights = jax.nn.softmax(scores / math.sqrt(q.shape[-1]), axis=-1).astype(v.dtype)
    return jnp.einsum("bhqk,bhkd->bhqd", weights, v)
