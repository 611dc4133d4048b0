"""The benchmark's operations in PyTorch."""

from __future__ import annotations

import time
from typing import Any, Callable

import torch

F = torch.nn.functional
_KINDS = {
    "float64": torch.float64,
    "float32": torch.float32,
    "tf32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float8": getattr(torch, "float8_e4m3fn", None),
}
Call = Callable[[], Any]


class Backend:
    def __init__(self, device: str) -> None:
        self.version = str(torch.__version__)
        self.cuda = device != "cpu"
        self.device = torch.device(device)
        self.dtypes = ["float32", "bfloat16", "float64"]
        self.layer_dtypes = ["float32"]
        if self.cuda:
            if self.seen():
                torch.cuda.set_device(self.device)
                self._gpu_dtypes(torch.cuda.get_device_capability(self.device))
            # TF32 is measured under its own name, and float32 is float32.
            torch.backends.cuda.matmul.allow_tf32 = False
            torch.backends.cudnn.allow_tf32 = False

    def _gpu_dtypes(self, capability: tuple[int, int]) -> None:
        self.dtypes = ["float32", "float16", "float64"]
        if capability >= (8, 0):
            self.dtypes += ["tf32", "bfloat16"]
        if capability >= (8, 9) and _KINDS["float8"] and hasattr(torch, "_scaled_mm"):
            self.dtypes.append("float8")
        self.layer_dtypes.append("bfloat16" if capability >= (8, 0) else "float16")

    def seen(self) -> list[dict[str, Any]]:
        if not self.cuda:
            return []
        if not torch.cuda.is_available():
            if torch.version.cuda:
                torch.cuda.init()  # it raises the reason, which is_available() keeps to itself
            return []
        found = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
        return [{"name": one.name, "uuid": str(getattr(one, "uuid", "")) or None} for one in found]

    def where(self, x: Any) -> str:
        return str(x.device)

    def free_bytes(self) -> int | None:
        return int(torch.cuda.mem_get_info(self.device)[0]) if self.cuda else None

    def array(self, values: list[float], shape: tuple[int, ...], dtype: str) -> Any:
        return (
            torch.tensor(values, dtype=torch.float32 if dtype != "float64" else torch.float64)
            .reshape(shape)
            .to(self.device)
            .to(_KINDS[dtype])
        )

    def flat(self, x: Any) -> list[float]:
        values: list[float] = x.detach().to(torch.float64).cpu().flatten().tolist()
        return values

    def pick(self, x: Any, rows: list[int] | None, columns: list[int] | None) -> list[list[float]]:
        """Lines are widened one by one: the whole may be large, and float8 cannot be stacked."""
        if rows is not None:
            x = torch.stack([x[row].to(torch.float64) for row in rows])
        if columns is not None:
            x = torch.stack([x[:, column].to(torch.float64) for column in columns], dim=1)
        values: list[list[float]] = x.cpu().tolist()
        return values

    def random_numbers(self, count: int, dtype: str, seed: int) -> Any:
        return self.uniform((count,), dtype, seed)

    def uniform(self, shape: tuple[int, ...], dtype: str, seed: int) -> Any:
        source = torch.Generator(device=self.device)
        source.manual_seed(seed)
        kind = torch.float64 if dtype == "float64" else torch.float32
        return (torch.rand(shape, generator=source, device=self.device, dtype=kind) * 2 - 1).to(_KINDS[dtype])

    def poisoned(self, shape: tuple[int, ...], kind: Any) -> Any:
        return torch.full(shape, float("nan"), device=self.device, dtype=kind)

    def _litter(self, shape: tuple[int, ...], kind: Any) -> None:
        """NaN in memory that is free again, and that the next operation of that size gets for its output."""
        self.poisoned(shape, kind)

    def matmul(self, a: Any, b: Any, dtype: str) -> Any:
        return self.matmul_call(a, b, dtype)()

    def matmul_call(self, a: Any, b: Any, dtype: str) -> Call:
        if dtype == "float8":
            one = torch.ones((), device=self.device)
            turned = b.t().contiguous().t()  # the second factor's columns lie together
            self._litter((a.shape[0], b.shape[1]), torch.bfloat16)

            def scaled() -> Any:
                """Before torch 2.5 it gave the largest number as well."""
                found = torch._scaled_mm(a, turned, scale_a=one, scale_b=one, out_dtype=torch.bfloat16)
                return found[0] if isinstance(found, tuple) else found

            return scaled
        out = self.poisoned((a.shape[0], b.shape[1]), _KINDS[dtype])
        if dtype != "tf32":
            return lambda: torch.matmul(a, b, out=out)

        def with_tf32() -> Any:
            torch.backends.cuda.matmul.allow_tf32 = True
            try:
                return torch.matmul(a, b, out=out)
            finally:
                torch.backends.cuda.matmul.allow_tf32 = False

        return with_tf32

    def total(self, x: Any) -> float:
        return float(torch.sum(x).item())

    def largest(self, x: Any) -> float:
        return float(torch.max(x).item())

    def conv2d(self, x: Any, w: Any) -> Any:
        self._litter((x.shape[0], w.shape[0], x.shape[2] - 2, x.shape[3] - 2), x.dtype)
        return F.conv2d(x, w)

    def fft(self, x: Any) -> tuple[list[float], list[float]]:
        self._litter((*x.shape, 2), torch.float32)
        found = torch.fft.fft(x)
        return self.flat(found.real), self.flat(found.imag)

    def attention(self, q: Any, k: Any, v: Any) -> Any:
        return F.scaled_dot_product_attention(q, k, v)

    def attention_call(self, q: Any, k: Any, v: Any) -> Call:
        return lambda: self.attention(q, k, v)

    def timed(self, call: Call, count: int) -> float:
        """Seconds of one call: by the GPU's own events, on the CPU by its clock."""
        if not self.cuda:
            begun = time.perf_counter()
            for _ in range(count):
                call()
            return (time.perf_counter() - begun) / count
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        for _ in range(count):
            call()
        end.record()
        end.synchronize()
        return float(start.elapsed_time(end)) / 1e3 / count

    def _line(self, count: int, seed: int) -> Any:
        return self.uniform((count,), "float32", seed)

    def copy_calls(self, count: int, seed: int) -> tuple[Call, Call]:
        x = self._line(count, seed)
        out = self.poisoned((count,), torch.float32)
        return (lambda: out.copy_(x)), lambda: self._difference(x, out)

    def triad_calls(self, count: int, seed: int) -> tuple[Call, Call]:
        x, y = self._line(count, seed), self._line(count, seed + 1)
        out = self.poisoned((count,), torch.float32)
        return (lambda: torch.add(x, y, alpha=3.0, out=out)), lambda: self._difference(x + 3.0 * y, out)

    def _difference(self, x: Any, y: Any) -> float:
        return float((x - y.to(x.device)).abs().max().item())

    def transfer_calls(self, count: int, seed: int, pinned: bool, to_device: bool) -> tuple[Call, Call]:
        x = self._line(count, seed)
        host = torch.full((count,), float("nan"), pin_memory=pinned)
        if to_device:
            host.copy_(x)
            out = self.poisoned((count,), torch.float32)
            return (lambda: out.copy_(host, non_blocking=pinned)), lambda: self._difference(x, out)
        return (lambda: host.copy_(x, non_blocking=pinned)), lambda: self._difference(x, host)

    def peer_calls(self, count: int, seed: int) -> tuple[Call, Call]:
        x = self._line(count, seed)
        other = torch.device("cuda", (x.device.index + 1) % torch.cuda.device_count())
        out = torch.full((count,), float("nan"), device=other)
        return (lambda: out.copy_(x, non_blocking=True)), lambda: self._difference(x, out)

    def all_reduce_calls(self, count: int) -> tuple[Call, Call]:
        import torch.cuda.nccl  # noqa: PLC0415 - for several GPUs only

        gpus = torch.cuda.device_count()
        inputs = [torch.full((count,), float(index + 1), device=f"cuda:{index}") for index in range(gpus)]
        outputs = [torch.full_like(one, float("nan")) for one in inputs]

        def call() -> None:
            torch.cuda.nccl.all_reduce(inputs, outputs)

        right = gpus * (gpus + 1) / 2
        return call, lambda: max(float((one - right).abs().max().item()) for one in outputs)

    def conv2d_training_call(self, shape: tuple[int, ...], dtype: str, seed: int) -> Call:
        x = self.uniform(shape, dtype, seed).requires_grad_()
        w = self.uniform((shape[1], shape[1], 3, 3), dtype, seed + 1).requires_grad_()
        gradient = self.uniform(shape, dtype, seed + 2)
        return lambda: torch.autograd.grad(F.conv2d(x, w, padding=1), (x, w), gradient)

    def launch_call(self) -> Call:
        x = torch.zeros(1, device=self.device)
        return lambda: x.add_(1.0)

    def training_step(self, batch: int, seed: int) -> Callable[[], float]:
        """Ten kinds of images, each a pattern under noise."""
        torch.manual_seed(seed)
        images = torch.randn(10, 3, 32, 32, device=self.device)
        model = torch.nn.Sequential(
            torch.nn.Conv2d(3, 16, 3, stride=2, padding=1),
            torch.nn.ReLU(),
            torch.nn.Conv2d(16, 32, 3, stride=2, padding=1),
            torch.nn.ReLU(),
            torch.nn.Flatten(),
            torch.nn.Linear(32 * 8 * 8, 10),
        ).to(self.device)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)

        def step() -> float:
            kinds = torch.randint(10, (batch,), device=self.device)
            x = images[kinds] + 0.5 * torch.randn(batch, 3, 32, 32, device=self.device)
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), kinds)
            loss.backward()
            optimizer.step()
            return float(loss.item())

        return step
