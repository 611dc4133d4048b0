"""Arrays that leave the GPU, are computed with on the host, and go back."""

import ast

from cudafit.lint.arguments import Call
from cudafit.lint.rules import elements, host_arrays
from cudafit.lint.run import Run
from cudafit.lint.values import UNKNOWN, Host, Tensor, Thing, Value
from cudafit.model import kinds


def brought(run: Run, tensor: Tensor, node: ast.AST) -> Value:
    """`.numpy()` of a tensor of the device."""
    if tensor.place == "cpu" or (not tensor.modules and tensor.place != "host"):
        return UNKNOWN
    if run.around.in_forward == 0 and not run.around.loops:
        return UNKNOWN
    run.again = True
    return Host(node, "torch", run.loop)


def back(run: Run, host: Host) -> None:
    """It goes back to the device: both ways in one turn of a loop are what makes it slow."""
    if host.tool == "torch" and host.computed and (host.loop is run.loop or run.around.in_forward):
        run.ending.returned.append((host, run.loop, 0 if run.around.in_forward else run.conditions_in_loop))
    if host.tool == "cupy" and host.loop is run.loop and run.around.loops:
        _round_trip(run, host)


def _round_trip(run: Run, host: Host) -> None:
    if run.conditions_in_loop:
        return  # only in some turns
    run.hit(kinds.code.cupy_roundtrip, host.node, "in each turn of the loop this array goes to the host and comes back")


def on_host(run: Run, host: Host) -> None:
    """NumPy computes with an array that CuPy had: a round trip too, where the loop iterates on that array."""
    if host.tool != "cupy" or host.loop is not run.loop or not run.around.loops:
        return
    loop = run.around.loops[-1]
    counts = (
        isinstance(loop, ast.For) and isinstance(loop.iter, ast.Call) and getattr(loop.iter.func, "id", "") == "range"
    )
    if (counts or isinstance(loop, ast.While)) and not run.conditions_in_loop:
        run.hit(
            kinds.code.cupy_roundtrip,
            host.node,
            "in each turn of the loop this array goes to the host, and NumPy computes there",
        )


def judge(run: Run) -> None:
    """What went to the host and back in a loop that trains: at each step, not only in some turns, for a picture."""
    for host, loop, conditions in run.ending.returned:
        steps = [run.training.stepped[one] for one in (loop, host.loop) if one in run.training.stepped]
        if steps and conditions <= max(steps):
            run.hit(
                kinds.code.host_compute_in_loop,
                host.node,
                "each step waits for the GPU here, computes with NumPy on the CPU, and copies the result back",
            )


def cupy(run: Run, name: str, given: Call) -> Value | None:
    """Functions of CuPy."""
    last = name.rpartition(".")[2]
    run.file.seen.add("cupy")
    if last == "asnumpy":
        return to_host(run, given.get(0, "a"), given.node)
    for value in given.args:
        if isinstance(value, Host):
            back(run, value)
    if last in ("get_array_module", "is_available", "getDeviceCount", "is_cupy_array") or "cuda" in name:
        return UNKNOWN
    return Thing("cupy", given.node)


def to_host(run: Run, value: Value | None, node: ast.AST) -> Value:
    elements.fetched(run, value, node, single=False)
    if isinstance(value, Thing) and value.kind == "cupy" and run.around.loops:
        run.again = True
        return Host(node, "cupy", run.loop)
    return UNKNOWN


def cupy_method(run: Run, base: Thing, name: str, given: Call) -> Value | None:
    if name == "get":
        return to_host(run, base, given.node)
    if name in ("item", "tolist"):
        elements.fetched(run, base, given.node, single=name == "item")
        return UNKNOWN
    return base


def number(run: Run, _name: str, given: Call) -> Value | None:
    """`float(x[i])` brings the element to the host."""
    elements.fetched(run, given.get(0), given.node, single=True)
    return None


_KEEPS = (
    "lstsq",
    "eig",
    "eigvals",
    "save",
    "savez",
    "savetxt",
    "savez_compressed",
    "shape",
    "ndim",
    "size",
    "allclose",
    "array_equal",
    "testing",
)


# Work that CuPy does as well; small matrices are often put together and solved on the host for good reasons.
_COMPUTES = frozenset(
    [
        "abs",
        "exp",
        "log",
        "sqrt",
        "sin",
        "cos",
        "tan",
        "tanh",
        "power",
        "square",
        "sum",
        "mean",
        "std",
        "var",
        "max",
        "min",
        "amax",
        "amin",
        "norm",
        "dot",
        "matmul",
        "einsum",
        "fft",
        "ifft",
        "fft2",
        "ifft2",
        "rfft",
        "irfft",
        "clip",
        "where",
        "maximum",
        "minimum",
        "sort",
        "argsort",
        "cumsum",
        "convolve",
        "gradient",
    ]
)


def numpy(run: Run, name: str, given: Call) -> Value | None:
    """Functions of NumPy on an array that came from the device."""
    last = name.rpartition(".")[2]
    if name.startswith(("numpy.random.", "numpy.testing.")) or last in _KEEPS:
        made = host_arrays.made(run, name, given)
        return made if made is not None else UNKNOWN
    hosts = [value for value in given.values() if isinstance(value, Host)]
    tensors = [value for value in given.args if isinstance(value, Tensor)]
    if not hosts and tensors and last in ("array", "asarray"):
        return brought(run, tensors[0], given.node)
    if not hosts:
        made = host_arrays.made(run, name, given)
        return made if made is not None else UNKNOWN
    if last in _COMPUTES:
        on_host(run, hosts[0])
    computed = hosts[0].computed or last not in ("array", "asarray", "ascontiguousarray", "copy")
    return Host(hosts[0].node, hosts[0].tool, hosts[0].loop, computed=computed)


def method(_run: Run, base: Host, name: str, _given: Call) -> Value | None:
    if name in ("copy", "astype", "reshape", "squeeze", "ravel", "flatten", "transpose", "swapaxes", "view"):
        return base
    if name in ("tobytes", "tofile", "dump", "item", "tolist"):
        return UNKNOWN
    return Host(base.node, base.tool, base.loop, computed=True)
