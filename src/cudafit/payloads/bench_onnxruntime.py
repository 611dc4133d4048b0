"""The benchmark's operations in ONNX Runtime: models of one or a few nodes, written out here as ONNX keeps them.

It tells no events of the device: a run with bound inputs and outputs returns when the device is done.
"""

from __future__ import annotations

import math
import struct
import time
from typing import Any, Callable, Sequence

import numpy
import onnxruntime

# onnx.proto, TensorProto.DataType.
_TYPES = {"float32": 1, "float16": 10, "float64": 11, "int64": 7}
_KINDS = {"float32": numpy.float32, "float16": numpy.float16, "float64": numpy.float64}
# The names that ONNX Runtime gives its element types.
_TOLD = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(double)": "float64"}
Call = Callable[[], Any]
Node = "tuple[str, list[str], list[str], dict[str, Any]]"


class Backend:
    def __init__(self, device: str) -> None:
        self.version = str(onnxruntime.__version__)
        self.cuda = device != "cpu"
        self.number = int(device.partition(":")[2] or 0)
        self.place = "cuda" if self.cuda else "cpu"
        self.dtypes = ["float32", "float16"] if self.cuda else ["float32", "float64"]
        self.layer_dtypes = ["float32"]
        self.run_options = onnxruntime.RunOptions()
        if self.cuda and hasattr(onnxruntime, "preload_dlls"):
            onnxruntime.preload_dlls()  # the CUDA libraries of the environment's own wheels

    def seen(self) -> list[dict[str, Any]]:
        """It does not count GPUs: what it can tell is whether a session starts on the one that was asked for."""
        if not self.cuda or "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
            return []
        session = self._session([("Identity", ["a"], ["y"], {})], {"a": "float32"})
        if "CUDAExecutionProvider" not in session.get_providers():
            return []
        return [{"name": None} for _ in range(self.number + 1)]

    def where(self, x: Any) -> str:
        return "cpu" if x.device_name() == "cpu" else f"cuda:{self.number}"

    def free_bytes(self) -> int | None:
        return None

    def _session(self, nodes: Sequence[Any], inputs: dict[str, str], out: str = "float32") -> Any:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        providers: list[Any] = ["CPUExecutionProvider"]
        if self.cuda:
            # What cannot run on the GPU must not quietly run on the CPU.
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
            providers = [("CUDAExecutionProvider", {"device_id": str(self.number), "use_tf32": "0"})]
        return onnxruntime.InferenceSession(_model(nodes, inputs, out), options, providers=providers)

    def _value(self, values: Any) -> Any:
        return onnxruntime.OrtValue.ortvalue_from_numpy(values, self.place, self.number)

    def _bound(self, session: Any, inputs: dict[str, Any], shape: Sequence[int], dtype: str) -> Call:
        """A call that writes into an output that holds NaN before."""
        out = self._value(numpy.full(shape, numpy.nan, _KINDS[dtype]))
        binding = session.io_binding()
        for name, value in inputs.items():
            binding.bind_ortvalue_input(name, value)
        binding.bind_ortvalue_output("y", out)

        def call() -> Any:
            session.run_with_iobinding(binding, self.run_options)
            return out

        return call

    def array(self, values: list[float], shape: tuple[int, ...], dtype: str) -> Any:
        return self._value(numpy.array(values, _KINDS[dtype]).reshape(shape))

    def flat(self, x: Any) -> list[float]:
        values: list[float] = x.numpy().astype(numpy.float64).ravel().tolist()
        return values

    def pick(self, x: Any, rows: list[int] | None, columns: list[int] | None) -> list[list[float]]:
        found = x.numpy()
        found = found if rows is None else found[rows]
        found = found if columns is None else found[:, columns]
        values: list[list[float]] = found.astype(numpy.float64).tolist()
        return values

    def uniform(self, shape: tuple[int, ...], dtype: str, seed: int) -> Any:
        """Made by numpy: a session for each shape would take longer than the test."""
        drawn = numpy.random.default_rng(seed).random(shape, numpy.float32) * 2 - 1
        return self._value(drawn.astype(_KINDS[dtype]))

    def random_numbers(self, count: int, dtype: str, seed: int) -> Any:
        told = {"shape": [count], "low": -1.0, "high": 1.0, "seed": float(seed % 100_000)}
        session = self._session([("RandomUniform", [], ["y"], told)], {})
        return self._bound(session, {}, (count,), "float32")()

    def matmul(self, a: Any, b: Any, dtype: str) -> Any:
        return self.matmul_call(a, b, dtype)()

    def matmul_call(self, a: Any, b: Any, dtype: str) -> Call:
        session = self._session([("MatMul", ["a", "b"], ["y"], {})], {"a": dtype, "b": dtype}, dtype)
        return self._bound(session, {"a": a, "b": b}, (a.shape()[0], b.shape()[1]), dtype)

    def _reduced(self, kind: str, x: Any) -> float:
        session = self._session([(kind, ["a"], ["y"], {"keepdims": 0})], {"a": "float32"})
        return float(self._bound(session, {"a": x}, (), "float32")().numpy())

    def total(self, x: Any) -> float:
        return self._reduced("ReduceSum", x)

    def largest(self, x: Any) -> float:
        return self._reduced("ReduceMax", x)

    def conv2d(self, x: Any, w: Any) -> Any:
        session = self._session([("Conv", ["a", "b"], ["y"], {})], {"a": "float32", "b": "float32"})
        (batch, _, height, width), out = x.shape(), w.shape()[0]
        return self._bound(session, {"a": x, "b": w}, (batch, out, height - 2, width - 2), "float32")()

    def fft(self, x: Any) -> tuple[list[float], list[float]]:
        raise NotImplementedError("ONNX Runtime has no FFT on every device")

    def attention(self, q: Any, k: Any, v: Any) -> Any:
        return self._attention_call(q, k, v)()

    def _attention_call(self, q: Any, k: Any, v: Any) -> Call:
        dtype, width = _TOLD[q.data_type()], q.shape()[-1]
        nodes = [
            ("Transpose", ["k"], ["turned"], {"perm": [0, 1, 3, 2]}),
            ("MatMul", ["q", "turned"], ["scores"], {}),
            ("Mul", ["scores", "scale"], ["scaled"], {}),
            ("Softmax", ["scaled"], ["weights"], {"axis": -1}),
            ("MatMul", ["weights", "v"], ["y"], {}),
        ]
        scale = self.array([1 / math.sqrt(width)], (1,), dtype)
        session = self._session(nodes, dict.fromkeys(("q", "k", "v", "scale"), dtype), dtype)
        return self._bound(session, {"q": q, "k": k, "v": v, "scale": scale}, q.shape(), dtype)

    def attention_call(self, q: Any, k: Any, v: Any) -> Call:
        return self._attention_call(q, k, v)

    def timed(self, call: Call, count: int) -> float:
        begun = time.perf_counter()
        for _ in range(count):
            call()
        return (time.perf_counter() - begun) / count

    def _checked(self, nodes: Sequence[Any], inputs: dict[str, Any], right: Any) -> tuple[Call, Call]:
        session = self._session(nodes, dict.fromkeys(inputs, "float32"))
        call = self._bound(session, inputs, right.shape, "float32")
        return call, lambda: float(numpy.abs(call().numpy() - right).max())

    def copy_calls(self, count: int, seed: int) -> tuple[Call, Call]:
        x = self.uniform((count,), "float32", seed)
        # Identity may hand the input on; the negative is read and written as a copy is.
        return self._checked([("Neg", ["a"], ["y"], {})], {"a": x}, -x.numpy())

    def triad_calls(self, count: int, seed: int) -> tuple[Call, Call]:
        raise NotImplementedError("no operation of ONNX does it in one pass")

    def transfer_calls(self, count: int, seed: int, pinned: bool, to_device: bool) -> tuple[Call, Call]:
        if pinned:
            raise NotImplementedError("ONNX Runtime has no arrays in pinned memory that every version knows")
        x = self.uniform((count,), "float32", seed)
        host = x.numpy()
        if not to_device:
            return x.numpy, lambda: float(numpy.abs(x.numpy() - host).max())
        x.update_inplace(numpy.full((count,), numpy.nan, numpy.float32))
        return (lambda: x.update_inplace(host)), lambda: float(numpy.abs(x.numpy() - host).max())

    def peer_calls(self, count: int, seed: int) -> tuple[Call, Call]:
        raise NotImplementedError("measured with PyTorch and JAX only")

    def all_reduce_calls(self, count: int) -> tuple[Call, Call]:
        raise NotImplementedError("measured with PyTorch only")

    def conv2d_training_call(self, shape: tuple[int, ...], dtype: str, seed: int) -> Call:
        raise NotImplementedError("ONNX Runtime runs models, and trains none")

    def launch_call(self) -> Call:
        x = self._value(numpy.zeros(1, numpy.float32))
        session = self._session([("Neg", ["a"], ["y"], {})], {"a": "float32"})
        return self._bound(session, {"a": x}, (1,), "float32")

    def training_step(self, batch: int, seed: int) -> Callable[[], float]:
        raise NotImplementedError("ONNX Runtime runs models, and trains none")


