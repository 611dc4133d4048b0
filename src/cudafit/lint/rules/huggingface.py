"""Hugging Face: models, Trainer arguments, pipelines, Accelerate."""

import ast
import re
from collections.abc import Mapping

from cudafit.lint.arguments import Call
from cudafit.lint.join import device_of, modules_in
from cudafit.lint.names import is_pretrained_model
from cudafit.lint.parts import Place
from cudafit.lint.rules import training, versions
from cudafit.lint.rules.training import prepare
from cudafit.lint.run import Run
from cudafit.lint.values import (
    ANY,
    CPU,
    UNKNOWN,
    Available,
    Const,
    Device,
    Map,
    Module,
    Seq,
    Tensor,
    Thing,
    Value,
)
from cudafit.model import kinds

ARGUMENTS = re.compile(
    r"(transformers|trl|sentence_transformers|setfit|optimum|adapters)\.(\w+\.)*\w*TrainingArguments$|trl\.(\w+\.)*\w+Config$"
)
PRETRAINED = re.compile(r"(transformers|diffusers)\.(\w+\.)*\w+\.(from_pretrained|from_config|from_single_file)$")


def arguments(run: Run, _name: str, given: Call) -> Value:
    check_arguments(run, given.keywords, given)
    return Thing("hf_args", given.node)


def check_arguments(run: Run, keywords: Mapping[str, Value], given: Call) -> None:
    for name in ("use_cpu", "no_cuda"):
        value = keywords.get(name)
        if isinstance(value, Const) and value.value is True and not run.around.absent:
            node = value.node or given.nodes.get(name) or given.node
            run.hit(kinds.code.hf_trainer_cpu, node, f"`{name}=True` keeps the Trainer on the CPU")
        elif isinstance(value, Available) and value.present and value.pure:
            node = given.nodes.get(name) or given.node
            run.hit(kinds.code.device_selection_inverted, node, f"`{name}` is true where a GPU is available")


def set_argument(run: Run, name: str, value: Value, node: ast.AST) -> None:
    """`args.no_cuda = True`."""
    certain = not run.around.absent and not run.around.conditions
    if certain and name in ("use_cpu", "no_cuda") and isinstance(value, Const) and value.value is True:
        run.hit(kinds.code.hf_trainer_cpu, node, f"`{name}=True` keeps the Trainer on the CPU")


def pipeline(run: Run, _name: str, given: Call) -> Value:
    for value in given.values():
        for module in modules_in(value):
            run.move(module, Place(ANY))
    device = given.get(None, "device")
    mapped = given.get(None, "device_map")
    named = device_of(device) if device is not None else _map_device(mapped)
    if named is not None and named.kind == CPU and not run.around.absent:
        node = named.node or given.nodes.get("device") or given.node
        if named.option:
            message = "unless another device is asked for, the pipeline is put on the CPU"
            run.hit(kinds.code.device_default_cpu, node, message)
        else:
            run.hit(kinds.code.hf_pipeline_cpu, node, "this pipeline is put on the CPU")
    placed = device is not None or mapped is not None or not given.complete
    if not placed and not run.around.absent and not _has_model(given):
        versions.pipeline_without_device(run, given.node)
    return Thing("pipeline", given.node, placed=Const(placed))


def _has_model(given: Call) -> bool:
    """A model that is made elsewhere may be placed there."""
    model = given.get(1, "model")
    framework = given.get(None, "framework")
    return not (model is None or isinstance(model, Const)) or (isinstance(framework, Const) and framework.value == "tf")


def pipeline_method(run: Run, base: Thing, name: str, given: Call) -> Value | None:
    placed = base.attrs["placed"]
    if name == "__call__" and "device" in given.keywords and isinstance(placed, Const) and not placed.value:
        run.hit(
            kinds.code.hf_pipeline_cpu,
            given.nodes.get("device", given.node),
            "`device` has no effect when the pipeline is called: it belongs into `pipeline(...)`",
        )
    return UNKNOWN


def _map_device(value: Value | None) -> Device | None:
    if isinstance(value, Map):
        devices = [device_of(item) for item in value.items.values()]
        if devices and all(one is not None and one.kind == CPU for one in devices):
            return devices[0]
        return Device(ANY)
    return device_of(value) if value is not None else None


