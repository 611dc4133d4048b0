"""Walks statements, each by its kind; False where the code does not go on after it."""

import ast
from collections.abc import Callable, Sequence
from typing import Any

from cudafit.lint import assignments, blocks, branches
from cudafit.lint.definitions import define_class, define_function
from cudafit.lint.imports import bind_import
from cudafit.lint.rules import torch_tensors
from cudafit.lint.run import Run


def walk(run: Run, body: Sequence[ast.stmt]) -> bool:
    """Walks statements in order; False where the code does not go on after them."""
    for statement in body:
        run.tick()
        handler = _HANDLERS.get(type(statement))
        if handler is not None and handler(run, statement) is False:
            return False
    return True


def _expression(run: Run, node: ast.Expr) -> None:
    if isinstance(node.value, ast.Constant):
        return
    run.evaluate(node.value)
    if isinstance(node.value, ast.Tuple):  # `x.to(device), y.to(device)`
        for item in node.value.elts:
            torch_tensors.discarded(run, item, alone=False)
    else:
        torch_tensors.discarded(run, node.value, alone=True)


def _stop(_run: Run, _node: ast.stmt) -> bool:
    return False


def _assert(run: Run, node: ast.Assert) -> None:
    run.evaluate(node.test)


_HANDLERS: dict[type, Callable[[Run, Any], bool | None]] = {
    ast.Expr: _expression,
    ast.Assign: assignments.assignment,
    ast.AnnAssign: assignments.annotated,
    ast.AugAssign: assignments.augmented,
    ast.If: branches.if_else,
    ast.For: blocks.for_loop,
    ast.AsyncFor: blocks.for_loop,
    ast.While: blocks.while_loop,
    ast.With: blocks.with_block,
    ast.AsyncWith: blocks.with_block,
    ast.Try: branches.try_except,
    ast.Match: branches.match,
    ast.Return: branches.return_value,
    ast.Raise: branches.raise_error,
    ast.Continue: _stop,
    ast.Break: _stop,
    ast.Assert: _assert,
    ast.Delete: assignments.delete,
    ast.Global: assignments.global_names,
    ast.Nonlocal: assignments.nonlocal_names,
    ast.Import: bind_import,
    ast.ImportFrom: bind_import,
    ast.FunctionDef: define_function,
    ast.AsyncFunctionDef: define_function,
    ast.ClassDef: define_class,
}
if hasattr(ast, "TryStar"):
    _HANDLERS[ast.TryStar] = branches.try_except
