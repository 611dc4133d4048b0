"""Functions and classes of the file: what their decorators and bases make of them."""

import ast
import re

from cudafit.lint.arguments import Call
from cudafit.lint.names import KERAS_BASES, MODULE_BASES, canonical
from cudafit.lint.rules import jax, options
from cudafit.lint.run import Frame, Run
from cudafit.lint.values import Class, Const, Func, Instance, Ref, Scope, Thing, Value

_JIT = ("jax.jit", "jax.pmap", "flax.nnx.jit", "equinox.filter_jit", "jax.value_and_grad", "jax.grad")
_PLAIN = ("functools.wraps", "functools.cache", "functools.lru_cache", "builtins.staticmethod", "builtins.classmethod")
# Libraries whose decorators hand on what they are given, and methods of objects that are used as such.
_PASS_ON = re.compile(
    r"(abc|accelerate|beartype|builtins|click|contextlib|dataclasses|equinox|flax|functools|hydra|jax|jaxtyping|keras|"
    r"lightning|numba|pytest|ray|tensorflow|torch|transformers|typeguard|typer|typing|typing_extensions|unittest|wandb)\."
)
_PASSING_METHODS = ("setter", "getter", "deleter", "register", "command", "group", "callback", "on", "hook")
# Functions behind these are called with arguments that the file does not show.
_ENTRIES = ("hydra.main", "pytest.fixture")


def define_function(run: Run, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    func = Func(node, run.scope)
    in_class = isinstance(func.scope.names.get("\0class_body"), Const)
    if in_class:
        func.scope = func.scope.outer or func.scope
    made: Value = func
    for mark in reversed(node.decorator_list):
        value = run.evaluate(mark)
        if isinstance(made, Func):
            made = _decorate(run, made, mark, value)
    if not in_class:
        run.file.functions.append(func)
    run.set(run.scope.names, node.name, made)


def _decorate(run: Run, func: Func, mark: ast.expr, value: Value) -> Value:
    """What stands behind the function's name after this decorator."""
    name = value.name if isinstance(value, Ref) else ""
    if (isinstance(value, Thing) and value.kind == "jitted") or name in _JIT:
        func.jitted = True
        if isinstance(mark, ast.Call):
            jax.leave_out_placing(run, mark, func)
    elif isinstance(value, Thing) and value.kind == "option":
        options.decorate(run, func, value)
    elif isinstance(value, Thing) and value.kind == "typer_command":
        options.typer_command(run, func, value)
    elif (isinstance(value, Thing) and value.kind == "tf_function") or name == "tensorflow.function":
        run.file.seen.add("tf computes")
    elif name in _ENTRIES or (isinstance(mark, ast.Call) and "hydra" in ast.unparse(mark)):
        func.wrapped = True
    elif isinstance(value, Func | Class):
        made = run.invoke(value, Call(mark, [func])) if isinstance(value, Func) else _instance(run, value, mark, func)
        if isinstance(made, Func | Instance):
            return made
        func.wrapped = func.veiled = True
    elif not isinstance(value, Thing) and not _passes_on(run, mark):
        func.wrapped = func.veiled = True
    return func


def _instance(run: Run, cls: Class, mark: ast.expr, func: Func) -> Value:
    """A class as a decorator."""
    from cudafit.lint.objects import instantiate  # noqa: PLC0415 - classes are defined, and made, by each other

    return instantiate(run, cls, Call(mark, [func]))


def _passes_on(run: Run, mark: ast.expr) -> bool:
    """Whether a decorator that the file does not show is known to change nothing of what goes through."""
    while isinstance(mark, ast.Call):
        mark = mark.func
    if isinstance(mark, ast.Attribute) and mark.attr in _PASSING_METHODS:
        return True
    origin = run.evaluate(mark)
    return isinstance(origin, Ref) and _PASS_ON.match(origin.name) is not None


def define_class(run: Run, node: ast.ClassDef) -> None:
    bases = [run.evaluate(base) for base in node.bases]
    own = [base for base in bases if isinstance(base, Class)]
    decorated = [run.evaluate(mark) for mark in node.decorator_list]
    changed = any(isinstance(value, Func) for value in decorated)  # what comes out need not be the class
    made = Class(node, "unknown" if changed else _family(bases), own)
    scope = Scope(run.scope)
    scope.names["\0class_body"] = Const(True)
    run.frames.append(Frame(scope, node))
    try:
        run.walk(node.body)
    finally:
        run.frames.pop()
    made.attrs = {name: value for name, value in scope.names.items() if not name.startswith("\0")}
    own_functions = set(node.body)
    for value in made.attrs.values():
        if isinstance(value, Func):
            value.cls = made
            if value.node in own_functions:  # what a decorator gives instead sees the names around the decorator
                value.scope = run.scope
    marks = [ast.unparse(mark) for mark in node.decorator_list]
    if any("dataclass" in mark or "define" in mark for mark in marks) or any(
        isinstance(base, Ref) and base.name in ("pydantic.BaseModel", "typing.NamedTuple") for base in bases
    ):
        made.fields = [
            item.target.id
            for item in node.body
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
        ]
    run.file.classes.append(made)
    run.set(run.scope.names, node.name, made)


def _family(bases: list[Value]) -> str:
    """What a class descends from. One unknown base is enough to know nothing of it."""
    found = "plain"
    for base in bases:
        if isinstance(base, Class):
            family = base.family
        elif isinstance(base, Ref):
            family = _family_of_name(canonical(base.name))
        else:
            family = "unknown"
        if family in ("unknown", "lightning"):
            return family
        if family != "plain":
            found = family
    return found


def _family_of_name(name: str) -> str:
    if name in ("lightning.LightningModule",):
        return "lightning"
    if MODULE_BASES.match(name):
        return "module"
    if KERAS_BASES.match(name):
        return "keras"
    if name in ("torch.utils.data.Dataset", "torch.utils.data.IterableDataset", "lightning.LightningDataModule"):
        return "plain"
    if name.startswith(("builtins.", "abc.", "typing.", "enum.", "collections.", "pydantic.", "threading.")):
        return "plain"
    if name in ("unittest.TestCase", "torch.testing._internal.common_utils.TestCase"):
        return "plain"
    return "unknown"
