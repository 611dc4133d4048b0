"""TensorFlow and Keras: scopes, hidden devices, and what comes too late."""

import ast
import re

from cudafit.lint.arguments import Call
from cudafit.lint.rules import devices, environment
from cudafit.lint.run import Run
from cudafit.lint.values import ANY, CPU, GPU, UNKNOWN, Available, Const, Device, Func, Map, Seq, Thing, Value
from cudafit.model import kinds

_CPU = re.compile(r"(^|[/:])cpu(:\d+|:\*)?$", re.IGNORECASE)
_GPU = re.compile(r"(^|[/:])(gpu|cuda)(:\d+|:\*)?$", re.IGNORECASE)
# These make tensors or ask for logical devices: with the first of them the GPUs are started.
STARTS = re.compile(
    r"tensorflow\.(constant|Variable|zeros|ones|fill|eye|range|linspace|convert_to_tensor|matmul|add|multiply|reduce_\w+|cast|"
    r"reshape|concat|stack|one_hot|random\.(normal|uniform|truncated_normal|shuffle|categorical|Generator\.\w+)|"
    r"linalg\.\w+|math\.\w+|nn\.\w+|image\.\w+|data\.Dataset\.\w+|"
    r"test\.(is_gpu_available|gpu_device_name)|config\.list_logical_devices|"
    r"config\.get_memory_info|saved_model\.load|distribute\.\w*Strategy)$"
)
MODELS = re.compile(
    r"keras\.(Sequential|Model|models\.(Sequential|Model|load_model|model_from_json|clone_model)|"
    r"(tensorflow\.)?applications\.(\w+\.)*[A-Z]\w*|engine\.\w+\.Model|Functional)$"
)
# A model whose input is known makes its weights at once.
_HAS_INPUT = re.compile(r"\bInput\(|InputLayer\(|input_shape=|input_dim=|batch_input_shape=")
CONFIGURES = frozenset(
    f"tensorflow.config.{name}"
    for name in [
        "set_visible_devices",
        "set_memory_growth",
        "set_logical_device_configuration",
        "set_virtual_device_configuration",
    ]
)
_GRADIENTS = re.compile(r"\b(GradientTape|apply_gradients|minimize|train_on_batch|train_step)\(")
_TRAINS = ("fit", "train_on_batch", "fit_generator")
_COMPUTES = (*_TRAINS, "predict", "evaluate", "predict_on_batch", "__call__", "build")


def place_of(value: Value | None) -> str | None:
    """cpu or gpu, as TensorFlow spells devices."""
    if isinstance(value, Device):
        return value.kind
    if isinstance(value, Const) and isinstance(value.value, str):
        return CPU if _CPU.search(value.value) else GPU if _GPU.search(value.value) else None
    return None


def start(run: Run, node: ast.AST, name: str) -> None:
    if not run.around.library and run.fact("tf_started") is None:
        run.note("tf_started", (node, name))


def operation(run: Run, name: str, given: Call) -> Value | None:
    start(run, given.node, name)
    devices.start_cuda(run, given.node, name)
    if name.endswith("is_gpu_available"):
        return Available()
    if name.endswith("list_logical_devices"):
        return Available()
    if name.endswith(("gpu_device_name",)):
        return UNKNOWN
    if ".distribute." in name:
        return strategy(run, name, given)
    return None


def list_devices(run: Run, name: str, given: Call) -> Value:
    devices.start_cuda(run, given.node, name)
    kind = given.get(0, "device_type")
    if isinstance(kind, Const) and kind.value == "GPU":
        return Available()
    return Thing("tf_devices", given.node, of=kind or UNKNOWN)


def configure(run: Run, name: str, given: Call) -> Value:
    last = name.rpartition(".")[2]
    started = run.fact("tf_started")
    if isinstance(started, tuple) and not run.around.repeated and not run.around.library:
        run.hit(
            kinds.code.tf_config_too_late,
            given.node,
            f"TensorFlow started its devices in line {getattr(started[0], 'lineno', 0)} (`{started[1]}`): this raises "
            "an error, or has no effect",
        )
        return UNKNOWN
    if last == "set_visible_devices" and _hides(given) and run.around.certain:
        run.ending.tf_hidden.append(given.node)
    return UNKNOWN


def _hides(given: Call) -> bool:
    shown, kind = given.get(0, "devices"), given.get(1, "device_type")
    if isinstance(shown, Const) and shown.value is None:
        shown = Seq([])
    named = kind.value if isinstance(kind, Const) else None
    if isinstance(shown, Seq) and not shown.items:
        return named == "GPU"
    if isinstance(shown, Thing) and shown.kind == "tf_devices":
        listed = shown.attrs["of"]
        return isinstance(listed, Const) and listed.value == "CPU" and named is None
    return False


def config_proto(run: Run, _name: str, given: Call) -> Value:
    """`ConfigProto(device_count={"GPU": 0})`."""
    counts = given.get(None, "device_count")
    if isinstance(counts, Map):
        count = counts.items.get("GPU")
        if isinstance(count, Const) and count.value == 0 and not run.around.conditions and not run.around.library:
            run.ending.tf_hidden.append(count.node or given.node)
            run.file.seen.add("tf computes")
    return UNKNOWN


