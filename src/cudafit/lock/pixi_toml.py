"""pixi.toml: a manifest, with what the machine has as system requirements."""

from typing import Any

from cudafit.lock.conda_names import conda_platform
from cudafit.lock.header import header
from cudafit.lock.order import CONDA, Order
from cudafit.lock.specs import cuda_version, pip_side, specifications
from cudafit.model.requirement import wanted
from cudafit.system.secrets import without_login
from cudafit.system.toml import inline, toml_text


def pixi_text(order: Order) -> str:
    dependencies: dict[str, Any] = {"python": f"{order.python}.*" if order.python.count(".") == 1 else order.python}
    for pick in order.picks:
        for spec in pick.specifications if pick.requested else ():
            name, *rest = spec.split("=")
            dependencies[name] = inline(version=f"=={rest[0]}", build=rest[1]) if rest else "*"
    if version := cuda_version(order):
        dependencies["cuda-version"] = f"{version}.*"
    for text in specifications(order):
        item = wanted(text)
        dependencies[item.name] = item.specifier or "*"
    table: dict[str, Any] = {
        "workspace": {
            "name": order.name,
            "channels": [without_login(order.indexes.of(CONDA, CONDA))],
            "platforms": [conda_platform(target.platform) for target in order.resolution.targets],
        },
        "system-requirements": _system(order),
        "dependencies": dependencies,
    }
    if not table["system-requirements"]:
        del table["system-requirements"]
    if pip := {item.name: _pypi(item.specifier, item.extras, item.url) for item in map(wanted, pip_side(order))}:
        table["pypi-dependencies"] = pip
    return header(order) + "\n" + toml_text(table)


def _system(order: Order) -> dict[str, Any]:
    target = order.resolution.targets[0]
    found: dict[str, Any] = {}
    if any(pick.cuda for pick in order.picks) and target.cuda:
        found["cuda"] = target.cuda
    family, _, version = (target.libc or "").partition(" ")
    if version:
        found["libc"] = inline(family=family, version=version)
    return found


def _pypi(specifier: str, extras: tuple[str, ...], url: str | None) -> Any:
    if url:
        return inline(url=url)
    return inline(version=specifier or "*", extras=list(extras)) if extras else specifier or "*"
