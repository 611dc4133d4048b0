"""JAX: platforms, devices, and arrays that are committed to one."""

import ast
import re

from cudafit.lint.arguments import Call
from cudafit.lint.join import device_of
from cudafit.lint.operations import flat
from cudafit.lint.rules.devices import start_cuda
from cudafit.lint.rules.host_arrays import given_to_compiled
from cudafit.lint.run import Run
from cudafit.lint.values import ANY, CPU, GPU, UNKNOWN, Class, Const, Device, Func, Map, Ref, Scope, Seq, Thing, Value
from cudafit.model import kinds

_MAKES_ARRAYS = re.compile(r"jax\.(numpy|random)\.[a-z]\w*$|jax\.(device_count|local_device_count|default_backend)$")
_DIFFERENTIATES = ("grad", "value_and_grad", "vjp", "jvp", "apply_updates", "apply_gradients")


def config_update(run: Run, _name: str, given: Call) -> Value:
    """`jax.config.update("jax_platforms", "cpu")`."""
    name, value = given.get(0, "name"), given.get(1, "val", "value")
    if isinstance(name, Const):
        configure(run, str(name.value), value, given.node)
    return UNKNOWN


def configure(run: Run, name: str, value: Value | None, node: ast.AST) -> None:
    """The same by an assignment, `jax.config.jax_platforms = "cpu"`."""
    if run.around.conditions or run.around.absent or run.around.library:
        return
    if name in ("jax_platforms", "jax_platform_name"):
        if isinstance(value, Const) and isinstance(value.value, str) and value.value.lower() == "cpu":
            run.ending.forced.append((node, f"`{name}` is set to `cpu`"))
        else:
            run.ending.forced.clear()
    elif name == "jax_default_device":
        device = device_of(value) if value is not None else None
        if isinstance(value, Device) and device is not None and device.kind == CPU:
            run.ending.forced.append((node, "the default device is set to the CPU"))


def default_device(run: Run, _name: str, given: Call) -> Value:
    value = given.get(0, "new_val")
    device = device_of(value) if value is not None else None
    return Thing("jax_scope", given.node, device=Device(device.kind if device else ANY, given.node))


def operation(run: Run, name: str, given: Call) -> Value | None:
    """What makes an array starts CUDA."""
    if _MAKES_ARRAYS.match(name):
        start_cuda(run, given.node, name)
    return UNKNOWN


def devices(run: Run, name: str, given: Call) -> Value:
    start_cuda(run, given.node, name)
    kind = given.get(0, "backend")
    if isinstance(kind, Const) and isinstance(kind.value, str):
        return Seq([Device(CPU if kind.value.lower() == "cpu" else GPU, given.node)])
    return UNKNOWN


def device_put(run: Run, _name: str, given: Call) -> Value:
    device = given.get(1, "device")
    if isinstance(device, Seq) and len(device.items) == 1:
        device = device.items[0]
    if isinstance(device, Device) and device.kind == CPU and not run.around.absent:
        return Thing("jax_cpu", given.node)
    return UNKNOWN


def sharding(_run: Run, _name: str, given: Call) -> Value:
    """`SingleDeviceSharding(device)` stands for the device."""
    value = given.get(0, "device")
    return value if isinstance(value, Device) else UNKNOWN


def tree_map(run: Run, _name: str, given: Call) -> Value | None:
    """`jax.tree.map(f, tree)`: what `f` does to each array is done to all."""
    function = given.get(0, "f")
    if not isinstance(function, Func):
        return None
    made = run.invoke(function, Call(given.node, [UNKNOWN for _ in given.args[1:]]))
    return made if isinstance(made, Thing) and made.kind == "jax_cpu" else None


def transform(run: Run, name: str, given: Call) -> Value:
    """`jax.jit(f)`, `jax.grad(f)`: something that computes when it is called."""
    if name.endswith(".partial"):
        first = given.get(0)
        if isinstance(first, Ref) and first.name in ("jax.jit", "jax.pmap", "jax.grad", "jax.value_and_grad"):
            _check_device(run, first.name, given)
            return Thing("jitted", given.node)
        if isinstance(first, Func):
            return first.partial(given.args[1:], given.keywords) if given.complete else first
        if isinstance(first, Ref | Class) and given.complete:
            made = Thing("partial", given.node, function=first, first=Seq(given.args[1:]))
            made.attrs["keywords"] = Map(given.keywords)
            return made
        return UNKNOWN
    run.file.seen.add("jax computes")
    _check_device(run, name, given)
    made = Thing("jitted", given.node)
    value = given.get(0, "fun", "f")
    made.attrs["function"] = value if isinstance(value, Func | Thing) else UNKNOWN
    made.attrs["grad"] = Const("grad" in name.rpartition(".")[2])
    return made


