"""What is behind a dot, in brackets, and in each turn of a loop."""

import ast

from cudafit.lint.join import join
from cudafit.lint.names import canonical
from cudafit.lint.operations import mixed
from cudafit.lint.run import Run
from cudafit.lint.values import (
    ANY,
    GPU,
    UNKNOWN,
    Available,
    Choice,
    Class,
    Const,
    Device,
    Func,
    Host,
    HostArray,
    Instance,
    Map,
    Module,
    Params,
    Part,
    Ref,
    Seq,
    Super,
    Tensor,
    Thing,
    Value,
)

_SAME_TENSOR = (
    "data",
    "T",
    "mT",
    "grad",
    "real",
    "imag",
    "loss",
    "logits",
    "last_hidden_state",
    "sample",
    "pooler_output",
)


def attribute(run: Run, base: Value, name: str) -> Value:
    if isinstance(base, Ref):
        return reference(run, canonical(f"{base.name}.{name}"))
    if isinstance(base, Map):
        return base.items.get(name, UNKNOWN)
    if isinstance(base, Instance | Module):
        return _of_object(run, base, name)
    if isinstance(base, Class):
        found = base.lookup(name)
        return found if found is not None else UNKNOWN
    if isinstance(base, Super):
        return _of_super(base, name)
    if isinstance(base, Tensor):
        if name == "device":
            return Device(GPU if base.place == "device" and base.item is None else ANY)
        return base if name in _SAME_TENSOR else UNKNOWN
    if isinstance(base, Part):
        return UNKNOWN if name.startswith(("in_", "out_", "num_")) or name == "config" else base
    if isinstance(base, Host):
        return base if name in ("T", "real", "imag", "flat") else UNKNOWN
    if isinstance(base, HostArray):
        return base if name == "T" else UNKNOWN
    if isinstance(base, Thing):
        return _of_thing(base, name)
    if isinstance(base, Choice):
        return _joined([attribute(run, option, name) for option in base.options])
    return UNKNOWN


def taken(run: Run, base: Value, name: str) -> Value:
    """The same where it is not called at once: a method that is kept under another name is not followed."""
    if isinstance(base, Module) and name in ("to", "cuda", "cpu", "_apply"):
        run.escape(base)
    return attribute(run, base, name)


def reference(run: Run, name: str) -> Value:
    """What an imported name stands for, where it is more than a name."""
    if name == "os.environ":
        return Thing("environ", _NOWHERE)
    if name.endswith("DNN_BACKEND_CUDA"):
        run.file.seen.add("gpu of OpenCV DNN")  # whatever it is given to: a network of another function, too
    if name == "absl.flags.FLAGS":
        made = Thing("namespace", _NOWHERE)
        made.attrs = run.file.flags
        return made
    return Ref(name)


_NOWHERE = ast.Pass()


def _of_object(run: Run, base: Instance | Module, name: str) -> Value:
    if name in base.attrs:
        return base.attrs[name]
    found = base.cls.lookup(name) if base.cls else None
    if isinstance(found, Func):
        if _is_property(found):
            from cudafit.lint.arguments import Call  # noqa: PLC0415 - the call of a property is a call

            return run.invoke(found.bound(base, base.cls), Call(found.node))
        return found.bound(base, base.cls) if not _is_static(found) else found
    if found is not None:
        return found
    if isinstance(base, Module):
        if name == "device":
            return Device(ANY)
        if name in ("training", "config", "dtype", "hparams", "logger", "trainer"):
            return UNKNOWN
        return Part(base) if base.cls is None else UNKNOWN
    return UNKNOWN


def _of_super(base: Super, name: str) -> Value:
    for parent in base.cls.bases:
        found = parent.lookup(name)
        if isinstance(found, Func):
            return found.bound(base.owner, parent)
        if found is not None:
            return found
    return UNKNOWN


def _of_thing(base: Thing, name: str) -> Value:
    if name in base.attrs:
        return base.attrs[name]
    if base.kind in ("accelerator", "fabric") and name == "device":
        return Device(ANY)
    if base.kind == "flag":
        return base.attrs["value"] if name == "value" else UNKNOWN
    if base.kind == "cupy":
        return base if name in _SAME_TENSOR else UNKNOWN
    if base.kind == "detectron_cfg":
        return base
    return base if base.kind == "batch" and name not in ("device", "shape") else UNKNOWN


