"""Environment variables that the code sets for itself."""

import ast

from cudafit.lint.arguments import Call
from cudafit.lint.join import device_of
from cudafit.lint.rules import versions
from cudafit.lint.run import Run
from cudafit.lint.values import CPU, UNKNOWN, Const, Device, Map, Thing, Value
from cudafit.model import kinds
from cudafit.model.frameworks import LEADING

_HIDING = ("", "-1", "none", "nodevfiles", "-2", "null")
_FRAMEWORKS = [
    *(one.module for one in LEADING),
    "cupy",
    "keras",
    "lightning",
    "pytorch_lightning",
    "transformers",
    "accelerate",
    "flax",
    "numba",
    "fastai",
    "diffusers",
    "sentence_transformers",
    "ultralytics",
    "tf_keras",
]


def keras_backend(run: Run, name: str, node: ast.AST) -> None:
    """Keras 3 has backends that only run models; Keras 2 has TensorFlow, whatever the variable says."""
    found = versions.installed(run, "keras")
    older = found is not None and found[1] < (3,)
    run.note("keras_backend", (node, _NO_GPU[name]) if name in _NO_GPU and not older else None)


_NO_GPU = {
    "numpy": "the NumPy backend of Keras computes on the CPU only, and cannot train",
    "openvino": "the OpenVINO backend of Keras knows no GPU of NVIDIA, and cannot train",
}


def set_variable(run: Run, name: str, value: Value, node: ast.AST) -> None:
    text = value.value if isinstance(value, Const) and isinstance(value.value, str) else None
    if name == "CUDA_VISIBLE_DEVICES":
        _visible(run, text, node)
    if text is None or run.around.conditions or run.around.absent or run.around.library:
        return
    if name in ("JAX_PLATFORMS", "JAX_PLATFORM_NAME") and "import jax" in run.file.seen:
        message = f"JAX read `{name}` when it was imported above: this has no effect"
        run.hit(kinds.code.jax_platforms_too_late, node, message)
    elif name in ("JAX_PLATFORMS", "JAX_PLATFORM_NAME") and text.lower() == "cpu":
        run.ending.forced.append((node, f"`{name}` is set to `{text}`"))
    elif name == "KERAS_BACKEND":
        if "import keras" not in run.file.seen:  # it is read once, by that import
            keras_backend(run, text.lower(), node)
    elif name == "ACCELERATE_USE_CPU" and text.lower() in ("1", "true", "yes"):
        run.hit(kinds.code.accelerate_cpu, node, f"`{name}` is set to `{text}`")


def _visible(run: Run, text: str | None, node: ast.AST) -> None:
    started = run.fact("cuda_started")
    if isinstance(started, tuple) and not run.around.library:
        run.ending.late.append((node, started[0], started[1]))
        return
    if run.around.conditions or run.around.absent or run.around.library:
        if text is None or text.strip().lower() not in _HIDING:
            run.note("cvd_hidden", None)
        return
    run.note("cvd_hidden", node if text is not None and text.strip().lower() in _HIDING else None)


def unset_variable(run: Run, name: str) -> None:
    if name == "CUDA_VISIBLE_DEVICES":
        run.note("cvd_hidden", None)
    if name == "KERAS_BACKEND":
        run.note("keras_backend", None)
    if name in ("JAX_PLATFORMS", "JAX_PLATFORM_NAME"):
        run.ending.forced.clear()


def environ_method(run: Run, base: Thing, name: str, given: Call) -> Value | None:
    first = given.get(0, "key")
    word = first.value if isinstance(first, Const) and isinstance(first.value, str) else None
    if name in ("get", "pop"):
        if name == "pop" and word:
            unset_variable(run, word)
        default = given.get(1, "default")
        device = device_of(default) if isinstance(default, Const) and isinstance(default.value, str) else None
        if device is not None and device.kind == CPU:
            return Device(CPU, device.node, option=True)
        return UNKNOWN
    if name == "setdefault" and word:
        set_variable(run, word, given.get(1, "default") or UNKNOWN, given.node)
    elif name == "update":
        for value in given.args:
            if isinstance(value, Map):
                for key, held in value.items.items():
                    set_variable(run, key, held, getattr(held, "node", None) or given.node)
        for key, held in given.keywords.items():
            set_variable(run, key, held, given.nodes.get(key, given.node))
    return UNKNOWN if name != "copy" else Map({})


def putenv(run: Run, _name: str, given: Call) -> Value:
    first = given.get(0)
    if isinstance(first, Const) and isinstance(first.value, str):
        set_variable(run, first.value, given.get(1) or UNKNOWN, given.node)
    return UNKNOWN


def getenv(run: Run, _name: str, given: Call) -> Value | None:
    return environ_method(run, Thing("environ", given.node), "get", given)


def judge(run: Run) -> None:
    """What holds at the end of the file."""
    imported = {name for name in _FRAMEWORKS if f"import {name}" in run.file.seen}
    hidden = run.fact("cvd_hidden")
    if isinstance(hidden, ast.AST) and imported:
        run.hit(kinds.code.cvd_disabled, hidden, "with this value of CUDA_VISIBLE_DEVICES no GPU is seen")
    if not any(f"import {name}" in run.file.seen for name in ("subprocess", "multiprocessing", "ray", "joblib")):
        for node, started, what in run.ending.late:
            run.hit(
                kinds.code.cvd_set_too_late,
                node,
                f"CUDA was started in line {getattr(started, 'lineno', 0)} ({what}) and has read this variable already",
            )
    keras = run.fact("keras_backend")
    if isinstance(keras, tuple) and "import keras" in run.file.seen:
        versions.hit(run, kinds.code.keras_backend_cpu_only, *keras, "keras")
    computes_elsewhere = bool(imported & {"torch", "tensorflow"}) and "jax computes" not in run.file.seen
    if imported & {"jax", "flax"} and not computes_elsewhere:
        for node, message in run.ending.forced:
            if id(node) in run.ending.compared and "jax gpu named" in run.file.seen:
                continue  # something else in the file is compiled for the GPU
            what = "what it compiles" if id(node) in run.ending.compared else "all that JAX computes"
            run.hit(kinds.code.jax_cpu_forced, node, f"{message}: {what} stays on the CPU")
