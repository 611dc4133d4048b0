"""Which parts of a file can hold a finding at all: those with a sign of one. The others need not be followed."""

import ast
import re
from collections.abc import Iterable

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
# Of a part of a file: where one of these stands, a finding is possible.
_TRAINS = (".step(", ".backward(", ".generate(", "oader")
_SETTINGS = ("CUDA_VISIBLE", "KERAS_BACKEND", "JAX_PLATFORM", "no_cuda", "use_cuda")
_ASKED = ("is_available", "device_count")
_HOST = (".numpy(", ".tolist(")
_CPU = ("cpu", "CPU")
_PARAMETER = ".Parameter("
# The same of files that use more than PyTorch.
_OTHERS = (
    # training
    *(".fit(", "train_on_batch", "GradientTape", ".scan(", "apply_updates"),
    # settings that lead to the CPU
    *("pipeline(", "devices=0", "gpus", "device=-1", "set_visible_devices", "set_memory_growth", "_configuration("),
    *("set_backend", "Trainer(", "Fabric(", "Accelerator("),
    # libraries that take the CPU where they are told nothing
    *("InferenceSession(", "gpu=", "CatBoost", "XGB", "xgb", "lgb", "lightgbm", "Llama", "tune.run", "DEVICE"),
    *("readNet", "DNN_BACKEND", "prefer_gpu", "require_gpu", "_trf"),
    # arrays that leave the GPU
    *("asnumpy", ".get()", "import cupy"),
    # arrays that are copied to JAX by each call
    *("jax.jit", "import jit", "nnx.jit", "filter_jit", "jax.pmap"),
)
_SIGNS = (*_TRAINS, *_SETTINGS, *_ASKED, *_HOST, *_CPU, _PARAMETER, *_OTHERS)
_OF_OTHERS = (*_OTHERS, *_CPU, *_ASKED, *_HOST, _PARAMETER)
_BESIDE_TORCH = tuple(word for word in _FRAMEWORKS if word not in ("torch", "CUDA_VISIBLE_DEVICES"))
_UNCALLED = re.compile(r"is_available(?![ \t]*\()")
# A tensor that is moved in vain, or made without a device; layers in a plain list or dict.
_STATEMENT = re.compile(r"(?:[^\n]*[;:])?[ \t]*[\w.\[\]\"']+$")
_MADE = re.compile(
    r"\.(?:zeros|ones|rand|randn|randint|arange|linspace|logspace|empty|full|eye|randperm|tensor|as_tensor|from_numpy|"
    r"\w*Tensor|normal|\w+_window|tri[lu]_indices)\((?![^\n]{0,400}device)"
)
_HELD = re.compile(r"self\.\w+[ \t]*(?::[^=\n]{1,300})?=[ \t]*(?:[\[{(]|list\(|dict\()")
# A class that can be a network, by what its bases are called or come from.
_NETWORK = re.compile(
    r"^[ \t]*class[ \t]+\w+[ \t]*(?:\[[^\]\n]{0,200}\])?\([^)]{0,400}?(?:nn\.|Module|Model|models\.)", re.MULTILINE
)
_LAYERS = ("torch.nn", "torchvision", "torch_geometric", "transformers", "timm", "pyro", "gpytorch")


def names_framework(text: str) -> bool:
    return _holds_one(text, _FRAMEWORKS)


def _holds_one(text: str, words: tuple[str, ...]) -> bool:
    """A loop, as a generator for `any` takes twice the time, and every text is asked."""
    for word in words:  # noqa: SIM110
        if word in text:
            return True
    return False


def may_hold_findings(text: str) -> bool:
    """Of a whole file, which knows more than its parts: what must come together for a finding, and what is imported."""
    if not names_framework(text):
        return False
    if _holds_one(text, _TRAINS) or _holds_one(text, _SETTINGS) or _is_moved(text) or _keeps_what_it_makes(text):
        return True
    moves = ".to(" in text or ".cuda(" in text
    if moves and _PARAMETER in text:
        return True
    if _holds_one(text, _ASKED) and (moves or _holds_one(text, (*_CPU, "-1")) or _UNCALLED.search(text)):
        return True
    if _holds_one(text, _HOST) and ("training_step" in text or "cupy" in text):
        return True
    return _holds_one(text, _OF_OTHERS) and _imports_more(text)


def _imports_more(text: str) -> bool:
    """Whether it may import a framework beside PyTorch."""
    if not _holds_one(text, _BESIDE_TORCH):
        return False
    at = text.find("import")
    while at >= 0:
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        line = text[start : end if end >= 0 else len(text)]
        if _holds_one(line, _BESIDE_TORCH) or "ray" in line:
            return True
        at = text.find("import", start + len(line))
    return False


