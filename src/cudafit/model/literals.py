"""Facts in Python source: read as text, never run."""

import ast
from typing import Any

from cudafit.system.python_text import parsed


def assignments(source: str) -> dict[str, Any]:
    """The top-level `name = literal` lines of a Python file, read and never run."""
    try:
        tree = parsed(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found: dict[str, Any] = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        literal = _literal(node.value)
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name) and literal is not _NOT_LITERAL:
                found[target.id] = literal
    return found


_NOT_LITERAL = object()


def _literal(node: ast.expr) -> Any:
    """A literal, also one wrapped in a call as `OrderedDict([('a', 1)])` and `collections.OrderedDict(...)` are."""
    if isinstance(node, ast.Call) and len(node.args) == 1:
        inner = _literal(node.args[0])
        try:
            return dict(inner)
        except (TypeError, ValueError):
            return _NOT_LITERAL
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError):
        return _NOT_LITERAL
