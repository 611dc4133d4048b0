"""Networks of PyTorch: where they are made, moved, put together and run."""

import ast
from collections.abc import Callable

from cudafit.lint.arguments import Call
from cudafit.lint.join import device_of
from cudafit.lint.names import CONTAINERS, NO_MODULE, WEIGHTLESS
from cudafit.lint.objects import adopt, new_module
from cudafit.lint.operations import flat, meet, mixed_up
from cudafit.lint.parts import BACK, NEW, Place
from cudafit.lint.rules import devices, training
from cudafit.lint.run import Run, placed_by
from cudafit.lint.values import (
    ANY,
    CPU,
    GPU,
    UNKNOWN,
    Choice,
    Const,
    Device,
    Func,
    Map,
    Module,
    Params,
    Part,
    Ref,
    Seq,
    Tensor,
    Thing,
    Value,
)
from cudafit.model import kinds

_PLACES_NOTHING = frozenset(
    [
        "train",
        "eval",
        "zero_grad",
        "requires_grad_",
        "state_dict",
        "load_state_dict",
        "named_modules",
        "modules",
        "children",
        "named_children",
        "buffers",
        "named_buffers",
        "register_buffer",
        "register_parameter",
        "register_forward_hook",
        "register_full_backward_hook",
        "float",
        "double",
        "bfloat16",
        "half",
        "extra_repr",
        "gradient_checkpointing_enable",
        "gradient_checkpointing_disable",
        "print_trainable_parameters",
        "save_pretrained",
        "enable_input_require_grads",
        "resize_token_embeddings",
        "tie_weights",
        "init_weights",
        "post_init",
        "compile",
        "get_input_embeddings",
        "set_input_embeddings",
        "num_parameters",
        "get_submodule",
        "reset_parameters",
        "freeze",
        "unfreeze",
        "set_input_embeddings",
        "get_output_embeddings",
    ]
)


def make(run: Run, name: str, given: Call) -> Value | None:
    """A layer or a network of a library."""
    if name in NO_MODULE:
        return None
    made = new_module(run, given.node, "torch", name=name.rpartition(".")[2])
    made.weightless = WEIGHTLESS.match(name) is not None
    device = given.get(None, "device")
    if device is not None and not (isinstance(device, Const) and device.value is None):
        run.move(made, placed_by(device_of(device) or Device(ANY), given.node))
    elif not given.complete and name not in CONTAINERS:
        run.move(made, Place(ANY))
    if name in CONTAINERS or any(isinstance(value, Module | Seq | Map) for value in given.values()):
        for value in flat(given.values()):
            adopt(run, made, value)
        if name in CONTAINERS and made.children:
            made.weightless = all(child.weightless for child in made.children)
    return made


def method(run: Run, module: Module, name: str, given: Call) -> Value | None:
    handler = _METHODS.get(name)
    if handler is not None:
        return handler(run, module, given)
    if name == "requires_grad_" and given.args and isinstance(given.args[0], Const) and given.args[0].value is False:
        run.training.frozen.add(module)
    if name in _PLACES_NOTHING:
        return module if name in _GIVES_ITSELF else UNKNOWN
    if not name.startswith("__init"):  # `super().__init__()`
        run.training.worked.add(module.root().node)
    if name == "generate":
        training.used(run, module, given.node)
    elif (module.cls is not None and module.cls.family != "module") or name.startswith("enable_"):
        run.move(module, Place(ANY))
    if name in ("generate", "__call__", "forward"):
        return forward(run, module, given)
    if module.family in ("loaded", "diffusers"):  # `pipe.encode_prompt(...)` computes where it is now
        run.set(run.training.ran, module.root(), run.place(module.root()).kind)
    return Tensor("device", None, frozenset((module.root(),)))


def _cuda(run: Run, module: Module, given: Call) -> Value:
    devices.moved_where_absent(run, Device(GPU))
    _start(run, given.node, Device(GPU))
    run.move(module, Place(GPU, given.node))
    return module


def _to_another(run: Run, module: Module, given: Call) -> Value:
    run.move(module, Place(ANY, given.node))
    return module


