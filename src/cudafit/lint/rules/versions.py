"""Defaults of libraries that changed from version to version: judged by what is installed, named where nobody knows."""

import ast
from collections.abc import Mapping

from cudafit.lint.run import Run
from cudafit.lint.values import Const, Value
from cudafit.model import kinds
from cudafit.model.kind import FindingKind
from cudafit.model.versions import numbers


def installed(run: Run, *packages: str) -> tuple[str, tuple[int, ...]] | None:
    """The first of these packages whose version is known."""
    for package in packages:
        version = run.installed.get(package)
        if version is not None:
            return f"{package} {version}", numbers(version)
    return None


def hit(run: Run, kind: FindingKind, node: ast.AST, message: str, *packages: str) -> None:
    """A finding that holds for what is installed, which its words name."""
    found = installed(run, *packages)
    run.hit(kind, node, f"{message} ({found[0]} is installed)" if found is not None else message)


def undecided(run: Run, name: str, node: ast.AST, message: str) -> None:
    """Once in a file, as the version is the same in all of it."""
    if f"undecided {name}" not in run.file.seen:
        run.file.seen.add(f"undecided {name}")
        run.hit(kinds.info.version_decides, node, message)


def pipeline_without_device(run: Run, node: ast.AST) -> None:
    """`transformers.pipeline("...")`: the CPU before 4.47.0, the first GPU since."""
    found = installed(run, "transformers")
    said = "without `device` this pipeline stays on the CPU in Transformers before 4.47.0"
    if found is None:
        undecided(run, "pipeline", node, said)
    elif found[1] < (4, 47):
        hit(run, kinds.code.hf_pipeline_cpu, node, said, "transformers")


def session_without_providers(run: Run, node: ast.AST) -> None:
    """`InferenceSession("a.onnx")`: all that the build has; an error in 1.9 to 1.15 with CUDA."""
    found = installed(run, "onnxruntime-gpu", "onnxruntime")
    said = "without `providers` ONNX Runtime 1.9 to 1.15 with CUDA raises an error; others take what their build has"
    if found is None:
        undecided(run, "providers", node, said)
    elif found[0].startswith("onnxruntime-gpu") and (1, 9) <= found[1] < (1, 16):
        hit(run, kinds.code.library_on_cpu, node, said, "onnxruntime-gpu")


def trainer_without_accelerator(run: Run, node: ast.AST) -> None:
    """`Trainer(max_epochs=3)`: the CPU before Lightning 2.0."""
    found = installed(run, "lightning", "pytorch-lightning")
    if found is not None and found[1] < (2,):
        said = "without `accelerator` and `gpus` this Trainer uses the CPU in Lightning before 2.0"
        hit(run, kinds.code.lightning_cpu, node, said, "lightning", "pytorch-lightning")


def lightgbm_device(run: Run, options: Mapping[str, Value], node: ast.AST) -> None:
    """The wheels of the index have no CUDA in any version; those for Linux have a GPU, by OpenCL, from 4.0 on."""
    device = options.get("device_type") or options.get("device")
    if not isinstance(device, Const) or not isinstance(device.value, str):
        return
    found = installed(run, "lightgbm")
    said, fix = "", '`device_type="gpu"`, which computes by OpenCL, or a build of LightGBM with CUDA'
    if device.value.lower() == "cuda":
        said = "LightGBM's wheels are built without CUDA: with them this raises an error"
    elif device.value.lower() == "gpu" and found is not None and found[1] < (4,):
        said, fix = "LightGBM's wheels for Linux have no GPU before 4.0: with them this raises an error", "LightGBM 4"
    if said and f"undecided lightgbm {device.value}" not in run.file.seen:
        run.file.seen.add(f"undecided lightgbm {device.value}")
        named = f"{said} ({found[0]} is installed)" if found is not None else said
        run.hit(kinds.info.version_decides, device.node or node, named, fix=fix)


def xgboost_options(run: Run, options: Mapping[str, Value], node: ast.AST) -> None:
    """`device` is known from 2.0 on, and `predictor` is not used; `gpu_hist` and `gpu_id` are refused from 3.1 on."""
    found = installed(run, "xgboost")
    method = options.get("tree_method")
    old = isinstance(method, Const) and method.value == "gpu_hist"
    removed = "gpu_hist" if old else "gpu_id" if "gpu_id" in options else ""
    if removed:
        said = f'XGBoost refuses `{removed}` from 3.1 on: `device="cuda"` says it since 2.0'
        if found is None:
            undecided(run, removed, node, said)
        elif found[1] >= (3, 1):
            hit(run, kinds.code.library_on_cpu, node, said, "xgboost")
    elif found is not None and found[1] < (2,) and "device" in options:
        said = 'XGBoost does not know `device` before 2.0: there `tree_method="gpu_hist"` says it'
        hit(run, kinds.code.library_on_cpu, node, said, "xgboost")
    elif "predictor" in options and "device" not in options and (found is None or found[1] >= (2,)):
        said = 'XGBoost does not use `predictor` from 2.0 on: `device="cuda"` says it'
        if found is None:
            undecided(run, "predictor", node, said)
        else:
            hit(run, kinds.code.library_on_cpu, node, said, "xgboost")
