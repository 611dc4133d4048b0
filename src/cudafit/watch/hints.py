"""What a job's code says about its loader and about layers that may be kept off the GPU. Pure.

Nothing is concluded from this alone: it tells where to look when a GPU was seen to wait.
"""

import ast
from collections.abc import Iterator

from cudafit.model.frozen import frozen
from cudafit.system.python_text import parsed

_SPREAD = ("auto", "balanced", "balanced_low_0", "sequential")
_OFFLOADERS = ("cpu_offload", "disk_offload", "enable_sequential_cpu_offload", "enable_model_cpu_offload")


@frozen
class Hints:
    """Line numbers, by what is said there."""

    loaders: tuple[int, ...] = ()  # a DataLoader without workers
    offloads: tuple[int, ...] = ()  # layers may go to the CPU or to disk


def hints_in(text: str) -> Hints:
    """Nothing where it is not Python."""
    try:
        tree = parsed(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Hints()
    calls = [one for one in ast.walk(tree) if isinstance(one, ast.Call)]
    return Hints(
        tuple(sorted(one.lineno for one in calls if _is_idle_loader(one))),
        tuple(sorted(one.lineno for one in calls if _offloads(one))),
    )


def _name(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _is_idle_loader(call: ast.Call) -> bool:
    """`num_workers` is the sixth parameter; what is unpacked may hold it."""
    if _name(call) != "DataLoader" or len(call.args) > 5 or any(isinstance(one, ast.Starred) for one in call.args):
        return False
    for one in call.keywords:
        if one.arg is None:
            return False
        if one.arg == "num_workers":
            return isinstance(one.value, ast.Constant) and one.value.value == 0
    return True


def _offloads(call: ast.Call) -> bool:
    if _name(call) in _OFFLOADERS:
        return True
    return any(word in _SPREAD for word in _device_maps(call))


def _device_maps(call: ast.Call) -> Iterator[object]:
    for one in call.keywords:
        if one.arg == "device_map" and isinstance(one.value, ast.Constant):
            yield one.value.value