def _cpu(run: Run, module: Module, given: Call) -> Value:
    run.move(module, Place(CPU, given.node))
    return module


def _parameters(run: Run, module: Module, given: Call) -> Value:
    return Params((module,))


def _named_parameters(run: Run, module: Module, given: Call) -> Value:
    return Thing("iterable", given.node, item=Thing("params_and_names", given.node, item=_parameter(module)))


def _apply(run: Run, module: Module, given: Call) -> Value:
    if not all(isinstance(value, Func | Ref) for value in given.args):
        run.move(module, Place(ANY))
    return module


def _placed_elsewhere(run: Run, module: Module, given: Call) -> Value:
    run.move(module, Place(ANY))
    return module


def _adopt(run: Run, module: Module, given: Call) -> Value:
    for value in given.args:
        adopt(run, module, value)
    return module


def _parameter(module: Module) -> Tensor:
    made = Tensor("device", None, frozenset((module,)))
    made.item = "parameter"
    return made


def _start(run: Run, node: ast.AST, device: Device) -> None:
    if device.kind == GPU:
        devices.start_cuda(run, node, "`.cuda()`")


def _to(run: Run, module: Module, given: Call) -> Value:
    value = given.get(0, "device")
    if value is None:
        if not given.complete:
            run.move(module, Place(ANY))
        return module
    if isinstance(value, Ref) and value.name.startswith(("torch.float", "torch.bfloat", "torch.half", "torch.double")):
        return module
    if isinstance(value, Const) and value.value is None:
        return module
    device = _device(value)
    if device.kind != CPU:
        run.training.on_gpu.add(module.node)
    devices.moved_where_absent(run, device)
    _start(run, given.node, device)
    place = placed_by(device, given.node)
    if device.kind == CPU and isinstance(value, Const) and _was_moved(run.place(module)):
        place = Place(CPU, given.node)
    run.move(module, place)
    return module


def _was_moved(place: Place) -> bool:
    return place.kind in (GPU, BACK) or (place.kind == ANY and place.node is not None)


def _device(value: Value) -> Device:
    if isinstance(value, Choice):
        kinds = [device_of(option) for option in value.options]
        if all(kind is not None and kind.kind == CPU for kind in kinds):
            return kinds[0] or Device(ANY)
        return Device(ANY)
    return device_of(value) or Device(ANY)


def _parts(run: Run, module: Module, given: Call) -> Value:
    return Seq([*_inside(module)])


def _named_parts(run: Run, module: Module, given: Call) -> Value:
    return Seq([Seq([UNKNOWN, part]) for part in _inside(module)])


def _inside(module: Module) -> list[Value]:
    return [*module.children] if module.children else [Part(module)]


_METHODS: dict[str, Callable[[Run, Module, Call], Value]] = {
    "to": _to,
    "cuda": _cuda,
    "xpu": _to_another,
    "cpu": _cpu,
    "parameters": _parameters,
    "named_parameters": _named_parameters,
    "apply": _apply,
    **dict.fromkeys(("share_memory", "to_empty", "_apply"), _placed_elsewhere),
    **dict.fromkeys(("children", "modules", "values"), _parts),
    **dict.fromkeys(("named_children", "named_modules", "items"), _named_parts),
    **dict.fromkeys(("add_module", "register_module", "append", "insert", "extend", "update"), _adopt),
}
_GIVES_ITSELF = ("train", "eval", "float", "double", "half", "bfloat16", "requires_grad_")


