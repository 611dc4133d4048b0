"""Arrays of NumPy that a loop hands to JAX: each call copies them to the device again."""

import ast

from cudafit.lint.arguments import Call
from cudafit.lint.operations import flat
from cudafit.lint.run import Run
from cudafit.lint.values import UNKNOWN, Const, HostArray, Seq, Value
from cudafit.model import kinds

_READ = frozenset(("load", "loadtxt", "genfromtxt", "fromfile"))
_FILLED = frozenset(("zeros", "ones", "empty", "full", "random.random", "random.standard_normal", "random.uniform"))
_BY_NUMBERS = frozenset(("random.rand", "random.randn"))
_KEEP = frozenset(("asarray", "array", "ascontiguousarray", "copy"))
_CHANGE = frozenset(("shuffle", "copyto", "put", "place", "putmask", "fill_diagonal"))
_GIVE = frozenset(("astype", "copy", "reshape", "transpose", "squeeze", "ravel", "flatten", "swapaxes", "clip"))
_CHANGE_SELF = frozenset(("fill", "sort", "partition", "put", "resize", "itemset", "setfield"))
_LARGE = 100_000  # elements; what is smaller is copied in the time that the call takes anyway
_FEW_TURNS = 10


def made(run: Run, name: str, given: Call) -> Value | None:
    """What a function of NumPy makes, where the file uses JAX: an array whose size is known to matter."""
    last = name.removeprefix("numpy.")
    _note_changed(run, last, given)
    if "import jax" not in run.file.seen:
        return None
    if last in _READ and given.get(None, "mmap_mode") is None:
        return HostArray(run.loop)
    if last in _FILLED and _count(given.get(1 if last == "random.uniform" else 0, "shape", "size")) >= _LARGE:
        return HostArray(run.loop)
    if last in _BY_NUMBERS and _count(Seq(given.args)) >= _LARGE:
        return HostArray(run.loop)
    first = given.get(0, "a", "object")
    return derived(run, first) if last in _KEEP and isinstance(first, HostArray) else None


def _count(shape: Value | None) -> int:
    """How many elements an array of this shape has; 0 where that is not known."""
    numbers = shape.items if isinstance(shape, Seq) else [shape]
    count = 1
    for one in numbers:
        if not isinstance(one, Const) or not isinstance(one.value, int) or one.value > 1 << 40:
            return 0
        count *= one.value
    return count


def derived(run: Run, base: HostArray) -> HostArray:
    """What is computed from it here, on the host, and for each element."""
    return HostArray(run.loop, base.root)


def method(run: Run, base: HostArray, name: str, _given: Call) -> Value | None:
    if name in _CHANGE_SELF:
        base.change()
    return derived(run, base) if name in _GIVE else UNKNOWN


def _note_changed(run: Run, last: str, given: Call) -> None:
    """Functions of NumPy that write into what they are given."""
    if not run.around.loops:
        return
    targets = [given.keywords.get("out")]
    if last.rpartition(".")[2] in _CHANGE or last.endswith(".at"):
        targets.append(given.get(0))
    for value in targets:
        if isinstance(value, HostArray):
            value.change()


def given_to_compiled(run: Run, given: Call) -> None:
    """A compiled function is called: in each turn of a loop, with an array that was there before it."""
    around = run.around
    if not around.loops or around.absent or run.conditions_in_loop or not _turns_often(around.loops[-1]):
        return
    for value in flat(given.values()):
        if isinstance(value, HostArray) and value.loop is not around.loops[-1]:
            run.ending.host_arrays.append((value, given.node))


def _turns_often(loop: ast.AST) -> bool:
    over = loop.iter if isinstance(loop, ast.For) else None
    if isinstance(over, ast.Tuple | ast.List):
        return False
    last = over.args[-1] if isinstance(over, ast.Call) and over.args else None
    few = isinstance(last, ast.Constant) and isinstance(last.value, int) and last.value < _FEW_TURNS
    return not (few and isinstance(over, ast.Call) and getattr(over.func, "id", "") == "range")


def judge(run: Run) -> None:
    """What the loop itself changes on the host has to be copied, and JAX on the CPU copies nothing."""
    if run.ending.forced:
        return
    for value, node in run.ending.host_arrays:
        if not value.changed:
            run.hit(
                kinds.code.jax_host_array_in_loop,
                node,
                "an array of NumPy that was there before the loop is copied to the device by each of these calls",
            )
