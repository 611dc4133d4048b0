"""What assignments, `del` and `with` do to the things of the frameworks."""

import ast

from cudafit.lint.rules import devices, environment, huggingface, jax, libraries, torch_modules
from cudafit.lint.run import Run
from cudafit.lint.values import Const, Device, Module, Ref, Thing, Value


def set_part(run: Run, base: Module, name: str, value: Value, node: ast.AST) -> None:
    torch_modules.set_part(run, base, name, value, node)


def set_option(run: Run, base: Thing, name: str, value: Value, node: ast.AST) -> None:
    if base.kind == "hf_args":
        huggingface.set_argument(run, name, value, node)
    elif base.kind == "detectron_cfg":
        libraries.set_detectron(run, name, value, node)


def set_setting(run: Run, base: Ref, name: str, value: Value, node: ast.AST) -> None:
    if base.name == "jax.config":
        jax.configure(run, name, value, node)
    elif base.name == "flair":
        libraries.set_flair(run, name, value, node)


def set_item(run: Run, base: Thing, index: Value, value: Value, node: ast.AST) -> None:
    if base.kind == "environ" and isinstance(index, Const) and isinstance(index.value, str):
        environment.set_variable(run, index.value, value, node)
    elif base.kind == "namespace" and isinstance(index, Const):
        run.set(base.attrs, str(index.value), value)


def delete_item(run: Run, base: Value, index: Value) -> None:
    if isinstance(base, Thing) and base.kind == "environ" and isinstance(index, Const):
        environment.unset_variable(run, str(index.value))


def enter(run: Run, value: Value, node: ast.AST) -> Value:
    if isinstance(value, Device):
        return devices.context(run, value, node)
    return value