def device(run: Run, _name: str, given: Call) -> Value:
    """`tf.device("/CPU:0")`."""
    value = given.get(0, "device_name", "device_name_or_function")
    kind = place_of(value)
    if kind == GPU:
        run.file.seen.add("tf gpu scope")
    return Thing("tf_scope", given.node, device=Device(kind or ANY, given.node, option=getattr(value, "option", False)))


def strategy(_run: Run, name: str, given: Call) -> Value:
    """A strategy; one that has only the CPU keeps all training there."""
    value = given.get(0, "device", "devices")
    kinds = [place_of(item) for item in value.items] if isinstance(value, Seq) else [place_of(value)]
    only_cpu = bool(kinds) and all(kind == CPU for kind in kinds) and "ParameterServer" not in name
    return Thing("tf_strategy", given.node, device=Device(CPU if only_cpu else ANY, given.node))


def strategy_method(run: Run, base: Thing, name: str, given: Call) -> Value | None:
    if name == "scope":
        return Thing("tf_strategy_scope", given.node, device=base.attrs["device"])
    if name in ("run", "experimental_run_v2"):
        made = base.attrs["device"]
        if isinstance(made, Device) and made.kind == CPU and _trains(given.get(0, "fn")):
            _on_cpu(run, made)
    return UNKNOWN


def _trains(function: Value | None) -> bool:
    """Whether gradients are computed in a function of the file: a strategy runs other things too."""
    if not isinstance(function, Func):
        return False
    return bool(_GRADIENTS.search(ast.unparse(function.node)))


def make_model(run: Run, name: str, given: Call) -> Value:
    run.file.seen.add("tf model")
    if "Sequential" not in name or _HAS_INPUT.search(ast.unparse(given.node)):
        start(run, given.node, name)
    made = Thing("keras_model", given.node)
    for context in run.around.contexts:
        if isinstance(context, Thing) and context.kind == "tf_strategy_scope":
            made.attrs["strategy"] = context.attrs["device"]
    return made


def model_method(run: Run, base: Thing, name: str, given: Call) -> Value | None:
    if name in _COMPUTES:
        start(run, given.node, f".{name}()")
        run.file.seen.add("tf computes")
    if name in _TRAINS:
        run.file.seen.add("tf trains")
        made = base.attrs.get("strategy")
        if isinstance(made, Device) and made.kind == CPU:
            _on_cpu(run, made)
        computes(run)
    elif name == "predict":
        computes(run)
    return UNKNOWN


def unknown_fit(run: Run, name: str, given: Call) -> None:
    """`.fit(data, epochs=3)` of a model that another file makes, where TensorFlow is the only framework."""
    if name != "fit" or not given.keywords.keys() & {"epochs", "steps_per_epoch", "batch_size"}:
        return
    if "import tensorflow" in run.file.seen and not run.file.seen & {
        "import torch",
        "import jax",
        "import flax",
        "import sklearn",
    }:
        run.file.seen.add("tf trains")
        computes(run)


def tape(run: Run, _name: str, given: Call) -> Value:
    run.file.seen.add("tf trains")
    run.file.seen.add("tf computes")
    start(run, given.node, "GradientTape")
    computes(run)
    return Thing("tape", given.node)


def computes(run: Run) -> None:
    """Training happens here: the innermost scope says where."""
    for context in reversed(run.around.contexts):
        if isinstance(context, Thing) and context.kind in ("tf_scope", "tf_strategy_scope"):
            made = context.attrs["device"]
            if isinstance(made, Device) and made.kind == CPU:
                _on_cpu(run, made)
            return


def _on_cpu(run: Run, made: Device) -> None:
    if made.node is None or run.around.absent:
        return
    run.ending.tf_on_cpu.append(made)


def judge(run: Run) -> None:
    """What holds at the end of the file."""
    if "tf gpu scope" not in run.file.seen:  # with both, the two are compared on purpose
        for made in run.ending.tf_on_cpu:
            if made.node is not None:
                run.hit(kinds.code.tf_device_cpu, made.node, "the training in this scope is placed on the CPU")
    others = [
        name for name in ("jax", "flax", "torch", "haiku", "optax", "lightning") if f"import {name}" in run.file.seen
    ]
    for node in run.ending.tf_hidden:
        if "tf trains" in run.file.seen or (not others and run.file.seen & {"tf computes", "tf model"}):
            run.hit(kinds.code.tf_gpu_hidden, node, "after this TensorFlow sees no GPU, and trains on the CPU")
        elif others:
            run.hit(
                kinds.info.tf_gpu_hidden_for_other_framework,
                node,
                f"TensorFlow sees no GPU here, as {others[0]} uses it in this file",
            )


def set_backend(run: Run, _name: str, given: Call) -> Value:
    """`keras.config.set_backend("numpy")`."""
    value = given.get(0, "backend")
    if isinstance(value, Const) and not run.around.conditions and not run.around.library:
        environment.keras_backend(run, str(value.value).lower(), given.node)
    return UNKNOWN
