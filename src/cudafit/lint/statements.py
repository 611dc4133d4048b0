"""Walks statements: what they bind, and which of two ways are open."""

import ast
from collections.abc import Callable, Sequence
from typing import Any

from cudafit.lint.arguments import Call
from cudafit.lint.attributes import element, parts_of
from cudafit.lint.definitions import define_class, define_function
from cudafit.lint.imports import bind_import
from cudafit.lint.join import device_of, truth
from cudafit.lint.objects import adopt
from cudafit.lint.operations import mixed
from cudafit.lint.rules import devices, frameworks, moving, torch_tensors
from cudafit.lint.rules.builtin import is_loader, loader_of
from cudafit.lint.run import Run
from cudafit.lint.values import (
    ANY,
    UNKNOWN,
    Available,
    Choice,
    Class,
    Const,
    Device,
    Func,
    Instance,
    Map,
    Module,
    Ref,
    Seq,
    Tensor,
    Thing,
    Value,
)


def walk(run: Run, body: Sequence[ast.stmt]) -> bool:
    """Walks statements in order; False where the code does not go on after them."""
    for statement in body:
        run.tick()
        handler = _HANDLERS.get(type(statement))
        if handler is not None and handler(run, statement) is False:
            return False
    return True


def assign(run: Run, target: ast.expr, value: Value) -> None:
    if isinstance(target, ast.Name):
        scope = run.scope
        where = run.module.names if target.id in scope.global_names else scope.names
        run.set(where, target.id, value)
    elif isinstance(target, ast.Tuple | ast.List):
        values = _spread(run, target, value)
        for item, part in zip(target.elts, values, strict=True):
            assign(run, item.value if isinstance(item, ast.Starred) else item, part)
    elif isinstance(target, ast.Attribute):
        set_attribute(run, run.evaluate(target.value), target.attr, value, target)
    elif isinstance(target, ast.Subscript):
        _set_item(run, target, value)


def _spread(run: Run, target: ast.Tuple | ast.List, value: Value) -> list[Value]:
    stars = [number for number, item in enumerate(target.elts) if isinstance(item, ast.Starred)]
    count = len(target.elts)
    if not stars or not isinstance(value, Seq) or len(value.items) < count - 1:
        return parts_of(run, value, count)
    rest = len(value.items) - count + 1
    at = stars[0]
    return [*value.items[:at], Seq(value.items[at : at + rest]), *value.items[at + rest :]]


def set_attribute(run: Run, base: Value, name: str, value: Value, node: ast.AST) -> None:
    if isinstance(base, Module):
        frameworks.set_part(run, base, name, value, node)
    elif isinstance(base, Instance) and base.cls.family == "unknown":
        run.escape(value)  # the class that it descends from may do anything with it
        run.set(base.attrs, name, value)
    elif isinstance(base, Instance | Class):
        run.set(base.attrs, name, value)
    elif isinstance(base, Tensor) and name == "data" and isinstance(value, Tensor) and value.item == "moved":
        for module in base.modules:
            run.escape(module)  # its parameters are moved one by one
    elif isinstance(base, Thing):
        frameworks.set_option(run, base, name, value, node)
        run.set(base.attrs, name, value)
    elif isinstance(base, Ref):
        frameworks.set_setting(run, base, name, value, node)
    elif isinstance(base, Choice):
        for option in base.options:
            if isinstance(option, Module | Instance):
                set_attribute(run, option, name, UNKNOWN if not isinstance(value, Module) else value, node)


def _set_item(run: Run, target: ast.Subscript, value: Value) -> None:
    base = run.evaluate(target.value)
    index = run.evaluate(target.slice) if not isinstance(target.slice, ast.Slice) else UNKNOWN
    if isinstance(base, Map):
        key = index.value if isinstance(index, Const) and isinstance(index.value, str) else f"\0{len(base.items)}"
        run.set(base.items, key, value)
    elif isinstance(base, Module):
        adopt(run, base, value)
    elif isinstance(base, Thing):
        frameworks.set_item(run, base, index, value, target)
    elif isinstance(base, Seq):
        if (
            isinstance(index, Const)
            and isinstance(index.value, int)
            and -len(base.items) <= index.value < len(base.items)
        ):
            base.items[index.value] = value
        else:
            base.items.append(value)


