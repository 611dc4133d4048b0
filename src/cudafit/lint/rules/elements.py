"""Single elements that a loop fetches from an array of CuPy, each with a copy that the host waits for."""

import ast

from cudafit.lint.run import Run
from cudafit.lint.values import Const, Thing, Value
from cudafit.model import kinds

_MARK = "\0element"


def taken(run: Run, node: ast.Subscript, base: Value) -> Value:
    """`x[i]` of an array that a loop over `i` reads and does not change."""
    if not isinstance(base, Thing) or base.kind != "cupy" or _MARK in base.attrs or not run.around.loops:
        return base
    if run.conditions_in_loop or not isinstance(node.value, ast.Name):
        return base
    counted = _counted_by(run.around.loops)
    index = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    names = [one.id for one in index if isinstance(one, ast.Name) and one.id in counted]
    if len(names) < len(index) or not names:
        return base
    if any(_is_changed(counted[name], node.value.id) for name in names):
        return base
    return Thing("cupy", base.node, **{_MARK: Const(len(set(names)))})


def _counted_by(loops: list[ast.AST]) -> dict[str, ast.AST]:
    """The names that loops over `range` count with, each with its loop."""
    found: dict[str, ast.AST] = {}
    for loop in loops:
        if isinstance(loop, ast.For) and isinstance(loop.target, ast.Name):
            over = loop.iter
            if isinstance(over, ast.Call) and getattr(over.func, "id", "") in ("range", "trange", "prange"):
                found[loop.target.id] = loop
    return found


def _is_changed(loop: ast.AST, name: str) -> bool:
    """Whether the loop may change the array: it does more with it than read items of it."""
    read: set[int] = set()
    for statement in getattr(loop, "body", ()):
        for node in ast.walk(statement):
            if isinstance(node, ast.Subscript | ast.Attribute) and _reads(node):
                read.add(id(node.value))
            elif isinstance(node, ast.Name) and node.id == name and id(node) not in read:
                return True  # what holds a name is walked before it
    return False


def _reads(node: ast.Subscript | ast.Attribute) -> bool:
    if isinstance(node, ast.Subscript):
        return isinstance(node.ctx, ast.Load)
    return node.attr in ("shape", "size", "ndim", "dtype")


def fetched(run: Run, value: Value | None, node: ast.AST, *, single: bool) -> None:
    """It goes to the host. `single`: as a number, so that it has one element for certain."""
    if not isinstance(value, Thing) or run.conditions_in_loop:
        return
    mark = value.attrs.get(_MARK)
    if isinstance(mark, Const) and (single or mark.value != 1):
        message = "each turn of the loop fetches one element from the GPU, and waits for it"
        fix = "`.get()` of the whole array once, above the loop; or compute in CuPy without the loop"
        run.hit(kinds.code.cupy_roundtrip, node, message, fix=fix)