def _is_moved(text: str) -> bool:
    """Whether a statement is only `x.to(device)`."""
    for word in (".to(", ".cuda("):
        at = text.find(word)
        while at >= 0:
            if _STATEMENT.match(text[text.rfind("\n", 0, at) + 1 : at]):
                return True
            at = text.find(word, at + 1)
    return False


def _keeps_what_it_makes(text: str) -> bool:
    """Whether a network makes tensors when it is run, or holds layers that it may not know."""
    if not _has_networks(text):
        return False
    runs = "forward" in text or "training_step" in text
    return (runs and _MADE.search(text) is not None) or _HELD.search(text) is not None


def _has_networks(text: str) -> bool:
    if "class " not in text:
        return False
    if _NETWORK.search(text):
        return True
    at = text.find("import")
    while at >= 0:  # `from torch.nn import Linear`
        start = text.rfind("\n", 0, at) + 1
        if text.startswith("from", start) and _holds_one(text[start:at], _LAYERS):
            return True
        at = text.find("import", at + 6)
    return False


def has_sign(text: str, *, made: bool = True) -> bool:
    """Of a part of a file; `made`: what it makes matters."""
    return (
        _holds_one(text, _SIGNS)
        or _is_moved(text)
        or (made and (_HELD.search(text) is not None or _MADE.search(text) is not None))
    )


class Signs:
    """The functions of a file with a sign, and those that use one of them."""

    def __init__(self, tree: ast.Module, lines: list[str]) -> None:
        self._lines = lines
        self._marked: set[ast.AST] = set()
        self._names: set[str] = set()
        whole = "".join(lines)
        self._made = _has_networks(whole) or ".to(" in whole or ".cuda(" in whole
        units = [(node, self._text(node)) for node in tree.body if isinstance(node, _DEFINITIONS)]
        signed = {node.name for node, text in units if has_sign(text, made=self._made)}
        self._marked.update(node for node, _ in units if node.name in signed)
        if not signed:
            return
        users: dict[str, list[_Definition]] = {}
        for node, text in units:
            for word in _words(text) if node.name not in signed else ():
                users.setdefault(word, []).append(node)
        waiting = list(signed)
        while waiting:
            name = waiting.pop()
            self._names.add(name)
            for node in users.pop(name, ()):
                self._marked.add(node)
                waiting.append(node.name)

    def _text(self, node: ast.AST) -> str:
        return "".join(self._lines[getattr(node, "lineno", 1) - 1 : getattr(node, "end_lineno", 1)])

    def has(self, node: ast.AST) -> bool:
        """Of a function or class at the top of the file; those inside others have what their own text shows."""
        return node in self._marked or (getattr(node, "col_offset", 0) > 0 and has_sign(self._text(node)))

    def in_class(self, methods: Iterable[ast.AST]) -> set[ast.AST]:
        """The methods of a marked class that matter: those with a sign, those that use them or something marked, and
        those that give the object what these use."""
        needed: set[ast.AST] = set()
        calls, uses = set(self._names), set[str]()
        others: list[tuple[ast.AST, set[str], set[str]]] = []
        for node in methods:
            text = self._text(node)
            if has_sign(text, made=self._made) or "setattr(" in text:
                needed.add(node)
                calls.add(getattr(node, "name", ""))
                uses |= _words(text)
            else:
                others.append((node, _words(text), _gives(text)))
        calls.discard("__init__")
        grown = bool(others)
        while grown:
            grown = False
            for one in others:
                node, words, given = one
                if node not in needed and not (words.isdisjoint(calls) and given.isdisjoint(uses)):
                    needed.add(node)
                    calls.add(getattr(node, "name", ""))
                    uses |= words
                    grown = True
        return needed


_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_WORD = re.compile(r"\w+")
_OWN = re.compile(r"self\.(\w+)")
_FILLED = re.compile(r"self\.(\w+)\.(?:append|extend|insert|add|update|setdefault)\(")
_NO_WORD = {number: " " for number in range(128) if not (chr(number).isalnum() or chr(number) == "_")}


def _words(text: str) -> set[str]:
    """The expression finds the same; this way takes a third of the time."""
    return set(text.translate(_NO_WORD).split() if text.isascii() else _WORD.findall(text))


def _gives(text: str) -> set[str]:
    """The attributes that a method may set or fill."""
    found = set(_FILLED.findall(text))
    for line in text.split("\n"):
        if "=" in line and "self." in line:
            found.update(_OWN.findall(line.partition("=")[0]))
    return found
