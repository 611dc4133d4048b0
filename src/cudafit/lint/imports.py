"""Imports: which full name a local name stands for."""

import ast

from cudafit.lint.attributes import reference
from cudafit.lint.names import canonical
from cudafit.lint.run import Run
from cudafit.lint.values import UNKNOWN, Ref


def bind_import(run: Run, node: ast.Import | ast.ImportFrom) -> None:
    if isinstance(node, ast.Import):
        for alias in node.names:
            _note(run, alias.name)
            root = alias.name.partition(".")[0]
            full = alias.name if alias.asname else root
            run.set(run.scope.names, alias.asname or root, Ref(canonical(full)))
        return
    origin = "." * node.level + (node.module or "")
    _note(run, origin)
    for alias in node.names:
        if alias.name == "*":
            run.file.seen.add(f"star {origin}")
            for name in _STARS.get(origin, ()):
                run.set(run.scope.names, name, Ref(canonical(f"{origin}.{name}")))
            continue
        name = alias.asname or alias.name
        run.set(run.scope.names, name, UNKNOWN if node.level else reference(run, canonical(f"{origin}.{alias.name}")))


def _note(run: Run, name: str) -> None:
    run.file.seen.add(f"import {name.partition('.')[0]}")


# Names that scripts take from a module with `*`.
_STARS = {
    "torch": ("nn", "optim", "cuda", "device", "Tensor", "no_grad"),
    "torch.nn": (
        "Module",
        "Linear",
        "Conv2d",
        "Sequential",
        "ReLU",
        "ModuleList",
        "Embedding",
        "LSTM",
        "CrossEntropyLoss",
    ),
    "tensorflow.keras.layers": (),
}
