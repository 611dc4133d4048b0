"""Libraries beside the frameworks that compute on the CPU when they are told so, or when they are told nothing."""

import ast
import re
from collections.abc import Callable

from cudafit.lint.arguments import Call
from cudafit.lint.join import device_of
from cudafit.lint.rules import versions
from cudafit.lint.run import Run
from cudafit.lint.values import CPU, UNKNOWN, Const, Device, Map, Seq, Thing, Value
from cudafit.model import kinds
from cudafit.model.frozen import frozen

_CPU_PROVIDER = "CPUExecutionProvider"


@frozen
class Library:
    """What makes a model of a library, and by which arguments it is told where to compute."""

    name: str
    makes: re.Pattern[str]
    options: tuple[str, ...]
    table: int | None = None  # where a dict with the options stands among the arguments
    silent: str = ""  # what to say where none of the options is given; "" where it then takes the GPU by itself


_LIBRARIES = (
    Library("XGBoost", re.compile(r"xgboost\.(\w+\.)*XGB\w+$"), ("device",)),
    Library("XGBoost", re.compile(r"xgboost\.(train|cv)$"), ("device",), table=0),
    Library("LightGBM", re.compile(r"lightgbm\.(\w+\.)*LGBM\w+$"), ("device", "device_type")),
    Library("LightGBM", re.compile(r"lightgbm\.(train|cv)$"), ("device", "device_type"), table=0),
    Library(
        "CatBoost",
        re.compile(r"catboost\.CatBoost(Classifier|Regressor|Ranker)$"),
        ("task_type",),
        silent='CatBoost trains on the CPU where `task_type="GPU"` is not given',
    ),
    Library(
        "ONNX Runtime",
        re.compile(r"onnxruntime\.InferenceSession$"),
        ("providers",),
    ),
    Library("InsightFace", re.compile(r"insightface\.(app\.FaceAnalysis|model_zoo\.get_model)$"), ("providers",)),
    Library("EasyOCR", re.compile(r"easyocr\.Reader$"), ("gpu",)),
    Library("PaddleOCR", re.compile(r"paddleocr\.PaddleOCR$"), ("use_gpu", "device")),
    Library("faster-whisper", re.compile(r"faster_whisper\.WhisperModel$"), ("device",)),
    Library("Whisper", re.compile(r"whisper\.load_model$"), ("device",)),
    Library(
        "llama.cpp",
        re.compile(r"(llama_cpp\.Llama|langchain(_community)?\.llms\.(\w+\.)?LlamaCpp)$"),
        ("n_gpu_layers",),
        silent="all layers stay on the CPU where `n_gpu_layers` is not given",
    ),
    Library(
        "sentence-transformers", re.compile(r"sentence_transformers\.(SentenceTransformer|CrossEncoder)$"), ("device",)
    ),
    Library("LlamaIndex", re.compile(r"llama_index\.(\w+\.)*HuggingFaceEmbedding$"), ("device",)),
    Library(
        "LangChain", re.compile(r"langchain\w*\.(\w+\.)*HuggingFace\w*Embeddings$"), ("model_kwargs", "encode_kwargs")
    ),
)
RLLIB_CONFIGS = re.compile(r"ray\.rllib\.algorithms\.(\w+\.)*\w+Config$")
MAKES = re.compile("|".join(f"({one.makes.pattern})" for one in _LIBRARIES))


def make(run: Run, name: str, given: Call) -> Value:
    """A model of one of these libraries, or its training."""
    made: Value = UNKNOWN
    for library in _LIBRARIES:
        if library.makes.match(name):
            _look(run, library, given)
            if library.name in _BOOSTERS and library.table is None:
                made = Thing("estimator", given.node)
    for value in given.values():
        run.escape(value)
    return made


def estimator_method(run: Run, base: Thing, name: str, given: Call) -> Value | None:
    """What was trained before and is only loaded here trains nothing; options may also be given afterwards."""
    if name == "load_model":
        run.ending.loaded.add(base.node)
    elif name == "fit":
        run.ending.fitted.add(base.node)
    elif name == "set_params" and (not given.complete or {"device", "device_type", "task_type"} & {*given.keywords}):
        run.ending.told_later.add(base.node)
    else:
        return None
    return base


_BOOSTERS = ("XGBoost", "LightGBM", "CatBoost")
_BY_VERSION = {"XGBoost": versions.xgboost_options, "LightGBM": versions.lightgbm_device}


def _look(run: Run, library: Library, given: Call) -> None:
    options, complete = given.keywords, given.complete
    if library.table is not None:
        table = given.get(library.table, "params")
        if not isinstance(table, Map):
            return
        options, complete = table.items, complete and not any(key.startswith("\0") for key in table.items)
    first = given.get(0, "model_name_or_path")
    if library.name == "sentence-transformers" and isinstance(first, Const) and "static" in str(first.value):
        return  # a table of vectors, which is made for the CPU
    _misspelt(run, library, options, given)
    said = [name for name in library.options if name in options]
    for name in said:
        node = _cpu(options[name])
        if node is not None:
            _note(run, library, node, f"`{name}` keeps {library.name} on the CPU")
        else:
            run.file.seen.add(f"gpu of {library.name}")
    by_version = _BY_VERSION.get(library.name)
    if by_version and not run.around.absent and not run.around.conditions:
        by_version(run, options, given.node)
    hist = options.get("tree_method")
    if library.name == "XGBoost" and isinstance(hist, Const):
        if hist.value == "gpu_hist":
            run.file.seen.add(f"gpu of {library.name}")
        elif hist.value == "hist" and not said and complete:
            message = '`tree_method="hist"` computes on the CPU where `device="cuda"` is not given'
            _note(run, library, given.node, message)
    if not said and complete and library.name == "ONNX Runtime" and not run.around.conditions and len(given.args) < 3:
        versions.session_without_providers(run, given.node)
    if not said and complete and library.silent:
        _note(run, library, given.node, library.silent)


