"""Which parts of a file can hold a finding at all: those with a sign of one. The others need not be followed."""

import ast
import re

from cudafit.model.frameworks import LEADING

# Plain words: to look for many of them one by one is quicker than one expression with them all.
_FRAMEWORKS = (
    *(one.module for one in LEADING),
    "keras",
    "cupy",
    "lightning",
    "transformers",
    "accelerate",
    "diffusers",
    "CUDA_VISIBLE_DEVICES",
    "flax",
    "optax",
    "trl",
    "ultralytics",
    *("xgboost", "lightgbm", "catboost", "onnxruntime", "insightface", "easyocr", "paddle", "whisper", "llama"),
    *("langchain", "sentence_transformers", "flair", "detectron2", "tune", "rllib", "cv2", "spacy"),
)
_SIGNS = (
    # training, and what runs over all batches
    *(
        ".step(",
        ".backward(",
        ".generate(",
        ".fit(",
        "train_on_batch",
        "GradientTape",
        "oader",
        ".scan(",
        "apply_updates",
    ),
    # the CPU by name, and settings that lead there
    *(
        "cpu",
        "CPU",
        "no_cuda",
        "use_cuda",
        "pipeline(",
        "is_available",
        "device_count",
        "devices=0",
        "gpus",
        "device=-1",
    ),
    *("CUDA_VISIBLE", "KERAS_BACKEND", "JAX_PLATFORM", "set_visible_devices", "set_memory_growth", "_configuration("),
    *("set_backend", "Trainer(", "Fabric(", "Accelerator("),
    # libraries that take the CPU where they are told nothing, and parameters that are moved
    *("InferenceSession(", "gpu=", "CatBoost", "XGB", "xgb", "lgb", "lightgbm", "Llama", "tune.run", "DEVICE"),
    *("readNet", "DNN_BACKEND", "prefer_gpu", "require_gpu", "_trf"),
    ".Parameter(",
    # arrays that leave the GPU
    *("asnumpy", ".get()", ".numpy(", ".tolist(", "import cupy"),
    # arrays that are copied to JAX by each call
    *("jax.jit", "import jit", "nnx.jit", "filter_jit", "jax.pmap"),
)
# A tensor that is moved in vain, or made without a device; layers in a plain list or dict.
_MOVED = re.compile(r"^[ \t]*[\w.\[\]\"']+\.(?:to|cuda)\([^\n]*\)[ \t]*(?:[;#]|$)", re.MULTILINE)
_MADE = re.compile(
    r"\.(?:zeros|ones|rand|randn|randint|arange|linspace|logspace|empty|full|eye|randperm|tensor|as_tensor|from_numpy|"
    r"\w*Tensor|normal|\w+_window|tri[lu]_indices)\((?![^\n]{0,400}device)"
)
_HELD = re.compile(r"self\.\w+[ \t]*(?::[^=\n]{1,300})?=[ \t]*(?:[\[{(]|list\(|dict\()")


def names_framework(text: str) -> bool:
    return _holds_one(text, _FRAMEWORKS)


def _holds_one(text: str, words: tuple[str, ...]) -> bool:
    """A loop, as a generator for `any` takes twice the time, and every text is asked."""
    for word in words:  # noqa: SIM110
        if word in text:
            return True
    return False


def may_hold_findings(text: str) -> bool:
    return names_framework(text) and has_sign(text)


def has_sign(text: str) -> bool:
    return (
        _holds_one(text, _SIGNS)
        or _HELD.search(text) is not None
        or ((".to(" in text or ".cuda(" in text) and _MOVED.search(text) is not None)
        or _MADE.search(text) is not None
    )


class Signs:
    """The functions of a file with a sign, and those that use one of them."""

    def __init__(self, tree: ast.Module, lines: list[str]) -> None:
        self._lines = lines
        self._marked: set[ast.AST] = set()
        units = [(node, self._text(node)) for node in tree.body if isinstance(node, _DEFINITIONS)]
        names = {node.name for node, text in units if has_sign(text)}
        self._marked.update(node for node, _ in units if node.name in names)
        users: dict[str, list[_Definition]] = {}
        for node, text in units if names else ():
            for word in _words(text) if node.name not in names else ():
                users.setdefault(word, []).append(node)
        waiting = list(names)
        while waiting:
            for node in users.pop(waiting.pop(), ()):
                self._marked.add(node)
                waiting.append(node.name)

    def _text(self, node: ast.AST) -> str:
        return "".join(self._lines[getattr(node, "lineno", 1) - 1 : getattr(node, "end_lineno", 1)])

    def has(self, node: ast.AST) -> bool:
        """Of a function or class at the top of the file; those inside others have what their own text shows."""
        return node in self._marked or (getattr(node, "col_offset", 0) > 0 and has_sign(self._text(node)))


_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_WORD = re.compile(r"\w+")
_NO_WORD = {number: " " for number in range(128) if not (chr(number).isalnum() or chr(number) == "_")}


def _words(text: str) -> set[str]:
    """The expression finds the same; this way takes a third of the time."""
    return set(text.translate(_NO_WORD).split() if text.isascii() else _WORD.findall(text))