def forward(run: Run, module: Module, given: Call) -> Value:
    """The model is run. Its own code is walked, as tensors may be made in it."""
    arguments = flat(given.values())
    root = module.root()
    run.training.worked.add(root.node)
    inner = run.around.in_forward > 0
    if inner and not module.weightless and run.place(root).kind not in (NEW, CPU, BACK):
        for value in arguments:
            if isinstance(value, Tensor) and value.place == "cpu" and not value.scalar:
                mixed_up(run, value)
    for one in (root, *(module.root() for value in arguments if isinstance(value, Tensor) for module in value.modules)):
        meet(run, one, arguments)
    if run.place(root).kind == GPU:
        training.fed_by(run, root, arguments)
    if root.family == "diffusers":
        training.used(run, root, given.node)
    training.infer(run, module, given.node)
    run.set(run.training.ran, root, run.place(root).kind)
    found = module.cls.lookup("forward") if module.cls else None
    if isinstance(found, Func) and module.family != "loaded":
        stands = run.around.in_forward
        run.around.in_forward = stands + 1 if run.place(root).kind not in (NEW, CPU, BACK) else 0
        try:
            run.invoke(found.bound(module, module.cls), given)
        finally:
            run.around.in_forward = stands
    modules = frozenset((root,)) | frozenset(
        one for value in arguments if isinstance(value, Tensor) for one in value.modules
    )
    tensors = [value for value in arguments if isinstance(value, Tensor)]
    if module.weightless and tensors and all(value.place == "cpu" for value in tensors):
        return Tensor("cpu", tensors[0].node, modules, scalar=all(value.scalar for value in tensors))
    return Tensor("device", None, modules)


def set_part(run: Run, base: Module, name: str, value: Value, node: ast.AST) -> None:
    """`self.layer = ...`: a module becomes a part; a plain list of modules does not."""
    run.set(base.attrs, name, value)
    if isinstance(value, Module | Choice):
        adopt(run, base, value)
    elif isinstance(value, Thing) and value.kind == "keras_model":
        run.move(base, Place(ANY))  # Keras places its layers itself
    elif isinstance(value, Seq | Map) and base.cls is not None and not name.startswith("_"):
        run.training.plain_parts.append((base, name, value, node))


def moved_parameter(run: Run, node: ast.Assign) -> None:
    """`self.weight = nn.Parameter(...).to(device)`: what `.to()` gives is a tensor, which the module does not know."""
    call, target = node.value, node.targets[0]
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and isinstance(target, ast.Attribute)):
        return
    made = call.func.value
    if call.func.attr not in ("to", "cuda") or not isinstance(made, ast.Call) or not isinstance(target.value, ast.Name):
        return
    maker = run.evaluate(made.func)
    if (
        isinstance(maker, Ref)
        and maker.name.endswith("nn.Parameter")
        and isinstance(run.evaluate(target.value), Module)
    ):
        run.hit(
            kinds.code.parameter_moved,
            node,
            f"`{ast.unparse(target)}` is no parameter of the module: `.{call.func.attr}()` gives another tensor",
        )


def load(run: Run, _name: str, given: Call) -> Value:
    """`torch.load`: a state dict, or a whole model; which of them shows in what is done with it."""
    made = Module(given.node, "loaded")
    device = given.get(1, "map_location")
    kind = device_of(device) if device is not None else None
    if not (kind is not None and kind.kind == CPU) and not _gives_the_first(device):
        run.move(made, Place(ANY))
    return made


def _gives_the_first(value: Value | None) -> bool:
    """`lambda storage, location: storage`: what was loaded stays where it is read, on the CPU."""
    if not isinstance(value, Func) or not value.node.args.args:
        return False
    body = value.node.body
    return isinstance(body, ast.Name) and body.id == value.node.args.args[0].arg


def wrap(run: Run, _name: str, given: Call) -> Value | None:
    """`torch.compile(model)`, `DataParallel(model)`: what comes out is the model."""
    value = given.get(0, "module", "model")
    return value if isinstance(value, Module) else None


def data_parallel(run: Run, _name: str, given: Call) -> Value | None:
    """`DistributedDataParallel` with a module of the CPU is a choice of its own."""
    value = given.get(0, "module")
    if isinstance(value, Module):
        if run.place(value).kind == NEW:
            run.move(value, Place(ANY))
        return value
    return None


def copied(run: Run, _name: str, given: Call) -> Value | None:
    """`copy.deepcopy(model)`: another module, in the same place."""
    value = given.get(0, "x")
    if not isinstance(value, Module):
        return value
    made = Module(given.node, value.family, value.cls, value.name)
    made.attrs, made.weightless = dict(value.attrs), value.weightless
    place = run.place(value)
    run.move(made, place if place.kind != NEW else Place(NEW))
    return made
