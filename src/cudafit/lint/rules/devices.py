"""Which device a value names, and whether the choice between two is the wrong way round."""

import ast

from cudafit.lint.arguments import Call
from cudafit.lint.join import device_of
from cudafit.lint.run import Run
from cudafit.lint.values import ANY, CPU, GPU, Available, Const, Device, Ref, Thing, Value
from cudafit.model import kinds


def make_device(_run: Run, _name: str, given: Call) -> Value:
    value = given.get(0, "device", "type")
    if isinstance(value, Available):
        return Device(ANY)
    device = device_of(value) if value is not None else None
    return device or Device(ANY)


def available(run: Run, name: str, given: Call) -> Value:
    start_cuda(run, given.node, name)
    return Available()


def start_cuda(run: Run, node: ast.AST, name: str) -> None:
    """CUDA reads its environment variables now."""
    if run.fact("cuda_started") is None:
        run.note("cuda_started", (node, name))


def cuda_call(run: Run, name: str, given: Call) -> Value | None:
    """Other functions of torch.cuda: nearly all of them start CUDA."""
    last = name.rpartition(".")[2]
    if last in ("current_device", "get_device"):
        start_cuda(run, given.node, name)
        return Device(GPU)
    if last in ("get_device_name", "get_device_properties", "set_device", "mem_get_info", "init", "synchronize"):
        start_cuda(run, given.node, name)
    if last == "device":
        return Thing("device_context", given.node)
    return None


def set_default_device(run: Run, _name: str, given: Call) -> Value:
    value = given.get(0, "device", "d", "t")
    device = device_of(value) if value is not None else None
    if isinstance(value, Const) and isinstance(value.value, str) and "Tensor" in value.value:
        device = Device(GPU) if "cuda" in value.value else None
    elif device is None and value is not None:
        device = None if getattr(value, "name", "").endswith("Tensor") and ".cuda." not in value.name else Device(ANY)  # type: ignore[attr-defined]
    run.note("default_device", device)
    return Const(None)


def check_inverted(run: Run, condition: Available, present: Value, absent: Value, node: ast.AST) -> bool:
    """The devices chosen where `condition` holds and where it does not."""
    if any(isinstance(value, Const) and not isinstance(value.value, str) for value in (present, absent)):
        return False  # numbers have other meanings too
    return inverted(run, condition, device_of(present), device_of(absent), node)


def inverted(run: Run, condition: Available, held: Device | None, failed: Device | None, node: ast.AST) -> bool:
    if not condition.pure or held is None or failed is None or held.option or failed.option:
        return False
    with_gpu, without = (held, failed) if condition.present else (failed, held)
    if with_gpu.kind == CPU and without.kind == GPU:
        run.hit(
            kinds.code.device_selection_inverted,
            node,
            "this chooses the CPU where a GPU is available, and the GPU where there is none",
        )
        return True
    return False


def assigned(node: ast.If) -> list[ast.expr]:
    """The names that either branch of a condition gives a value."""
    found: dict[str, ast.expr] = {}
    for statement in (*node.body, *node.orelse):
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name | ast.Attribute):
                    found.setdefault(ast.unparse(target), target)
    return list(found.values())


def moved_where_absent(run: Run, device: Device | None) -> None:
    """`.cuda()` in a branch that is only taken without a GPU."""
    if run.around.absent and device is not None and device.kind == GPU and run.around.conditions:
        run.hit(
            kinds.code.device_selection_inverted,
            run.around.absent[-1],
            "the GPU is used in the branch that is taken where there is none",
        )


def context(run: Run, value: Value, node: ast.AST) -> Value:
    """`with torch.device(...)`: what is made inside is made there."""
    if isinstance(value, Device):
        return Thing("device_context", value.node or node, device=value)
    return value


def is_default_elsewhere(run: Run) -> bool:
    """Whether what is made here without a device is made on another one than the CPU, as far as that is known."""
    for made in reversed(run.around.contexts):
        if isinstance(made, Thing) and made.kind == "device_context":
            return True
    device = run.fact("default_device")
    return device is not None and (device == ANY or device.kind != CPU)


def note_uncalled(run: Run, value: Value, node: ast.AST) -> None:
    """`if torch.cuda.is_available:` is true on every machine."""
    if isinstance(value, Ref) and value.name in _AVAILABILITY:
        run.hit(kinds.code.availability_not_called, node, f"`{value.name}` is not called here: it is always true")


_AVAILABILITY = ("torch.cuda.is_available", "torch.accelerator.is_available", "tensorflow.test.is_gpu_available")