def _is_property(func: Func) -> bool:
    marks = getattr(func.node, "decorator_list", ())
    return any(isinstance(mark, ast.Name | ast.Attribute) and "property" in ast.unparse(mark) for mark in marks)


def _is_static(func: Func) -> bool:
    marks = getattr(func.node, "decorator_list", ())
    return any(isinstance(mark, ast.Name) and mark.id == "staticmethod" for mark in marks)


def subscript(run: Run, base: Value, index: Value) -> Value:
    if isinstance(base, Seq):
        if (
            isinstance(index, Const)
            and isinstance(index.value, int)
            and -len(base.items) <= index.value < len(base.items)
        ):
            return base.items[index.value]
        return _joined(base.items) if base.items else UNKNOWN
    if isinstance(base, Map):
        if isinstance(index, Const) and isinstance(index.value, str):
            return base.items.get(index.value, base.items.get("\0", UNKNOWN))
        return _joined(list(base.items.values())) if base.items else UNKNOWN
    if isinstance(base, Choice):
        return _joined([subscript(run, option, index) for option in base.options])
    if isinstance(base, Available):
        return UNKNOWN
    if isinstance(base, Thing) and base.kind == "namespace" and isinstance(index, Const):
        return base.attrs.get(str(index.value), UNKNOWN)
    if isinstance(base, Thing) and base.kind == "batch":
        return _item(base.node, "subscript")
    if isinstance(base, Thing) and base.kind == "environ" and isinstance(index, Const):
        return base.attrs.get(str(index.value), UNKNOWN)
    if isinstance(base, Module):
        return Part(base)
    if isinstance(base, Tensor) and isinstance(index, Tensor):
        return Tensor(base.place, base.node, base.modules)  # an index of the CPU fits a tensor of any device
    if isinstance(base, Tensor) and isinstance(index, Host) and index.computed:
        run.ending.returned.append((index, run.loop, run.conditions_in_loop))
    return mixed(run, [base]) if not isinstance(base, HostArray) else UNKNOWN


def _joined(values: list[Value]) -> Value:
    result = values[0]
    for value in values[1:]:
        result = join(result, value)
    return result


def _item(node: ast.AST, sign: str) -> Tensor:
    made = Tensor("device", node)
    made.item = sign
    return made


def element(run: Run, iterable: Value) -> Value:
    """What a loop over this gives."""
    if isinstance(iterable, Seq):
        return _joined(iterable.items) if iterable.items else UNKNOWN
    if isinstance(iterable, Map):
        return UNKNOWN
    if isinstance(iterable, Params):
        made = Tensor("device", None, frozenset(iterable.modules))
        made.item = "parameter"
        return made
    if isinstance(iterable, Module):
        return iterable.children[0] if len(iterable.children) == 1 else Part(iterable)
    if isinstance(iterable, Thing):
        if iterable.kind in ("enumerate", "zip", "iterable"):
            return iterable.attrs["item"]
        if iterable.kind == "loader":
            return Thing("batch", iterable.node)
        return UNKNOWN
    if isinstance(iterable, Tensor):
        return Tensor(iterable.place, iterable.node, iterable.modules)
    if isinstance(iterable, Choice):
        return _joined([element(run, option) for option in iterable.options])
    return UNKNOWN


def parts_of(run: Run, value: Value, count: int) -> list[Value]:
    """What an assignment to several names gives each of them."""
    if isinstance(value, Seq):
        if len(value.items) == count:
            return value.items
        return [_joined(value.items)] * count if value.items else [UNKNOWN] * count
    if isinstance(value, Thing) and value.kind == "batch":
        return [_item(value.node, "unpacked") for _ in range(count)]
    if isinstance(value, Tensor):
        return [Tensor(value.place, value.node, value.modules) for _ in range(count)]
    if isinstance(value, Host | Params) or (isinstance(value, Thing) and value.kind in ("jax_cpu", "cupy")):
        return [value] * count
    if isinstance(value, Thing) and value.kind == "params_and_names":
        return [UNKNOWN, value.attrs["item"]][:count] + [UNKNOWN] * (count - 2)
    if isinstance(value, Choice):
        columns = [parts_of(run, option, count) for option in value.options]
        return [_joined([column[number] for column in columns]) for number in range(count)]
    return [UNKNOWN] * count
