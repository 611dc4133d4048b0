"""Layers that a module holds without knowing them."""

import ast
import re

from cudafit.lint.join import modules_in
from cudafit.lint.run import Run
from cudafit.lint.values import Class, Map
from cudafit.model import kinds


def unregistered(run: Run) -> None:
    """Lists and dicts with layers that were never made known to their module."""
    for base, name, held, node in run.training.plain_parts:
        if base.cls is None or base.attrs.get(name) is not held:
            continue
        layers = [module for module in modules_in(held) if not module.weightless]
        fresh = [module for module in layers if module.parent is None and module not in run.training.touched]
        if not layers or len(fresh) != len(layers) or not all(_made_in(module.node, base.cls) for module in layers):
            continue
        if not _is_called(base.cls, name):
            continue
        for module in layers:
            module.put_apart = True
        run.hit(
            kinds.code.unregistered_submodule,
            node,
            f"the layers in `self.{name}` are in a plain {'dict' if isinstance(held, Map) else 'list'}: "
            "the model does not move or train them",
        )


def _made_in(node: ast.AST, cls: Class) -> bool:
    first, last = cls.node.lineno, cls.node.end_lineno or cls.node.lineno
    return first <= getattr(node, "lineno", 0) <= last


def _is_called(cls: Class, name: str) -> bool:
    """Whether a method beside `__init__` uses `self.name`, and none makes it known in another way."""
    text = "\n".join(ast.unparse(item) for one in cls.line_of_descent() for item in one.node.body)
    if re.search(r"\badd_module\(|\bregister_module\(|\bsetattr\(self\b|\.register_parameter\(", text):
        return False
    pattern = re.compile(rf"\bself\.{re.escape(name)}\b")
    return any(
        pattern.search(ast.unparse(item))
        for one in cls.line_of_descent()
        for item in one.node.body
        if isinstance(item, ast.FunctionDef) and item.name != "__init__"
    )
