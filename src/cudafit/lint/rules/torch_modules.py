"""Networks of PyTorch: where they are made, moved, put together and run."""

import ast
import re

from cudafit.lint.arguments import Call
from cudafit.lint.join import device_of, modules_in
from cudafit.lint.names import CONTAINERS, NO_MODULE, WEIGHTLESS
from cudafit.lint.objects import adopt, new_module
from cudafit.lint.operations import flat, mixed_up
from cudafit.lint.rules import devices, training
from cudafit.lint.run import CPU, NEW, Place, Run, placed_by
from cudafit.lint.values import (
    ANY,
    GPU,
    UNKNOWN,
    Choice,
    Class,
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

_PLACES_NOTHING = frozenset(
    "train eval zero_grad requires_grad_ state_dict load_state_dict named_modules modules children named_children "
    "buffers named_buffers register_buffer register_parameter register_forward_hook register_full_backward_hook float "
    "double bfloat16 extra_repr gradient_checkpointing_enable gradient_checkpointing_disable print_trainable_parameters "
    "save_pretrained enable_input_require_grads resize_token_embeddings tie_weights init_weights post_init compile "
    "get_input_embeddings set_input_embeddings num_parameters get_submodule reset_parameters freeze unfreeze "
    "set_input_embeddings get_output_embeddings".split()
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
    if name == "to":
        return _to(run, module, given)
    if name in ("cuda", "xpu", "ipu"):
        devices.moved_where_absent(run, Device(GPU))
        _start(run, given.node, Device(GPU))
        run.move(module, Place(GPU))
        return module
    if name == "cpu":
        run.move(module, Place(CPU, given.node))
        return module
    if name in ("parameters", "trainable_variables"):
        return Params((module,))
    if name == "named_parameters":
        return Thing("iterable", given.node, item=Thing("params_and_names", given.node, item=_parameter(module)))
    if name == "apply":
        for value in given.args:
            if not isinstance(value, Func | Ref):
                run.move(module, Place(ANY))
        return module
    if name in ("share_memory", "to_empty"):
        run.move(module, Place(ANY))
        return module
    if name in ("add_module", "register_module"):
        adopt(run, module, given.args[1] if len(given.args) > 1 else UNKNOWN)
        return UNKNOWN
    if name in ("append", "insert", "extend", "update"):
        for value in given.args:
            adopt(run, module, value)
        return module
    if name in ("generate", "__call__", "forward"):
        if name == "generate":
            training.used(run, module, given.node)
        return forward(run, module, given)
    if name in _PLACES_NOTHING:
        return module if name in ("train", "eval", "float", "double", "bfloat16", "requires_grad_", "half") else UNKNOWN
    if name == "half":
        return module
    if module.cls is not None and not _descends_from_known(module.cls):
        run.move(module, Place(ANY))
    return Tensor("device", None, frozenset((module.root(),)))


def _descends_from_known(cls: Class) -> bool:
    """A method that the file does not show can only be one of torch's own, where that is the only other base."""
    return cls.family == "module"


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
    devices.moved_where_absent(run, device)
    _start(run, given.node, device)
    place = placed_by(device, given.node)
    if device.kind == CPU and isinstance(value, Const) and run.place(module).kind in (GPU, "back"):
        place = Place(CPU, given.node)
    run.move(module, place)
    return module


def _device(value: Value) -> Device:
    if isinstance(value, Choice):
        kinds = [device_of(option) for option in value.options]
        if all(kind is not None and kind.kind == CPU for kind in kinds):
            return kinds[0] or Device(ANY)
        return Device(ANY)
    return device_of(value) or Device(ANY)


def forward(run: Run, module: Module, given: Call) -> Value:
    """The model is run. Its own code is walked, as tensors may be made in it."""
    arguments = flat(given.values())
    root = module.root()
    inner = run.in_forward > 0
    if inner and not module.weightless and run.place(root).kind not in (NEW, CPU, "back"):
        for value in arguments:
            if isinstance(value, Tensor) and value.place == "cpu" and not value.scalar:
                mixed_up(run, value)
    training.infer(run, module, given.node)
    found = module.cls.lookup("forward") if module.cls else None
    if isinstance(found, Func) and module.family != "loaded":
        stands = run.in_forward
        run.in_forward = stands + 1 if run.place(root).kind not in (NEW, CPU, "back") else 0
        try:
            run.invoke(found.bound(module, module.cls), given)
        finally:
            run.in_forward = stands
    modules = frozenset((root,)) | frozenset(
        one for value in arguments if isinstance(value, Tensor) for one in value.modules
    )
    return Tensor("device", None, modules)


def set_part(run: Run, base: Module, name: str, value: Value, node: ast.AST) -> None:
    """`self.layer = ...`: a module becomes a part; a plain list of modules does not."""
    run.set(base.attrs, name, value)
    if isinstance(value, Module):
        adopt(run, base, value)
    elif isinstance(value, Seq | Map) and base.cls is not None and not name.startswith("_"):
        run.plain_parts.append((base, name, value, node))
    elif isinstance(value, Device) and value.kind == GPU and name == "device":
        return


_USED_WITH_SELF = "self.{}"


def unregistered(run: Run) -> None:
    """Lists and dicts with layers that were never made known to their module."""
    for base, name, held, node in run.plain_parts:
        if base.cls is None or base.attrs.get(name) is not held:
            continue
        layers = [module for module in modules_in(held) if not module.weightless]
        fresh = [module for module in layers if module.parent is None and module not in run.touched]
        if not layers or len(fresh) != len(layers) or not all(_made_in(module.node, base.cls) for module in layers):
            continue
        if not _is_called(base.cls, name):
            continue
        for module in layers:
            module.put_apart = True
        run.hit(
            "code.unregistered_submodule",
            node,
            f"the layers in `self.{name}` are in a plain {'dict' if isinstance(held, Map) else 'list'}: the model does not "
            "move or train them",
        )


def _made_in(node: ast.AST, cls: Class) -> bool:
    first, last = cls.node.lineno, cls.node.end_lineno or cls.node.lineno
    return first <= getattr(node, "lineno", 0) <= last


def _is_called(cls: Class, name: str) -> bool:
    """Whether a method beside `__init__` uses `self.name`, and none makes it known in another way."""
    text = "\n".join(ast.unparse(item) for one in cls.line_of_descent() for item in one.node.body)
    if re.search(r"\badd_module\(|\bregister_module\(|\bsetattr\(self\b|\.register_parameter\(", text):
        return False
    pattern = re.compile(rf"\bself\.{re.escape(name)}\b")
    return any(
        pattern.search(ast.unparse(item))
        for one in cls.line_of_descent()
        for item in one.node.body
        if isinstance(item, ast.FunctionDef) and item.name != "__init__"
    )


def load(run: Run, _name: str, given: Call) -> Value:
    """`torch.load`: a state dict, or a whole model; which of them shows in what is done with it."""
    made = Module(given.node, "loaded")
    device = given.get(1, "map_location")
    kind = device_of(device) if device is not None else None
    if kind is None or kind.kind != CPU:
        run.move(made, Place(ANY))
    return made


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


def placed_part(value: Value) -> Module | None:
    return value.module if isinstance(value, Part) else value if isinstance(value, Module) else None
