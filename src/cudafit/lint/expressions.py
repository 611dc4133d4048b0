"""What an expression stands for."""

import ast
import builtins
from collections.abc import Callable
from typing import Any

from cudafit.lint.attributes import element, subscript, taken
from cudafit.lint.calls import call
from cudafit.lint.join import device_of, join, truth
from cudafit.lint.operations import mixed
from cudafit.lint.rules import elements
from cudafit.lint.rules.devices import check_inverted, note_uncalled
from cudafit.lint.run import Run
from cudafit.lint.values import (
    ANY,
    GPU,
    UNKNOWN,
    Available,
    Const,
    Device,
    Func,
    HostArray,
    Map,
    Ref,
    Seq,
    Thing,
    Value,
)

_BUILTINS = frozenset(dir(builtins))


def evaluate(run: Run, node: ast.expr) -> Value:
    run.steps += 1
    handler = _HANDLERS.get(type(node))
    if handler:
        return handler(run, node)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            evaluate(run, child)
    return UNKNOWN


def _name(run: Run, node: ast.Name) -> Value:
    found = run.frames[-1].scope.find(node.id)
    if found is not None:
        return found
    return Ref(f"builtins.{node.id}") if node.id in _BUILTINS else UNKNOWN


def _constant(_run: Run, node: ast.Constant) -> Value:
    return Const(node.value, node)


def _attribute(run: Run, node: ast.Attribute) -> Value:
    return taken(run, evaluate(run, node.value), node.attr)


def _sequence(run: Run, node: ast.Tuple | ast.List | ast.Set) -> Value:
    items: list[Value] = []
    for item in node.elts:
        if isinstance(item, ast.Starred):
            inner = evaluate(run, item.value)
            items += inner.items if isinstance(inner, Seq) else [inner]
        else:
            items.append(evaluate(run, item))
    return Seq(items, node)


def _dict(run: Run, node: ast.Dict) -> Value:
    items: dict[str, Value] = {}
    for key, item in zip(node.keys, node.values, strict=True):
        value = evaluate(run, item)
        if key is None:
            items.update(value.items if isinstance(value, Map) else {})
            continue
        word = evaluate(run, key)
        if isinstance(word, Const) and isinstance(word.value, str):
            items[word.value] = value
        elif isinstance(word, Const) and isinstance(word.value, bool):
            items[f"\0{word.value}"] = value
        else:
            items[f"\0{len(items)}"] = value
    return Map(items)


def _either(run: Run, node: ast.IfExp) -> Value:
    condition = evaluate(run, node.test)
    note_uncalled(run, condition, node.test)
    known = truth(condition)
    if known is not None:
        return evaluate(run, node.body if known else node.orelse)
    values: list[Value] = []

    def way(option: ast.expr) -> Callable[[], bool]:
        def go() -> bool:
            values.append(evaluate(run, option))
            return True

        return go

    run.fork(way(node.body), way(node.orelse))
    return _chosen(run, condition, values[0], values[1], node)


def _chosen(run: Run, condition: Value, held: Value, failed: Value, node: ast.AST) -> Value:
    """One of two values: which, is said by a condition."""
    if isinstance(condition, Available) and check_inverted(run, condition, held, failed, node):
        return Device(ANY)
    return join(held, failed)


def _boolean(run: Run, node: ast.BoolOp) -> Value:
    if _is_choice(node):
        test, held = node.values[0].values  # type: ignore[attr-defined]
        condition = evaluate(run, test)
        if isinstance(condition, Available):
            return _chosen(run, condition, evaluate(run, held), evaluate(run, node.values[1]), node)
    values = [evaluate(run, item) for item in node.values]
    for item, value in zip(node.values, values, strict=True):
        note_uncalled(run, value, item)
    conditions = [value for value in values if isinstance(value, Available)]
    others = [value for value in values if not isinstance(value, Available)]
    if any(device_of(value) for value in others if isinstance(value, Const) and isinstance(value.value, str)):
        return Device(ANY)  # `available and "cuda" or "cpu"`
    decided = [truth(value) for value in values]
    if isinstance(node.op, ast.And):
        if False in decided:
            return Const(False, node)
        if conditions and all(value.present for value in conditions):
            return Available(pure=all(truth(value) for value in others))
    elif True in decided:
        return Const(True, node)
    elif conditions and not any(value.present for value in conditions):
        return Available(False, pure=all(truth(value) is False for value in others))
    if not isinstance(node.op, ast.And):
        result = values[0]
        for value in values[1:]:
            result = join(result, value)
        return result
    return UNKNOWN


def _is_choice(node: ast.BoolOp) -> bool:
    """`available and "cuda" or "cpu"`, with a condition that is quickly looked at twice."""
    first = node.values[0]
    if not (isinstance(node.op, ast.Or) and isinstance(first, ast.BoolOp) and isinstance(first.op, ast.And)):
        return False
    test = first.values[0]
    plain = isinstance(test, ast.Name) or (isinstance(test, ast.Call) and not test.args and not test.keywords)
    return plain and len(first.values) == len(node.values) == 2


def _unary(run: Run, node: ast.UnaryOp) -> Value:
    value = evaluate(run, node.operand)
    if isinstance(node.op, ast.Not):
        note_uncalled(run, value, node.operand)
        if isinstance(value, Available):
            return Available(not value.present, value.pure)
        known = truth(value)
        return UNKNOWN if known is None else Const(not known, node)
    if isinstance(node.op, ast.USub) and isinstance(value, Const) and isinstance(value.value, int):
        return Const(-value.value, node)
    return mixed(run, [value])