def _misspelt(run: Run, library: Library, options: dict[str, Value], given: Call) -> None:
    """A key that the library does not know takes the wish for the GPU with it."""
    if library.name != "XGBoost":
        return
    for name, value in options.items():
        spaced = name.strip() != name and name.strip() in ("tree_method", "device") and not name.startswith("\0")
        wrapped = (
            name in ("kvargs", "kwargs") and isinstance(value, Map) and bool({"tree_method", "device"} & {*value.items})
        )
        if spaced or wrapped:
            held = getattr(value, "node", None) or given.nodes.get(name) or given.node
            _note(run, library, held, f"XGBoost does not know the option `{name}`: it stays on the CPU")


def _cpu(value: Value) -> ast.AST | None:
    """The node that says the CPU; None where it says something else, or is not known."""
    if isinstance(value, Seq):
        only = len(value.items) == 1 and isinstance(value.items[0], Const) and value.items[0].value == _CPU_PROVIDER
        return value.items[0].node if only and isinstance(value.items[0], Const) else None
    if isinstance(value, Map):
        inner = value.items.get("device")
        return _cpu(inner) if inner is not None else None
    if isinstance(value, Const):
        if value.value is False or (value.value == 0 and isinstance(value.value, int)):
            return value.node
        return value.node if isinstance(value.value, str) and value.value.lower() == "cpu" else None
    return value.node if isinstance(value, Device) and value.kind == CPU and not value.option else None


def _note(run: Run, library: Library, node: ast.AST, message: str) -> None:
    if not run.around.absent and not run.around.conditions:
        run.ending.libraries.append((library.name, node, message))


def judge(run: Run) -> None:
    """Where the file uses the GPU with the same library too, both are wanted."""
    silent = run.ending.told_later | (run.ending.loaded - run.ending.fitted)
    for name, node, message in run.ending.libraries:
        if f"gpu of {name}" not in run.file.seen and node not in silent:
            run.hit(kinds.code.library_on_cpu, node, message)


def paddle_device(run: Run, _name: str, given: Call) -> Value:
    """`paddle.set_device("cpu")`."""
    value = given.get(0, "device")
    node = _cpu(value) if value is not None else None
    if node is not None and not run.around.absent and not run.around.conditions:
        run.ending.libraries.append(("Paddle", node, "Paddle computes on the CPU after this"))
    elif node is None:
        run.file.seen.add("gpu of Paddle")
    return UNKNOWN


def detectron_config(_run: Run, _name: str, given: Call) -> Value:
    return Thing("detectron_cfg", given.node)


def set_detectron(run: Run, name: str, value: Value, node: ast.AST) -> None:
    """`cfg.MODEL.DEVICE = "cpu"`."""
    if name == "DEVICE" and not run.around.absent and not run.around.conditions:
        if _cpu(value) is not None:
            run.ending.libraries.append(("Detectron2", node, "Detectron2 builds and trains the model on the CPU"))
        else:
            run.file.seen.add("gpu of Detectron2")


def set_flair(run: Run, name: str, value: Value, node: ast.AST) -> None:
    """`flair.device = torch.device("cpu")`."""
    device = device_of(value)
    told = name == "device" and device is not None and device.kind == CPU and not device.option
    if told and not run.around.absent and not run.around.conditions:
        run.ending.libraries.append(("Flair", node, "Flair computes on the CPU after this"))


def rllib(run: Run, _name: str, given: Call) -> Value | None:
    """`tune.run("PPO", config={...})` without `num_gpus`: RLlib's default is 0."""
    algorithm, config = given.get(0, "run_or_experiment"), given.get(None, "config")
    if not isinstance(algorithm, Const) or not isinstance(config, Map) or "env" not in config.items:
        return None
    number = config.items.get("num_gpus")
    if number is None and any(key.startswith("\0") for key in config.items):
        return None
    if number is None or (isinstance(number, Const) and number.value == 0):
        message = "RLlib trains on the CPU where `num_gpus` is 0, which it is by default"
        if not run.around.absent and not run.around.conditions:
            run.ending.libraries.append(("RLlib", getattr(number, "node", None) or given.node, message))
    return None


def rllib_config(_run: Run, _name: str, given: Call) -> Value:
    """`PPOConfig()`, whose methods set options and give it back."""
    return Thing("rllib_config", given.node)


def rllib_method(run: Run, base: Thing, _name: str, given: Call) -> Value:
    """`.resources(num_gpus=0)`, `.learners(num_gpus_per_learner=0)`."""
    for name in ("num_gpus", "num_gpus_per_learner", "num_gpus_per_learner_worker"):
        value = given.keywords.get(name)
        if isinstance(value, Const) and value.value == 0 and value.value is not False:
            _note(run, _RLLIB, value.node or given.node, f"`{name}=0` keeps RLlib's training on the CPU")
        elif value is not None:
            run.file.seen.add("gpu of RLlib")
    return base


_RLLIB = Library("RLlib", RLLIB_CONFIGS, ("num_gpus",))


FUNCTIONS: dict[str, Callable[[Run, str, Call], Value | None]] = {
    **dict.fromkeys(("paddle.set_device", "paddle.device.set_device"), paddle_device),
    "detectron2.config.get_cfg": detectron_config,
    **dict.fromkeys(("ray.tune.run", "tune.run"), rllib),
}
