"""Functions and classes of the file: what their decorators and bases make of them."""

import ast

from cudafit.lint.arguments import Call
from cudafit.lint.names import KERAS_BASES, MODULE_BASES, canonical
from cudafit.lint.rules import options
from cudafit.lint.run import Frame, Run
from cudafit.lint.values import Class, Const, Func, Ref, Scope, Thing, Value

_JIT = ("jax.jit", "jax.pmap", "flax.nnx.jit", "equinox.filter_jit", "jax.value_and_grad", "jax.grad")
_PLAIN = ("functools.wraps", "functools.cache", "functools.lru_cache", "builtins.staticmethod", "builtins.classmethod")
# Functions behind these are called with arguments that the file does not show.
_ENTRIES = ("hydra.main", "pytest.fixture")


def define_function(run: Run, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    func = Func(node, run.scope)
    in_class = isinstance(func.scope.names.get("\0class_body"), Const)
    if in_class:
        func.scope = func.scope.outer or func.scope
    made = func
    for mark in reversed(node.decorator_list):
        made = _decorate(run, made, mark, run.evaluate(mark))
    if not in_class:
        run.functions.append(func)
    run.set(run.scope.names, node.name, made)


def _decorate(run: Run, func: Func, mark: ast.expr, value: Value) -> Func:
    """What stands behind the function's name after this decorator."""
    name = value.name if isinstance(value, Ref) else ""
    if (isinstance(value, Thing) and value.kind == "jitted") or name in _JIT:
        func.jitted = True
    elif isinstance(value, Thing) and value.kind == "option":
        options.decorate(run, func, value)
    elif isinstance(value, Thing) and value.kind == "typer_command":
        options.typer_command(run, func, value)
    elif (isinstance(value, Thing) and value.kind == "tf_function") or name == "tensorflow.function":
        run.seen.add("tf computes")
    elif name in _ENTRIES or (isinstance(mark, ast.Call) and "hydra" in ast.unparse(mark)):
        func.wrapped = True
    elif isinstance(value, Func):
        made = run.invoke(value, Call(mark, [func]))
        if isinstance(made, Func):
            return made
        func.wrapped = True
    return func


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
    run.classes.append(made)
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