def _expression(run: Run, node: ast.Expr) -> None:
    if isinstance(node.value, ast.Constant):
        return
    run.evaluate(node.value)
    if isinstance(node.value, ast.Tuple):  # `x.to(device), y.to(device)`
        for item in node.value.elts:
            torch_tensors.discarded(run, item, alone=False)
    else:
        torch_tensors.discarded(run, node.value, alone=True)


def _assign(run: Run, node: ast.Assign) -> None:
    value = run.evaluate(node.value)
    for target in node.targets:
        if isinstance(value, Const) and value.node is None:
            value = Const(value.value, node.value)
        assign(run, target, value)


def _annotated(run: Run, node: ast.AnnAssign) -> None:
    if node.value is not None:
        assign(run, node.target, run.evaluate(node.value))


def _augmented(run: Run, node: ast.AugAssign) -> None:
    value = run.evaluate(node.value)
    before = (
        run.evaluate(node.target) if not isinstance(node.target, ast.Subscript) else run.evaluate(node.target.value)
    )
    if isinstance(before, Seq) and isinstance(value, Seq):
        before.items.extend(value.items)
    elif isinstance(node.target, ast.Name):
        assign(run, node.target, mixed(run, [before, value]))
    else:
        mixed(run, [before, value])


def _if(run: Run, node: ast.If) -> bool:
    condition = run.evaluate(node.test)
    known = truth(condition)
    if known is not None:
        return walk(run, node.body if known else node.orelse)
    targets = devices.assigned(node) if isinstance(condition, Available) else ()
    seen: list[dict[str, Device | None]] = []
    returned: list[list[Value]] = []
    frame = run.frames[-1]

    def way(body: list[ast.stmt], present: bool) -> Callable[[], bool]:
        def go() -> bool:
            before = len(frame.returns)
            if isinstance(condition, Available) and condition.present is not present:
                run.around.absent.append(node)
                try:
                    alive = walk(run, body)
                finally:
                    run.around.absent.pop()
            else:
                alive = walk(run, body)
            returned.append(frame.returns[before:])
            seen.append({ast.unparse(target): device_of(run.evaluate(target)) for target in targets})
            return alive

        return go

    alive = run.fork(way(node.body, True), way(node.orelse, False))
    if isinstance(condition, Available) and len(returned[0]) == 1 and len(returned[1]) <= 1:
        if returned[1]:
            devices.check_inverted(run, condition, returned[0][0], returned[1][0], node)
        else:
            frame.waiting = (condition, returned[0][0], node)
    if isinstance(condition, Available) and targets:
        for target in targets:
            name = ast.unparse(target)
            if devices.inverted(run, condition, seen[0][name], seen[1][name], node):
                assign(run, target, Device(ANY))
    return alive


def _for(run: Run, node: ast.For | ast.AsyncFor) -> None:
    over = run.evaluate(node.iter)
    if over is UNKNOWN and "load" in getattr(node.iter, "attr", getattr(node.iter, "id", "")).lower():
        over = Thing("loader", node)
    if is_loader(over):
        run.training.loader_loops.add(id(node))
        loader = loader_of(over)
        if loader is not None and "prepared" not in loader.attrs and "dataset" in loader.attrs:
            run.training.bare_loaders.add(id(loader.node))
    item = element(run, over)

    def turn() -> None:
        assign(run, node.target, item)
        moving.note_unpacked(run, node)
        walk(run, node.body)

    _turns(run, node, turn)
    walk(run, node.orelse)


def _while(run: Run, node: ast.While) -> bool:
    if truth(run.evaluate(node.test)) is False:
        return walk(run, node.orelse)
    _turns(run, node, lambda: walk(run, node.body))
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


def _with(run: Run, node: ast.With | ast.AsyncWith) -> bool:
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
            assign(run, item.optional_vars, made)
    alive = walk(run, node.body)
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


