"""What statements bind: names, attributes, items."""

import ast

from cudafit.lint.attributes import parts_of
from cudafit.lint.objects import adopt
from cudafit.lint.operations import mixed
from cudafit.lint.rules import frameworks, torch_modules
from cudafit.lint.run import Run
from cudafit.lint.values import (
    UNKNOWN,
    Choice,
    Class,
    Const,
    HostArray,
    Instance,
    Map,
    Module,
    Ref,
    Seq,
    Tensor,
    Thing,
    Value,
)


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
    elif isinstance(base, HostArray):
        base.change()
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


def assignment(run: Run, node: ast.Assign) -> None:
    value = run.evaluate(node.value)
    torch_modules.moved_parameter(run, node)
    for target in node.targets:
        if isinstance(value, Const) and value.node is None:
            value = Const(value.value, node.value)
        assign(run, target, value)


def annotated(run: Run, node: ast.AnnAssign) -> None:
    if node.value is not None:
        assign(run, node.target, run.evaluate(node.value))


def augmented(run: Run, node: ast.AugAssign) -> None:
    value = run.evaluate(node.value)
    before = (
        run.evaluate(node.target) if not isinstance(node.target, ast.Subscript) else run.evaluate(node.target.value)
    )
    if isinstance(before, HostArray):
        before.change()
    if isinstance(before, Seq) and isinstance(value, Seq):
        before.items.extend(value.items)
    elif isinstance(node.target, ast.Name):
        assign(run, node.target, mixed(run, [before, value]))
    else:
        mixed(run, [before, value])


def delete(run: Run, node: ast.Delete) -> None:
    for target in node.targets:
        if isinstance(target, ast.Name):
            run.set(run.scope.names, target.id, UNKNOWN)
        elif isinstance(target, ast.Subscript):
            frameworks.delete_item(run, run.evaluate(target.value), run.evaluate(target.slice))


def global_names(run: Run, node: ast.Global) -> None:
    run.scope.global_names.update(node.names)


def nonlocal_names(run: Run, node: ast.Nonlocal) -> None:
    """What a closure changes in the function around it is not followed."""
    scope = run.scope.outer
    while scope is not None and scope is not run.module:
        for name in node.names:
            if name in scope.names:
                run.set(scope.names, name, UNKNOWN)
        scope = scope.outer
