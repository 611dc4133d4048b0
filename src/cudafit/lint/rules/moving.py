"""The edits that move a model, and with it every tensor that it meets. All of them, or none."""

import ast
from dataclasses import replace

from cudafit.lint.objects import visible_device
from cudafit.lint.parts import Hit
from cudafit.lint.run import Run
from cudafit.lint.values import Module, Tensor
from cudafit.model import kinds
from cudafit.model.code_finding import Edit


def note_unpacked(run: Run, node: ast.For | ast.AsyncFor) -> None:
    """Remembers the names that a loop unpacks each batch into, where a device is at hand."""
    if run.around.library or not visible_device(run):
        return
    for target in ast.walk(node.target):
        value = run.scope.names.get(target.id) if isinstance(target, ast.Name) else None
        if isinstance(value, Tensor) and value.item == "unpacked" and isinstance(target, ast.Name):
            run.tensors.origins[value] = (node, target.id)


def with_edits(run: Run, hit: Hit) -> Hit:
    module = run.training.unmoved.get(hit.node)
    if hit.kind is not kinds.code.model_on_cpu or module is None:
        return hit
    return replace(hit, edits=_edits(run, module))


def _edits(run: Run, module: Module) -> tuple[Edit, ...]:
    node = module.node
    if not module.device_name or module.unsure or not isinstance(node, ast.Call):
        return ()
    name = module.device_name
    line, column = node.end_lineno or node.lineno, node.end_col_offset or 0
    edits = [Edit(line, column, line, column, f".to({name})")]
    loops: dict[ast.AST, list[str]] = {}
    for tensor in module.companions:
        origin, target = run.tensors.origins[tensor]
        if isinstance(origin, ast.Call):
            line, column = origin.end_lineno or origin.lineno, (origin.end_col_offset or 1) - 1
            comma = ", " if origin.args or origin.keywords else ""
            edits.append(Edit(line, column, line, column, f"{comma}device={name}"))
        elif target not in loops.setdefault(origin, []):
            loops[origin].append(target)
    for loop, targets in loops.items():
        if not isinstance(loop, ast.For) or loop.body[0].lineno <= loop.iter.lineno:
            return ()  # all in one line
        first = loop.body[0]
        names, moved = ", ".join(targets), ", ".join(f"{target}.to({name})" for target in targets)
        text = f"{names} = {moved}\n{' ' * first.col_offset}"
        edits.append(Edit(first.lineno, first.col_offset, first.lineno, first.col_offset, text))
    return tuple(dict.fromkeys(edits))