def _check_device(run: Run, name: str, given: Call) -> None:
    if name in ("jax.jit", "jax.pmap") and not given.keywords.keys() & {"backend", "device"}:
        run.file.seen.add("jax gpu named")  # only what is given the CPU stays there: the rest is not forced
    for key in ("backend", "device"):
        device = device_of(given.keywords.get(key, UNKNOWN))
        if device is not None and device.kind == GPU:
            run.file.seen.add("jax gpu named")
        if device is not None and device.kind == CPU and run.around.certain:
            run.ending.compared.add(id(given.nodes.get(key, given.node)))
            run.ending.forced.append(
                (given.nodes.get(key, given.node), f"`{name.rpartition('.')[2]}` is given `{key}=cpu`")
            )


def leave_out_placing(run: Run, mark: ast.Call, func: Func) -> None:
    """A function that itself puts arrays on a device is compiled for the CPU on purpose: it only copies."""
    if any(getattr(node, "attr", getattr(node, "id", "")) == "device_put" for node in ast.walk(func.node)):
        named = [word.value for word in mark.keywords]
        run.ending.forced = [one for one in run.ending.forced if one[0] not in named]


def compute(run: Run, given: Call, func: Value | None = None) -> None:
    """A compiled or differentiated function is called: arrays that are committed to the CPU keep it there."""
    run.file.seen.add("jax computes")
    if not run.around.loops or run.around.absent or not _trains(func):
        return
    for context in run.around.contexts:
        if isinstance(context, Thing) and context.kind == "jax_scope":
            made = context.attrs["device"]
            if isinstance(made, Device) and made.kind == CPU and made.node is not None:
                run.hit(kinds.code.jax_cpu_forced, made.node, "all that JAX computes in this scope stays on the CPU")
    for value in flat(given.values()):
        if isinstance(value, Thing) and value.kind == "jax_cpu":
            run.hit(
                kinds.code.jax_committed_to_cpu,
                value.node,
                "this commits the array to the CPU: the training step that it is given to runs there",
            )


def jitted_method(run: Run, base: Thing, name: str, given: Call) -> Value | None:
    if name != "__call__":
        return UNKNOWN
    func = base.attrs.get("function")
    if func is UNKNOWN and given.args and isinstance(given.args[0], Func):
        given.args[0].jitted = True  # `partial(jax.jit, ...)` used as a decorator
        return given.args[0]
    grad = base.attrs.get("grad")
    given_to_compiled(run, given)
    compute(run, given, base if isinstance(grad, Const) and grad.value else func)
    return UNKNOWN


def scan(run: Run, _name: str, given: Call) -> Value:
    """`jax.lax.scan(step, state, batches)` is a loop of its own."""
    func = given.args[0] if given.args else UNKNOWN
    body = next((value for value in given.args if isinstance(value, Func | Thing)), func)
    run.around.loops.append(given.node)
    try:
        compute(run, given, body)
    finally:
        run.around.loops.pop()
    return UNKNOWN


def _trains(func: Value | None, depth: int = 3) -> bool:
    """Whether the function computes gradients: only then its work belongs on the GPU for certain."""
    if isinstance(func, Thing) and func.kind == "jitted":
        grad = func.attrs.get("grad")
        return (isinstance(grad, Const) and bool(grad.value)) or _trains(func.attrs.get("function"), depth)
    if not isinstance(func, Func) or depth == 0:
        return False
    for node in ast.walk(func.node):
        word = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if word in _DIFFERENTIATES:
            return True
        if isinstance(node, ast.Name) and _is_other(func.scope, node.id, func):
            found = func.scope.find(node.id)
            if _trains(found, depth - 1):
                return True
    return False


def _is_other(scope: Scope, name: str, func: Func) -> bool:
    found = scope.find(name)
    return isinstance(found, Func | Thing) and found is not func
