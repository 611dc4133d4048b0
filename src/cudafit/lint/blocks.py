"""Loops, of which two turns are walked, and `with`."""

import ast
from collections.abc import Callable
from typing import Any

from cudafit.lint.arguments import Call
from cudafit.lint.attributes import element
from cudafit.lint.join import truth
from cudafit.lint.rules import frameworks, moving
from cudafit.lint.rules.builtin import is_loader, loader_of
from cudafit.lint.run import Run
from cudafit.lint.values import (
    UNKNOWN,
    Func,
    Instance,
    Thing,
    Value,
)


def for_loop(run: Run, node: ast.For | ast.AsyncFor) -> None:
    over = run.evaluate(node.iter)
    if over is UNKNOWN and "load" in getattr(node.iter, "attr", getattr(node.iter, "id", "")).lower():
        over = Thing("loader", node)
    if is_loader(over) and not _ends_at_once(node):
        run.training.loader_loops.add(id(node))
        loader = loader_of(over)
        if loader is not None and "prepared" not in loader.attrs and "dataset" in loader.attrs:
            run.training.bare_loaders.add(id(loader.node))
    item = element(run, over)

    def turn() -> None:
        run.assign(node.target, item)
        moving.note_unpacked(run, node)
        run.walk(node.body)

    _turns(run, node, turn)
    run.walk(node.orelse)


def _ends_at_once(node: ast.For | ast.AsyncFor) -> bool:
    """`for x in loader: ...; break`: one batch is looked at, not all."""
    return any(isinstance(statement, ast.Break | ast.Return) for statement in node.body)


def while_loop(run: Run, node: ast.While) -> bool:
    if truth(run.evaluate(node.test)) is False:
        return run.walk(node.orelse)
    _turns(run, node, lambda: run.walk(node.body))
    return True


def _turns(run: Run, node: ast.AST, turn: Callable[[], Any]) -> None:
    """Twice, where the first turn leaves something that matters to the second."""
    again, conditions = run.again, run.around.conditions
    run.again = False
    run.around.loops.append(node)
    run.around.loop_conditions.append(conditions)
    try:
        turn()
        if run.again:
            run.around.repeated += 1
            try:
                turn()
            finally:
                run.around.repeated -= 1
    finally:
        run.around.loops.pop()
        run.around.loop_conditions.pop()
        run.again = again or run.again


def with_block(run: Run, node: ast.With | ast.AsyncWith) -> bool:
    entered = []
    own = []
    for item in node.items:
        context = run.evaluate(item.context_expr)
        if isinstance(context, Instance):
            own.append(context)
            made = _special(run, context, "__enter__", node)
        else:
            made = frameworks.enter(run, context, item.context_expr)
        entered.append(made)
        run.around.contexts.append(made)
        if item.optional_vars is not None:
            run.assign(item.optional_vars, made)
    alive = run.walk(node.body)
    del run.around.contexts[len(run.around.contexts) - len(entered) :]
    for instance in reversed(own):
        _special(run, instance, "__exit__", node)
    return alive


def _special(run: Run, instance: Instance, name: str, node: ast.AST) -> Value:
    """What `__enter__` or `__exit__` of an object of the file does."""
    found = instance.cls.lookup(name)
    if not isinstance(found, Func):
        return UNKNOWN
    given = Call(node)
    given.complete = False
    return run.invoke(found.bound(instance, instance.cls), given)