def _compare(run: Run, node: ast.Compare) -> Value:
    left = evaluate(run, node.left)
    rights = [evaluate(run, item) for item in node.comparators]
    if len(rights) != 1:
        return UNKNOWN
    right, sign = rights[0], node.ops[0]
    if isinstance(left, Available) and isinstance(right, Const) and right.value in (0, 1, True, False):
        return _count(left, sign, int(right.value))
    if isinstance(left, Const) and isinstance(right, Const):
        if isinstance(sign, ast.Eq | ast.Is):
            return Const(left.value == right.value, node)
        if isinstance(sign, ast.NotEq | ast.IsNot):
            return Const(left.value != right.value, node)
    if isinstance(sign, ast.Is | ast.IsNot | ast.In | ast.NotIn):
        return UNKNOWN
    return mixed(run, [left, right])


def _count(left: Available, sign: ast.cmpop, number: int) -> Value:
    """`device_count() > 0` and the like."""
    if (isinstance(sign, ast.Gt | ast.NotEq) and number == 0) or (isinstance(sign, ast.GtE) and number == 1):
        return left
    if isinstance(sign, ast.Eq | ast.Is) and number == 1:
        return left
    if (isinstance(sign, ast.Eq | ast.Is) and number == 0) or (isinstance(sign, ast.Lt) and number == 1):
        return Available(not left.present, left.pure)
    return UNKNOWN


def _binary(run: Run, node: ast.BinOp) -> Value:
    chain = [node]
    while isinstance(chain[-1].left, ast.BinOp):  # a long sum is a deep tree
        chain.append(chain[-1].left)
    left = evaluate(run, chain[-1].left)
    for one in reversed(chain):
        left = _combined(run, one, left, evaluate(run, one.right))
    return left


def _combined(run: Run, node: ast.BinOp, left: Value, right: Value) -> Value:
    if isinstance(node.op, ast.Add | ast.Mod) and isinstance(left, Const) and isinstance(left.value, str):
        named = device_of(left)
        if named and named.kind == GPU:
            return Device(GPU, node)  # "cuda:" + str(rank)
        return UNKNOWN
    if isinstance(node.op, ast.Add) and isinstance(left, Seq) and isinstance(right, Seq):
        return Seq([*left.items, *right.items], node)
    if isinstance(node.op, ast.MatMult) and (isinstance(left, HostArray) or isinstance(right, HostArray)):
        return UNKNOWN  # an array of another size
    return mixed(run, [left, right])


def _text(run: Run, node: ast.JoinedStr) -> Value:
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            evaluate(run, part.value)
    first = node.values[0] if node.values else None
    if (
        isinstance(first, ast.Constant)
        and isinstance(first.value, str)
        and first.value.lower().startswith(("cuda", "/gpu"))
    ):
        return Device(GPU, node)
    return UNKNOWN


def _subscript(run: Run, node: ast.Subscript) -> Value:
    base = elements.taken(run, node, evaluate(run, node.value))
    if isinstance(node.slice, ast.Slice):
        return mixed(run, [base]) if not isinstance(base, Seq | Map) else UNKNOWN
    index = evaluate(run, node.slice)
    if isinstance(index, Available) and isinstance(base, Seq) and len(base.items) == 2:
        return _chosen(run, index, base.items[1], base.items[0], node)
    if isinstance(index, Available) and isinstance(base, Map) and base.items.keys() == {"\0True", "\0False"}:
        return _chosen(run, index, base.items["\0True"], base.items["\0False"], node)
    return subscript(run, base, index)


def _comprehension(run: Run, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
    kept = dict(run.scope.names)
    for part in node.generators:
        run.assign(part.target, element(run, evaluate(run, part.iter)))
        for test in part.ifs:
            evaluate(run, test)
    if isinstance(node, ast.DictComp):
        value: Value = Map({"\0": evaluate(run, node.value)})
    else:
        value = Seq([evaluate(run, node.elt)], node)
    for part in node.generators:
        for target in ast.walk(part.target):
            if isinstance(target, ast.Name):
                if target.id in kept:
                    run.set(run.scope.names, target.id, kept[target.id])
                else:
                    run.scope.names.pop(target.id, None)
    return value


def _lambda(run: Run, node: ast.Lambda) -> Value:
    return Func(node, run.scope)


def _named(run: Run, node: ast.NamedExpr) -> Value:
    value = evaluate(run, node.value)
    run.assign(node.target, value)
    return value


def _starred(run: Run, node: ast.Starred) -> Value:
    return evaluate(run, node.value)


def _await(run: Run, node: ast.Await) -> Value:
    return evaluate(run, node.value)


def _yield(run: Run, node: ast.Yield | ast.YieldFrom) -> Value:
    if node.value is not None:
        given = evaluate(run, node.value)
        run.frames[-1].returns.append(Thing("iterable", node, item=given) if isinstance(node, ast.Yield) else given)
    return UNKNOWN


_HANDLERS: dict[type, Callable[[Run, Any], Value]] = {
    ast.Name: _name,
    ast.Constant: _constant,
    ast.Attribute: _attribute,
    ast.Call: call,
    ast.Tuple: _sequence,
    ast.List: _sequence,
    ast.Set: _sequence,
    ast.Dict: _dict,
    ast.IfExp: _either,
    ast.BoolOp: _boolean,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BinOp: _binary,
    ast.JoinedStr: _text,
    ast.Subscript: _subscript,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: _comprehension,
    ast.Lambda: _lambda,
    ast.NamedExpr: _named,
    ast.Starred: _starred,
    ast.Await: _await,
    ast.Yield: _yield,
    ast.YieldFrom: _yield,
}