# ---- ONNX as it is written: protocol buffers, by the field numbers of onnx.proto.


def _model(nodes: Sequence[Any], inputs: dict[str, str], out: str) -> bytes:
    """A model of operator set 13, with shapes left open."""
    graph = b"".join(_part(1, _node(*node)) for node in nodes) + _part(2, b"graph")
    graph += b"".join(_part(11, _value_info(name, dtype)) for name, dtype in inputs.items())
    graph += _part(12, _value_info("y", out))
    operators = _part(1, b"") + _number(2, 13)
    return _number(1, 8) + _part(7, graph) + _part(8, operators)


def _node(kind: str, inputs: list[str], outputs: list[str], attributes: dict[str, Any]) -> bytes:
    text = b"".join(_part(1, name.encode()) for name in inputs) + b"".join(_part(2, name.encode()) for name in outputs)
    text += _part(4, kind.encode())
    return text + b"".join(_part(5, _attribute(name, value)) for name, value in attributes.items())


def _attribute(name: str, value: Any) -> bytes:
    """AttributeProto: FLOAT is type 1 in field 2, INT type 2 in field 3, INTS type 7 in field 8."""
    text = _part(1, name.encode())
    if isinstance(value, float):
        return text + _key(2, 5) + struct.pack("<f", value) + _number(20, 1)
    if isinstance(value, int):
        return text + _number(3, value) + _number(20, 2)
    return text + b"".join(_number(8, one) for one in value) + _number(20, 7)


def _value_info(name: str, dtype: str) -> bytes:
    return _part(1, name.encode()) + _part(2, _part(1, _number(1, _TYPES[dtype])))


def _part(field: int, content: bytes) -> bytes:
    return _key(field, 2) + _varint(len(content)) + content


def _number(field: int, value: int) -> bytes:
    return _key(field, 0) + _varint(value & (1 << 64) - 1)


def _key(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