def from_pretrained(run: Run, name: str, given: Call) -> Value | None:
    owner = name.rpartition(".")[0]
    if re.match(r"\w+\.(\w+\.)*(Onnx|ORT|OV|Flax|TF)[A-Z]?\w*$", owner):
        return None  # of other frameworks, which place by themselves
    pipe = owner.startswith("diffusers.") and owner.endswith("Pipeline")
    if not pipe and not is_pretrained_model(owner):
        return None
    made = Module(given.node, "diffusers" if pipe else "loaded", name=owner.rpartition(".")[2])
    mapped = given.get(None, "device_map")
    device = _map_device(mapped)
    if device is not None and device.kind == CPU and device.node is not None:
        if not device.option:
            run.nodes.marks[id(device.node)] = "device_map"
        run.move(made, Place(CPU, device.node, device.option))
    elif (
        (mapped is not None and not (isinstance(mapped, Const) and mapped.value is None))
        or not given.complete
        or any(key.startswith(("quantization", "load_in_", "device", "max_memory")) for key in given.keywords)
        or run.fact("default_device")
        or any(isinstance(one, Thing) and one.kind == "device_context" for one in run.around.contexts)
    ):
        run.move(made, Place(ANY))
    return made


def wrap(run: Run, _name: str, given: Call) -> Value | None:
    """`peft.get_peft_model(model, config)`: the same module with more in it."""
    value = given.get(0, "model")
    return value if isinstance(value, Module) else None


def trainer(run: Run, _name: str, given: Call) -> Value:
    """The Trainer places its model by itself."""
    for value in given.values():
        run.escape(value)
    return Thing("hf_trainer", given.node)


def accelerator(run: Run, _name: str, given: Call) -> Value:
    value = given.keywords.get("cpu")
    if isinstance(value, Const) and value.value is True and not run.around.absent:
        run.hit(kinds.code.accelerate_cpu, value.node or given.node, "`cpu=True` keeps all work on the CPU")
    run.note("accelerator", True)
    return Thing("accelerator", given.node)


def accelerator_method(run: Run, base: Thing, name: str, given: Call) -> Value | None:
    if name in ("prepare", "prepare_model", "prepare_data_loader", "prepare_optimizer"):
        prepare(run, given, "accelerator")
        if not given.complete:
            return UNKNOWN
        return given.args[0] if len(given.args) == 1 else Seq(list(given.args))
    if name == "backward":
        training.backward_of(run, given)
        return UNKNOWN
    if name in ("unwrap_model", "gather", "gather_for_metrics", "reduce", "pad_across_processes"):
        held = given.get(0)
        return held if isinstance(held, Module | Tensor) else UNKNOWN
    if name in ("accumulate", "no_sync", "autocast", "print", "save", "log", "clip_grad_norm_", "clip_grad_value_"):
        return UNKNOWN
    if name in ("wait_for_everyone", "save_state", "init_trackers", "end_training", "free_memory", "save_model"):
        return UNKNOWN
    for value in given.values():
        run.escape(value)
    return UNKNOWN


def other_library(run: Run, _name: str, given: Call) -> Value | None:
    """`use_cuda=False` of simpletransformers."""
    value = given.keywords.get("use_cuda")
    if isinstance(value, Const) and value.value is False and not run.around.absent:
        node = value.node or given.node
        run.hit(kinds.code.device_hardcoded_cpu, node, "`use_cuda=False` keeps the model on the CPU")
    elif isinstance(value, Available) and not value.present and value.pure:
        node = given.nodes.get("use_cuda") or given.node
        run.hit(kinds.code.device_selection_inverted, node, "`use_cuda` is false where a GPU is available")
    return None


def yolo(_run: Run, _name: str, given: Call) -> Value:
    return Thing("yolo", given.node)


def yolo_method(run: Run, base: Thing, name: str, given: Call) -> Value | None:
    device = device_of(given.keywords.get("device", UNKNOWN))
    if name == "train" and device is not None and device.kind == CPU and not run.around.absent:
        kind = kinds.code.device_default_cpu if device.option else kinds.code.device_hardcoded_cpu
        run.hit(kind, device.node or given.node, "the model is trained on this device, the CPU")
    return base if name == "to" else UNKNOWN
