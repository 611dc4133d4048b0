"""Calls: those of the file are followed, those of known libraries have rules, all others are unknown."""

import ast
import functools
import re

from cudafit.lint.arguments import Call, read_call
from cudafit.lint.attributes import attribute
from cudafit.lint.handlers import FUNCTIONS, METHODS, PATTERNS, THING_METHODS, Function
from cudafit.lint.join import join
from cudafit.lint.names import canonical, is_harmless, is_harmless_method
from cudafit.lint.objects import instantiate
from cudafit.lint.operations import mixed
from cudafit.lint.rules import tensorflow, torch_modules, torch_tensors
from cudafit.lint.rules.host_arrays import given_to_compiled
from cudafit.lint.rules.jax import compute as jax_compute
from cudafit.lint.run import Run
from cudafit.lint.values import (
    UNKNOWN,
    Choice,
    Class,
    Const,
    Func,
    Instance,
    Map,
    Module,
    Optimizer,
    Params,
    Part,
    Ref,
    Seq,
    Super,
    Tensor,
    Thing,
    Value,
)

# They keep an average of the parameters: their `.step()` trains nothing.
_AVERAGES = re.compile(r"(^|[._a-z])(EMA|Ema|ema)(Model|Handler|Callback|V\d)?$|Averag(e|ed|ing)[A-Za-z]{0,20}$")


def call(run: Run, node: ast.Call) -> Value:
    if isinstance(node.func, ast.Attribute):
        base = run.evaluate(node.func.value)
        if base is UNKNOWN and node.func.attr in ("to", "cpu"):
            return _guessed(run, node, node.func.value, read_call(run, node))
        return method(run, base, node.func.attr, read_call(run, node))
    callee = run.evaluate(node.func)
    if isinstance(callee, Ref) and callee.name == "builtins.super":
        owner = run.scope.find("self") or UNKNOWN
        cls = run.scope.find("\0class")
        return Super(owner, cls) if isinstance(cls, Class) else UNKNOWN
    return apply(run, callee, read_call(run, node))


def _guessed(run: Run, node: ast.Call, receiver: ast.expr, given: Call) -> Value:
    """Something that is put on the CPU is remembered by its name: it may be a model that is trained there.

    Under a condition of run time it is not: which of two things it is then, nothing says.
    """
    name = getattr(node.func, "attr", "")
    made = None if run.around.conditions else torch_tensors.guess_module(run, node, name, given)
    if made is None:
        return _result(run, given)
    if isinstance(receiver, ast.Name | ast.Attribute):
        run.assign(receiver, made)
    return made


def method(run: Run, base: Value, name: str, given: Call) -> Value:
    if base is UNKNOWN:
        return _of_unknown(run, base, name, given)
    if isinstance(base, Choice):
        result = method(run, base.options[0], name, given)
        for option in base.options[1:]:
            result = join(result, method(run, option, name, given))
        return result
    if isinstance(base, Ref):
        return apply(run, Ref(canonical(f"{base.name}.{name}")), given)
    if isinstance(base, Instance | Module | Class | Super):
        return _of_object(run, base, name, given)
    if isinstance(base, Thing):
        handler = THING_METHODS.get(base.kind)
        answer = handler(run, base, name, given) if handler else None
        return answer if answer is not None else _unknown_method(run, name, given)
    known = METHODS.get(type(base))
    if known:
        found = known(run, base, name, given)
        return found if found is not None else _unknown_method(run, name, given)
    return _of_unknown(run, base, name, given)


def _of_object(run: Run, base: Instance | Module | Class | Super, name: str, given: Call) -> Value:
    if isinstance(base, Class):
        found = base.lookup(name)
        if isinstance(found, Func):
            marks = {getattr(mark, "id", "") for mark in getattr(found.node, "decorator_list", ())}
            return run.invoke(found.bound(base, base) if "classmethod" in marks else found, given)
        if found is not None:
            return apply(run, found, given)
        return _of_unknown(run, UNKNOWN, name, given)
    found = attribute(run, base, name)
    own = not isinstance(found, Part) and found is not UNKNOWN
    if own and (isinstance(base, Super) or name in base.attrs or isinstance(found, Func | Class)):
        if isinstance(base, Module):
            run.training.worked.add(base.root().node)
        return apply(run, found, given)
    owner = base.owner if isinstance(base, Super) else base
    if isinstance(owner, Module):
        result = torch_modules.method(run, owner, name, given)
        return result if result is not None else UNKNOWN
    if isinstance(base, Super) and name == "__init__":
        return UNKNOWN
    return _of_unknown(run, UNKNOWN, name, given)


