"""The benchmark's operations in TensorFlow, and Keras for the training step.

It tells no events of the device: many calls are timed up to their last result."""

from __future__ import annotations

import math
import os
import time
from typing import Any, Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Otherwise it takes all of the memory at once, and the growth would prove nothing.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")

import numpy
import tensorflow as tf

_KINDS = {
    "float64": tf.float64,
    "float32": tf.float32,
    "tf32": tf.float32,
    "float16": tf.float16,
    "bfloat16": tf.bfloat16,
}
Call = Callable[[], Any]


class Backend:
    def __init__(self, device: str) -> None:
        self.version = str(tf.__version__)
        self.cuda = device != "cpu"
        self.number = int(device.partition(":")[2] or 0)
        self.device = f"/GPU:{self.number}" if self.cuda else "/CPU:0"
        self.dtypes = ["float32", "float64", "bfloat16"]
        self.layer_dtypes = ["float32"]
        if self.cuda and self.seen():
            self._gpu_dtypes()
        # TF32 is measured under its own name, and float32 is float32.
        tf.config.experimental.enable_tensor_float_32_execution(False)
        # What cannot run on the GPU must not quietly run on the CPU.
        tf.config.set_soft_device_placement(False)

    def _gpu_dtypes(self) -> None:
        told = tf.config.experimental.get_device_details(tf.config.list_physical_devices("GPU")[self.number])
        newer = tuple(told.get("compute_capability") or (0, 0)) >= (8, 0)
        self.dtypes = ["float32", "float16", "float64", *(["tf32", "bfloat16"] if newer else [])]
        self.layer_dtypes.append("bfloat16" if newer else "float16")

    def seen(self) -> list[dict[str, Any]]:
        if not self.cuda:
            return []
        devices = tf.config.list_physical_devices("GPU")
        return [{"name": tf.config.experimental.get_device_details(one).get("device_name")} for one in devices]

    def where(self, x: Any) -> str:
        kind, _, number = x.device.rpartition("device:")[2].partition(":")
        return "cpu" if kind == "CPU" else f"cuda:{number}"

    def free_bytes(self) -> int | None:
        return None

    def _on(self) -> Any:
        return tf.device(self.device)

    def array(self, values: list[float], shape: tuple[int, ...], dtype: str) -> Any:
        with self._on():
            return tf.cast(tf.constant(values, _wide(dtype), shape), _KINDS[dtype])

    def flat(self, x: Any) -> list[float]:
        values: list[float] = tf.cast(x, _wide(x.dtype.name)).numpy().astype(numpy.float64).ravel().tolist()
        return values

    def pick(self, x: Any, rows: list[int] | None, columns: list[int] | None) -> list[list[float]]:
        x = x if rows is None else tf.stack([x[row] for row in rows])
        x = x if columns is None else tf.stack([x[:, column] for column in columns], axis=1)
        values: list[list[float]] = tf.cast(x, _wide(x.dtype.name)).numpy().astype(numpy.float64).tolist()
        return values

    def random_numbers(self, count: int, dtype: str, seed: int) -> Any:
        return self.uniform((count,), dtype, seed)

    def uniform(self, shape: tuple[int, ...], dtype: str, seed: int) -> Any:
        with self._on():
            found = tf.random.stateless_uniform(shape, (seed, 1), -1, 1, _wide(dtype))
            return tf.cast(found, _KINDS[dtype])

    def _litter(self, shape: tuple[int, ...], kind: Any) -> None:
        """NaN in memory that is free again, and that the next operation of that size gets for its output."""
        with self._on():
            tf.cast(tf.fill(shape, tf.constant(math.nan, tf.float32)), kind)

    def matmul(self, a: Any, b: Any, dtype: str) -> Any:
        self._litter((a.shape[0], b.shape[1]), _KINDS[dtype])
        return self.matmul_call(a, b, dtype)()

    def matmul_call(self, a: Any, b: Any, dtype: str) -> Call:
        def call() -> Any:
            with self._on():
                return tf.linalg.matmul(a, b)

        if dtype != "tf32":
            return call

        def with_tf32() -> Any:
            tf.config.experimental.enable_tensor_float_32_execution(True)
            try:
                return call()
            finally:
                tf.config.experimental.enable_tensor_float_32_execution(False)

        return with_tf32

    def total(self, x: Any) -> float:
        with self._on():
            return float(tf.reduce_sum(x))

    def largest(self, x: Any) -> float:
        with self._on():
            return float(tf.reduce_max(x))

    def conv2d(self, x: Any, w: Any) -> Any:
        with self._on():
            found = tf.nn.conv2d(tf.transpose(x, (0, 2, 3, 1)), tf.transpose(w, (2, 3, 1, 0)), 1, "VALID")
            return tf.transpose(found, (0, 3, 1, 2))

    def fft(self, x: Any) -> tuple[list[float], list[float]]:
        with self._on():
            found = tf.signal.fft(tf.complex(x, tf.zeros_like(x)))
            return self.flat(tf.math.real(found)), self.flat(tf.math.imag(found))

    def attention(self, q: Any, k: Any, v: Any) -> Any:
        with self._on():
            scores = tf.cast(tf.linalg.matmul(q, k, transpose_b=True), tf.float32) / math.sqrt(q.shape[-1])
            return tf.linalg.matmul(tf.cast(tf.nn.softmax(scores), v.dtype), v)

    def attention_call(self, q: Any, k: Any, v: Any) -> Call:
        return lambda: self.attention(q, k, v)

    def timed(self, call: Call, count: int) -> float:
        begun = time.perf_counter()
        result: Any = None
        for _ in range(count):
            result = call()
        self._wait(result)
        return (time.perf_counter() - begun) / count

    def _wait(self, result: Any) -> None:
        """Until the device is done: one number of the last result is fetched."""
        if self.cuda and tf.is_tensor(result):
            tf.reshape(result, (-1,))[:1].numpy()

    def _checked(self, call: Call, right: Any) -> tuple[Call, Call]:
        def check() -> float:
            with self._on():
                return float(tf.reduce_max(tf.abs(call() - right)))

        return call, check

    def copy_calls(self, count: int, seed: int) -> tuple[Call, Call]:
        x = self.uniform((count,), "float32", seed)

        def call() -> Any:
            """tf.identity copies nothing."""
            with self._on():
                return tf.raw_ops.DeepCopy(x=x)

        return self._checked(call, x)

    def triad_calls(self, count: int, seed: int) -> tuple[Call, Call]:
        x, y = (self.uniform((count,), "float32", one) for one in (seed, seed + 1))
        triad = tf.function(lambda a, b: a + 3.0 * b, jit_compile=self.cuda)

        def call() -> Any:
            with self._on():
                return triad(x, y)

        with self._on():
            return self._checked(call, x + 3.0 * y)

    def transfer_calls(self, count: int, seed: int, pinned: bool, to_device: bool) -> tuple[Call, Call]:
        if pinned:
            raise NotImplementedError("TensorFlow lets nobody choose pinned memory")
        x = self.uniform((count,), "float32", seed)
        with tf.device("/CPU:0"):
            host = tf.identity(x)
        if not to_device:
            return x.numpy, lambda: float(numpy.abs(x.numpy() - host.numpy()).max())

        def send() -> Any:
            with self._on():
                return tf.identity(host)

        return self._checked(send, x)

    def peer_calls(self, count: int, seed: int) -> tuple[Call, Call]:
        raise NotImplementedError("measured with PyTorch and JAX only")

    def all_reduce_calls(self, count: int) -> tuple[Call, Call]:
        raise NotImplementedError("measured with PyTorch only")

    def conv2d_training_call(self, shape: tuple[int, ...], dtype: str, seed: int) -> Call:
        batch, channels, height, width = shape
        x, gradient = (self.uniform((batch, height, width, channels), dtype, one) for one in (seed, seed + 1))
        w = self.uniform((3, 3, channels, channels), dtype, seed + 2)

        @tf.function
        def both() -> Any:
            with tf.GradientTape() as tape:
                tape.watch([x, w])
                out = tf.nn.conv2d(x, w, 1, "SAME")
            return tape.gradient(out, [x, w], gradient)

        def call() -> Any:
            with self._on():
                return both()[1]

        return call

    def launch_call(self) -> Call:
        with self._on():
            x = tf.zeros(1)

        def call() -> Any:
            with self._on():
                return x + 1.0

        return call

    def training_step(self, batch: int, seed: int) -> Callable[[], float]:
        """Ten kinds of images, each a pattern under noise."""
        tf.random.set_seed(seed)
        layers = tf.keras.layers
        with self._on():
            images = tf.random.normal((10, 32, 32, 3))
            model = tf.keras.Sequential(
                [
                    layers.Input((32, 32, 3)),
                    layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
                    layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
                    layers.Flatten(),
                    layers.Dense(10),
                ]
            )
            weights = model.trainable_variables

        @tf.function
        def train() -> Any:
            kinds = tf.random.uniform((batch,), 0, 10, tf.int32)
            x = tf.gather(images, kinds) + 0.5 * tf.random.normal((batch, 32, 32, 3))
            with tf.GradientTape() as tape:
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(kinds, model(x, training=True))
                loss = tf.reduce_mean(losses)
            for weight, gradient in zip(weights, tape.gradient(loss, weights)):
                weight.assign_sub(0.1 * gradient)
            return loss

        def step() -> float:
            with self._on():
                return float(train())

        return step


def _wide(dtype: str) -> Any:
    return tf.float64 if dtype == "float64" else tf.float32
