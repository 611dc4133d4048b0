"""Arithmetic, indexing and library functions: what comes out when values are mixed."""

from collections.abc import Iterable

from cudafit.lint.run import Run
from cudafit.lint.values import UNKNOWN, Const, Host, HostArray, Map, Module, Params, Part, Seq, Tensor, Thing, Value
from cudafit.model import kinds


def flat(values: Iterable[Value], depth: int = 3) -> list[Value]:
    """The values, and those in lists and dicts."""
    found: list[Value] = []
    for value in values:
        if isinstance(value, Seq) and depth:
            found += flat(value.items, depth - 1)
        elif isinstance(value, Map) and depth:
            found += flat(value.items.values(), depth - 1)
        else:
            found.append(value)
    return found


def mixed(run: Run, values: list[Value], *, strict: bool = True) -> Value:
    """The result of computing with these. Tensors of the CPU and of a device together are what PyTorch refuses,
    where the operation is one of those that do (`strict`).
    """
    if all(value is UNKNOWN or type(value) is Const for value in values):
        return UNKNOWN
    parts = flat(values)
    hosts = [value for value in parts if isinstance(value, Host)]
    if hosts:
        return Host(hosts[0].node, hosts[0].tool, hosts[0].loop, computed=True)
    committed = [value for value in parts if isinstance(value, Thing) and value.kind == "jax_cpu"]
    if committed:
        return committed[0]
    cupy = [value for value in parts if isinstance(value, Thing) and value.kind == "cupy"]
    if cupy:
        return cupy[0]
    arrays = [value for value in parts if isinstance(value, HostArray)]
    if arrays and not any(isinstance(value, Tensor | Part) for value in parts):
        return HostArray(run.loop, arrays[0].root)
    result = _of_tensors(run, parts, strict=strict)
    if isinstance(result, Tensor):
        result.made_from = tuple(
            dict.fromkeys(base for value in parts if isinstance(value, Tensor) for base in bases(value))
        )
        for module in {module.root() for module in result.modules}:
            meet(run, module, parts)
    return result


def bases(tensor: Tensor) -> tuple[Tensor, ...]:
    return tensor.made_from or (tensor,)


def meet(run: Run, module: Module, parts: Iterable[Value]) -> None:
    """What is given to a model, or is computed with what it gives, has to be moved with it."""
    for value in parts:
        if isinstance(value, Tensor):
            for base in bases(value):
                if base in run.tensors.origins:
                    if base not in module.companions:
                        module.companions.append(base)
                elif not base.modules and base.item != "moved" and not (base.place == "device" and base.item is None):
                    module.unsure = True
        elif not isinstance(value, Const | Part | Module | Params):
            module.unsure = True


def _of_tensors(run: Run, parts: list[Value], *, strict: bool) -> Value:
    tensors = [value for value in parts if isinstance(value, Tensor)]
    parts_of_modules = [value for value in parts if isinstance(value, Part)]
    if not tensors and not parts_of_modules:
        return UNKNOWN
    modules = frozenset(module for value in tensors for module in value.modules)
    modules |= frozenset(value.module for value in parts_of_modules)
    on_device = bool(parts_of_modules) or any(value.place == "device" and value.item is None for value in tensors)
    loose = [value for value in tensors if value.place == "cpu"]
    if on_device:
        for value in loose:
            if strict and not value.scalar:
                mixed_up(run, value)
        return Tensor("device", None, modules)
    if loose and len(loose) == len(tensors):
        return Tensor("cpu", loose[0].node, modules, scalar=all(value.scalar for value in loose))
    return Tensor("host" if any(value.place == "host" for value in tensors) else "device", None, modules)


def mixed_up(run: Run, value: Tensor) -> None:
    """A tensor made on the CPU meets one of the model: a finding, where that is inside the model's own methods."""
    if not run.around.in_forward or value.node is None or id(value.node) not in run.tensors.forward_nodes:
        return
    if any("onnx" in getattr(frame.root, "name", "") for frame in run.frames):
        return  # a model is exported on the CPU
    run.hit(
        kinds.code.tensor_created_on_cpu_in_forward,
        value.node,
        "this tensor is made on the CPU at each call, whatever device the model and its input are on",
    )