def _of_unknown(run: Run, base: Value, name: str, given: Call) -> Value:
    """A method of something that is not known: some names have one meaning in all of them."""
    tensorflow.unknown_fit(run, name, given)
    result = torch_tensors.unknown_method(run, base, name, given)
    return result if result is not None else _unknown_method(run, name, given)


def _unknown_method(run: Run, name: str, given: Call) -> Value:
    if not is_harmless_method(name):
        for value in given.values():
            run.escape(value)
    return _result(run, given)


def apply(run: Run, callee: Value, given: Call) -> Value:
    if isinstance(callee, Func):
        if callee.jitted:
            given_to_compiled(run, given)
            jax_compute(run, given, callee)
        return run.invoke(callee, given)
    if isinstance(callee, Class):
        return instantiate(run, callee, given)
    if isinstance(callee, Ref):
        return _of_library(run, callee.name, given)
    if isinstance(callee, Module):
        return torch_modules.forward(run, callee, given)
    if isinstance(callee, Part):
        return torch_modules.forward(run, callee.module, given)
    if isinstance(callee, Thing):
        return _of_thing(run, callee, given)
    if isinstance(callee, Choice):
        result = apply(run, callee.options[0], given)
        for option in callee.options[1:]:
            result = join(result, apply(run, option, given))
        return result
    if isinstance(callee, Instance):
        found = callee.cls.lookup("__call__")
        if isinstance(found, Func):
            return run.invoke(found.bound(callee, callee.cls), given)
    for value in given.values():
        run.escape(value)
    return _result(run, given)


def _of_thing(run: Run, callee: Thing, given: Call) -> Value:
    if callee.kind == "partial":
        return apply(run, callee.attrs["function"], _completed(callee, given))
    handler = THING_METHODS.get(callee.kind)
    result = handler(run, callee, "__call__", given) if handler else None
    return result if result is not None else _unknown_method(run, "__call__", given)


def _completed(partial: Thing, given: Call) -> Call:
    """The call with what `functools.partial` was given before."""
    first, keywords = partial.attrs["first"], partial.attrs["keywords"]
    held = dict(keywords.items) if isinstance(keywords, Map) else {}
    made = Call(given.node, [*(first.items if isinstance(first, Seq) else ()), *given.args], held | given.keywords)
    made.nodes, made.complete = given.nodes, given.complete
    return made


@functools.lru_cache(maxsize=4096)
def _by_pattern(name: str) -> tuple[Function, ...]:
    """A file calls the same functions over and over, and most of them are none of these."""
    return tuple(handler for pattern, handler in PATTERNS if pattern.match(name))


def _of_library(run: Run, name: str, given: Call) -> Value:
    known = FUNCTIONS.get(name)
    if known:
        found = known(run, name, given)
        if found is not None:
            return found
    for handler in _by_pattern(name):
        found = handler(run, name, given)
        if found is not None:
            return found
    if not is_harmless(name):
        for value in given.values():
            run.escape(value)
    parameters = [module for value in given.values() if isinstance(value, Params) for module in value.modules]
    passes = name.startswith(("builtins.", "torch.nn.utils.", "numpy.", "itertools."))
    if parameters and not passes and not _AVERAGES.search(name):
        return Optimizer(tuple(parameters))  # whatever takes parameters to begin with makes steps with them
    return _result(run, given, name)


def _result(run: Run, given: Call, name: str = "") -> Value:
    """Of a function that is not known: a tensor, if it was given one; computed on whatever it was given."""
    if all(value is UNKNOWN or type(value) is Const for value in (*given.args, *given.keywords.values())):
        return UNKNOWN
    tensors = [value for value in given.values() if isinstance(value, Tensor)]
    if name.startswith(("torch.", "numpy.", "scipy.", "jax.", "cupy.", "optax.", "flax.", "einops.")):
        return mixed(run, list(given.values()), strict=False)
    modules = frozenset(module for value in tensors for module in value.modules)
    return Tensor("device", None, modules) if modules else UNKNOWN