def _try(run: Run, node: Any) -> bool:
    alive = walk(run, node.body) and walk(run, node.orelse)

    def handler(one: ast.ExceptHandler) -> Callable[[], bool]:
        def go() -> bool:
            if one.name:
                run.set(run.scope.names, one.name, UNKNOWN)
            return walk(run, one.body)

        return go

    for one in node.handlers:
        goes_on = alive
        caught = run.fork(lambda goes_on=goes_on: goes_on, handler(one))  # type: ignore[misc]
        alive = alive or caught
    return walk(run, node.finalbody) and alive


def _matches(run: Run, case: ast.match_case, subject: Const) -> bool | None:
    """Whether a literal is of this case; None where that is decided at run time."""
    if case.guard is not None:
        return None
    pattern = case.pattern
    options = pattern.patterns if isinstance(pattern, ast.MatchOr) else [pattern]
    if all(isinstance(one, ast.MatchValue) for one in options):
        values = [run.evaluate(one.value) for one in options if isinstance(one, ast.MatchValue)]
        if all(isinstance(one, Const) for one in values):
            return any(isinstance(one, Const) and one.value == subject.value for one in values)
        return None
    return True if isinstance(pattern, ast.MatchAs) and pattern.pattern is None and pattern.name is None else None


def _match(run: Run, node: ast.Match) -> bool:
    subject = run.evaluate(node.subject)
    if isinstance(subject, Const):
        chosen = next((one for one in node.cases if _matches(run, one, subject) is not False), None)
        if chosen is None:
            return True
        if _matches(run, chosen, subject):
            return walk(run, chosen.body)

    def case(one: ast.match_case) -> Callable[[], bool]:
        def go() -> bool:
            for part in ast.walk(one.pattern):
                name = getattr(part, "name", None)
                if isinstance(name, str):
                    run.set(run.scope.names, name, UNKNOWN)
            return walk(run, one.body)

        return go

    return run.fork(*[case(one) for one in node.cases], lambda: True)


def _return(run: Run, node: ast.Return) -> bool:
    value = run.evaluate(node.value) if node.value is not None else Const(None)
    frame = run.frames[-1]
    if frame.waiting is not None:
        condition, held, where = frame.waiting
        frame.waiting = None
        if devices.check_inverted(run, condition, held, value, where):
            value = Device(ANY)
    frame.returns.append(value)
    return False


def _raise(run: Run, node: ast.Raise) -> bool:
    if node.exc is not None:
        run.evaluate(node.exc)
    return False


def _stop(_run: Run, _node: ast.stmt) -> bool:
    return False


def _assert(run: Run, node: ast.Assert) -> None:
    run.evaluate(node.test)


def _delete(run: Run, node: ast.Delete) -> None:
    for target in node.targets:
        if isinstance(target, ast.Name):
            run.set(run.scope.names, target.id, UNKNOWN)
        elif isinstance(target, ast.Subscript):
            frameworks.delete_item(run, run.evaluate(target.value), run.evaluate(target.slice))


def _global(run: Run, node: ast.Global) -> None:
    run.scope.global_names.update(node.names)


def _nonlocal(run: Run, node: ast.Nonlocal) -> None:
    """What a closure changes in the function around it is not followed."""
    scope = run.scope.outer
    while scope is not None and scope is not run.module:
        for name in node.names:
            if name in scope.names:
                run.set(scope.names, name, UNKNOWN)
        scope = scope.outer


_HANDLERS: dict[type, Callable[[Run, Any], bool | None]] = {
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.If: _if,
    ast.For: _for,
    ast.AsyncFor: _for,
    ast.While: _while,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Try: _try,
    ast.Match: _match,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.Continue: _stop,
    ast.Break: _stop,
    ast.Assert: _assert,
    ast.Delete: _delete,
    ast.Global: _global,
    ast.Nonlocal: _nonlocal,
    ast.Import: bind_import,
    ast.ImportFrom: bind_import,
    ast.FunctionDef: define_function,
    ast.AsyncFunctionDef: define_function,
    ast.ClassDef: define_class,
}
if hasattr(ast, "TryStar"):
    _HANDLERS[ast.TryStar] = _try
