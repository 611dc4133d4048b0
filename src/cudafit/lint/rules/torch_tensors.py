"""Tensors of PyTorch: where they are made, moved, and brought back to the host."""

import ast

from cudafit.lint.arguments import Call
from cudafit.lint.join import device_of
from cudafit.lint.objects import visible_device
from cudafit.lint.operations import flat, mixed
from cudafit.lint.parts import Place
from cudafit.lint.rules import devices, hosts, training
from cudafit.lint.run import Run, placed_by
from cudafit.lint.values import (
    ANY,
    CPU,
    GPU,
    UNKNOWN,
    Const,
    Device,
    Host,
    Module,
    Params,
    Part,
    Ref,
    Seq,
    Tensor,
    Value,
)
from cudafit.model import kinds
from cudafit.model.code_finding import Edit

_NO_TENSOR = frozenset(
    [
        "size",
        "dim",
        "numel",
        "item",
        "stride",
        "element_size",
        "data_ptr",
        "get_device",
        "nelement",
        "ndimension",
        "storage",
        "is_contiguous",
        "is_floating_point",
        "is_complex",
        "allclose",
        "equal",
        "is_set_to",
        "untyped_storage",
    ]
)
_MIXES = frozenset(
    [
        "add",
        "add_",
        "sub",
        "sub_",
        "mul",
        "mul_",
        "div",
        "div_",
        "matmul",
        "mm",
        "bmm",
        "mv",
        "dot",
        "masked_fill",
        "masked_fill_",
        "gather",
        "scatter",
        "scatter_",
        "scatter_add",
        "scatter_add_",
        "where",
        "index_select",
        "eq",
        "ne",
        "lt",
        "gt",
        "le",
        "ge",
        "logical_and",
        "logical_or",
        "lerp",
        "addmm",
        "baddbmm",
        "maximum",
        "minimum",
    ]
)
# Functions of torch that refuse tensors of two devices.
_MIXING_FUNCTIONS = frozenset(
    [
        "cat",
        "concat",
        "stack",
        "hstack",
        "vstack",
        "matmul",
        "mm",
        "bmm",
        "add",
        "sub",
        "mul",
        "div",
        "where",
        "einsum",
        "maximum",
        "minimum",
        "lerp",
        "addmm",
        "baddbmm",
        "logical_and",
        "logical_or",
        "index_select",
        "gather",
        "linear",
        "embedding",
        "conv1d",
        "conv2d",
        "conv3d",
        "cross_entropy",
        "mse_loss",
        "l1_loss",
        "nll_loss",
        "binary_cross_entropy",
        "binary_cross_entropy_with_logits",
        "scaled_dot_product_attention",
        "smooth_l1_loss",
    ]
)
# The same as the tensor that they are given.
_DRAWN = ("bernoulli", "multinomial", "normal")


def make(run: Run, name: str, given: Call) -> Value:
    """`torch.zeros(...)` and its kind: on the CPU, unless a device is named."""
    last = name.rpartition(".")[2]
    if last in ("from_numpy", "as_tensor", "tensor", "Tensor", "FloatTensor") or last.endswith("Tensor"):
        value = given.get(0, "data")
        for item in flat([value] if value is not None else []):
            if isinstance(item, Host):
                hosts.back(run, item)
        if isinstance(value, Tensor):
            return value
    if last in _DRAWN and given.args and not isinstance(given.args[0], Const):
        return mixed(run, given.args, strict=False)
    device = given.get(None, "device")
    if device is not None:
        kind = device_of(device) or Device(ANY)
        if kind.kind == GPU:
            devices.start_cuda(run, given.node, "a tensor on the GPU")
        made = Tensor("cpu" if kind.kind == CPU else "device", given.node)
        if kind.kind == ANY:
            made.item = "chosen"
        return made
    if not given.complete or devices.is_default_elsewhere(run):
        made = Tensor("device", given.node)
        made.item = "chosen"
        return made
    if run.around.in_forward:
        run.tensors.forward_nodes.add(id(given.node))
    made = Tensor("cpu", given.node, scalar=_is_scalar(last, given))
    if visible_device(run) and not run.around.library:
        run.tensors.origins[made] = (given.node, "")
    return made


def _is_scalar(last: str, given: Call) -> bool:
    """Without a dimension, or perhaps without."""
    value = given.get(0, "data", "size")
    if last in ("tensor", "as_tensor"):
        return not isinstance(value, Seq)
    if last in ("zeros", "ones", "rand", "randn", "empty", "full"):
        if value is UNKNOWN and len(given.args) == 1:
            return not _is_shape(given.node)
        return value is None or (isinstance(value, Seq) and not value.items)
    return last in ("from_numpy",)


def _is_shape(call: ast.AST) -> bool:
    """`torch.randn(x.shape)`, `torch.zeros(x.size())`: as large as another tensor, which is no single number."""
    first = call.args[0] if isinstance(call, ast.Call) and call.args else None
    if isinstance(first, ast.Call):
        return isinstance(first.func, ast.Attribute) and first.func.attr == "size" and not first.args
    return isinstance(first, ast.Attribute) and first.attr == "shape"


def like(run: Run, _name: str, given: Call) -> Value | None:
    if given.get(None, "device") is not None:
        return make(run, "torch.zeros", given)
    value = given.get(0, "input")
    return Tensor(value.place, value.node, scalar=value.scalar) if isinstance(value, Tensor) else None


def function(run: Run, name: str, given: Call) -> Value | None:
    """Other functions of torch: what comes out is where the tensors that go in are."""
    last = name.rpartition(".")[2]
    if last in _MIXING_FUNCTIONS:
        return mixed(run, list(given.values()))
    return mixed(run, list(given.values()), strict=False)


