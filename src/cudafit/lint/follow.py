"""Follows a whole file: first what runs when it is started, then the functions that it only offers to others."""

import ast
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from cudafit.lint import assignments, expressions, objects, statements
from cudafit.lint.arguments import Call
from cudafit.lint.names import canonical
from cudafit.lint.objects import instantiate
from cudafit.lint.parts import NEW, Hit, Place
from cudafit.lint.rules import environment, host_arrays, hosts, libraries, moving, registration, tensorflow, training
from cudafit.lint.run import Run, TooLongError
from cudafit.lint.signs import Signs
from cudafit.lint.values import CPU, UNKNOWN, Class, Const, Func, Instance, Module, Ref, Scope, Tensor, Thing, Value

_TENSOR_NAMES = (
    "x",
    "input",
    "inputs",
    "hidden_states",
    "image",
    "images",
    "img",
    "input_ids",
    "ids",
    "tokens",
    "features",
)
# What is true only when the file is started; a function that others call begins anew.
_MOMENTARY = ("cuda_started", "tf_started")


_NO_SCOPE = Scope()
_NOTHING: Mapping[Module, Place] = {}


class Followed(NamedTuple):
    """What was found, and why a part of the file was left out."""

    hits: list[Hit]
    left_out: str


def follow(tree: ast.Module, lines: list[str], installed: Mapping[str, str] | None = None) -> Followed:
    """All that is found in the file."""
    run = Run(Scope(), installed)
    run.evaluate = partial(expressions.evaluate, run)
    run.assign = partial(assignments.assign, run)
    run.walk = partial(statements.walk, run)
    run.invoke = partial(objects.invoke, run)
    run.scope.names["__name__"] = Const("__main__")
    left_out = ""
    try:
        left_out = _walk_started(run, tree)
        _judge_started(run)
        left_out = _walk_the_rest(run, Signs(tree, lines)) or left_out
    except TooLongError:
        left_out = "it is too long to be followed to its end"
    libraries.judge(run)
    registration.unregistered(run)
    hosts.judge(run)
    host_arrays.judge(run)
    training.judge(run)
    followed = Followed([moving.with_edits(run, hit) for hit in run.hits.values()], left_out)
    _dissolve(run)
    return followed


def _dissolve(run: Run) -> None:
    """Opens the circles of a walk, so that all of it is freed at once and not when circles are looked for."""
    for cls in run.file.classes:
        cls.attrs.clear()
        cls.bases = []
    for func in run.file.functions:
        func.owner = func.cls = None
        func.scope = _NO_SCOPE
    run.module.names.clear()
    vars(run).clear()


def _walk_started(run: Run, tree: ast.Module) -> str:
    """What runs when the file is started; returns what was left out."""
    left_out = ""
    for statement in tree.body:
        try:
            if not statements.walk(run, [statement]):
                break
        except RecursionError:
            run.recover()
            left_out = f"line {statement.lineno}: it is nested too deeply to be followed"
    return left_out


def _judge_started(run: Run) -> None:
    _imports(run)
    environment.judge(run)
    tensorflow.judge(run)
    for module, place, _node in run.training.inferred:
        if module in run.training.touched or module in run.training.optimized:
            continue
        if place.kind == CPU or (place.kind == NEW and run.place(module).kind == NEW):
            training.report(run, module, place, trained=False)


def _imports(run: Run) -> None:
    for value in run.module.names.values():
        if isinstance(value, Ref) and not value.name.startswith("builtins."):
            run.file.seen.add(f"import {canonical(value.name).partition('.')[0]}")


def _walk_the_rest(run: Run, signs: Signs) -> str:
    """The functions and classes that nothing in the file has used; returns what was left out."""
    run.around.library = True
    left_out = ""
    done: set[ast.AST] = set()
    classes, functions = 0, 0
    while classes < len(run.file.classes) or functions < len(run.file.functions):  # walking one may define others
        if classes < len(run.file.classes):
            cls = run.file.classes[classes]
            classes += 1
            if cls.node not in done and signs.has(cls.node):
                done.add(cls.node)
                left_out = _safely(run, cls.node, partial(_walk_class, run, cls, signs)) or left_out
            continue
        func = run.file.functions[functions]
        functions += 1
        if (
            func.node not in run.training.entered
            and not _is_test(getattr(func.node, "name", ""))
            and signs.has(func.node)
        ):
            left_out = _safely(run, func.node, partial(_enter, run, func, None)) or left_out
    return left_out


def _safely(run: Run, node: ast.AST, walk: Callable[[], None]) -> str:
    try:
        walk()
    except RecursionError:
        run.recover()
        return f"line {getattr(node, 'lineno', 1)}: it is nested too deeply to be followed"
    return ""


def _is_test(name: str) -> bool:
    return name.lstrip("_").startswith(("test_", "Test")) or name.endswith(("Test", "TestCase"))


def _walk_class(run: Run, cls: Class, signs: Signs) -> None:
    methods = [
        value for value in cls.attrs.values() if isinstance(value, Func) and value.node not in run.training.entered
    ]
    if not methods or _is_test(cls.node.name):
        return
    if any("TestCase" in ast.unparse(base) for base in cls.node.bases):
        return
    run.forget(_MOMENTARY)
    owner = instantiate(run, cls, _unknown_call(cls.node)) if cls.family != "unknown" else Instance(cls)
    if isinstance(owner, Thing):
        owner = Instance(cls)
    # What the class itself puts on the CPU by name stays there, whoever uses the class.
    written = {
        module: place
        for module, place in run.places.items()
        if place.kind == CPU and place.node is not None and not place.option
    }
    needed = signs.in_class(one.node for one in methods)
    ordered = sorted(
        (one for one in methods if one.node in needed), key=lambda one: getattr(one.node, "name", "") != "forward"
    )
    for func in ordered:
        if func.node not in run.training.entered and not _is_test(getattr(func.node, "name", "")):
            _enter(run, func.bound(owner, cls), cls, written)


def _unknown_call(node: ast.AST) -> Call:
    given = Call(node)
    given.complete = False
    return given


def _enter(run: Run, func: Func, cls: Class | None, written: Mapping[Module, Place] = _NOTHING) -> None:
    """Walks a function of which nobody in the file says what it is given."""
    run.forget(_MOMENTARY)
    run.places.update(written)
    given = _unknown_call(func.node)
    module = cls is not None and cls.family in ("module", "lightning", "unknown") and isinstance(func.owner, Module)
    name = getattr(func.node, "name", "")
    for one in func.node.args.args:
        if one.arg not in ("self", "cls"):
            given.keywords[one.arg] = _argument(one, module=module)
    if name == "training_step":
        run.note_step(func.node)
    marks = {getattr(mark, "id", "") for mark in getattr(func.node, "decorator_list", ())}
    if marks & {"staticmethod", "classmethod"}:
        func = Func(func.node, func.scope, UNKNOWN if "classmethod" in marks else None, func.cls)
    elif module and name in ("forward", "training_step"):
        run.around.in_forward = 1
    try:
        run.invoke(func, given)
    finally:
        run.around.in_forward = 0
        run.around.loops.clear()
        run.around.contexts.clear()


def _argument(argument: ast.arg, *, module: bool) -> Value:
    text = ast.unparse(argument.annotation) if argument.annotation is not None else ""
    tensor = "Tensor" in text and not any(
        word in text for word in ("|", "Optional", "List", "list", "Tuple", "tuple", "Dict")
    )
    if module and (tensor or (not text and argument.arg in _TENSOR_NAMES)):
        return Tensor("device")
    return UNKNOWN