def method(run: Run, tensor: Tensor, name: str, given: Call) -> Value | None:
    if name in ("to", "cuda", "cpu", "type", "xpu"):
        return _moved(run, tensor, name, given)
    if name == "backward":
        training.backward(run, tensor, given.node)
        return UNKNOWN
    if name in ("numpy", "tolist", "__array__"):
        return hosts.brought(run, tensor, given.node)
    if name in _NO_TENSOR or name.startswith("is_"):
        return UNKNOWN
    if name in ("type_as", "new_zeros", "new_ones", "new_full", "new_empty", "new_tensor"):
        made = Tensor("device", given.node)
        made.item = "moved"
        return made
    if name in _MIXES:
        return mixed(run, [tensor, *given.values()])
    if name in ("requires_grad_", "detach_", "retain_grad", "zero_", "copy_"):
        return tensor
    return mixed(run, [tensor, *given.values()], strict=False) if name != "split" else tensor


def _moved(run: Run, tensor: Tensor, name: str, given: Call) -> Tensor:
    if name == "type":
        made = Tensor(tensor.place, tensor.node, tensor.modules)
        made.item = tensor.item
        return made
    value = given.get(0, "device", "other")
    if name == "to" and value is None and given.complete:
        return tensor
    if isinstance(value, Ref) and value.name.startswith("torch."):
        return tensor
    device = Device(GPU) if name in ("cuda", "xpu") else Device(CPU) if name == "cpu" else device_of(value or UNKNOWN)
    devices.moved_where_absent(run, device)
    if device is None or device.kind != CPU:
        run.training.crossed.update(module.root() for module in tensor.modules)
    if device is None or device.kind == ANY:
        made = Tensor("device", given.node, tensor.modules)
        made.item = "moved"
        return made
    if device.kind == GPU:
        devices.start_cuda(run, given.node, "a tensor on the GPU")
        made = Tensor("device", given.node, tensor.modules)
        made.item = "moved"
        return made
    if (
        tensor.place == "device"
        and (tensor.modules or tensor.item is None)
        and tensor.item not in ("unpacked", "subscript")
    ):
        return Tensor("host", given.node, tensor.modules)
    return Tensor("cpu" if tensor.place == "cpu" else tensor.place, tensor.node, tensor.modules, scalar=tensor.scalar)


def part_method(run: Run, part: Part, name: str, given: Call) -> Value | None:
    """A method of a layer inside a model of which no more is known."""
    from cudafit.lint.rules import torch_modules  # noqa: PLC0415 - a layer is a module too

    if name == "parameters":
        return Params((part.module,))
    if name in ("to", "cuda", "cpu"):
        run.move(part.module, Place(ANY))
        return part
    if name in ("forward", "__call__", "generate"):
        return torch_modules.forward(run, part.module, given)
    if name in ("size", "dim", "item", "numel", "state_dict", "items", "keys", "values", "get"):
        return UNKNOWN
    return part


def params_method(_run: Run, params: Params, _name: str, _given: Call) -> Value | None:
    return params


def unknown_method(run: Run, _base: Value, name: str, given: Call) -> Value | None:
    """Methods whose name has one meaning in all things that have them."""
    if name == "step" and training.steps_with(run, given):
        return UNKNOWN
    if name == "backward":
        training.backward(run, UNKNOWN, given.node)
        return UNKNOWN
    if name in ("scale", "scale_loss") and len(given.args) >= 1 and isinstance(given.args[0], Tensor):
        return given.args[0]  # GradScaler
    return None


def guess_module(run: Run, node: ast.Call, name: str, given: Call) -> Value | None:
    """`model.to("cpu")` of something that another file makes: then it is a module from here on, if it is used as one.

    It may as well be a tensor (`preds = pred.cpu()`): only what is called, or gives its parameters, is a module.
    """
    value = given.get(0, "device")
    device = Device(CPU) if name == "cpu" and not given.args else device_of(value) if value is not None else None
    if device is None or device.kind != CPU or (name == "to" and not isinstance(value, Device | Const)):
        return None
    made = Module(node, "guessed")
    run.move(made, placed_by(device, node))
    return made


def discarded(run: Run, node: ast.expr, *, alone: bool) -> None:
    """A statement that is only `tensor.to(device)`."""
    if (
        not isinstance(node, ast.Call)
        or not isinstance(node.func, ast.Attribute)
        or node.func.attr not in ("to", "cuda")
    ):
        return
    receiver = node.func.value
    if not isinstance(receiver, ast.Name | ast.Attribute | ast.Subscript):
        return
    before = run.evaluate(receiver)
    if not isinstance(before, Tensor) or before.item == "parameter":
        return
    if before.item in ("unpacked", "subscript") and run.file.seen & {"import torch_geometric", "import dgl"}:
        return  # graphs are moved in place
    given = run.evaluate(node.args[0]) if node.args else None
    if node.func.attr == "to" and given is None and not any(word.arg == "device" for word in node.keywords):
        return
    device = device_of(given) if given is not None else None
    if (device is not None and device.kind == CPU) or (isinstance(given, Ref) and "float" in given.name):
        return
    text = ast.unparse(receiver)
    start = Edit(node.lineno, node.col_offset, node.lineno, node.col_offset, f"{text} = ")
    run.hit(
        kinds.code.to_result_discarded,
        node,
        f"`{text}.{node.func.attr}()` gives a new tensor, which is thrown away here; `{text}` stays where it was",
        (start,) if alone else (),
    )
