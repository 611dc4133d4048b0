"""pixi.toml: a manifest, with what the machines have beside each platform.

Source: pixi's documentation, `workspace/multi_platform_configuration` and `workspace/system_requirements`; from 0.71
on, which deprecates the table `[system-requirements]`.
"""

from typing import Any

from cudafit.lock.conda_names import conda_platform
from cudafit.lock.header import header
from cudafit.lock.order import CONDA, Order
from cudafit.lock.specs import cuda_version, pip_side, specifications
from cudafit.model.fit import Target
from cudafit.model.requirement import wanted
from cudafit.system.secrets import without_login
from cudafit.system.toml import inline, listed, toml_text


def pixi_text(order: Order) -> str:
    dependencies: dict[str, Any] = {"python": f"{order.python}.*" if order.python.count(".") == 1 else order.python}
    for pick in order.picks:
        for spec in pick.specifications if pick.requested else ():
            name, *rest = spec.split("=")
            dependencies[name] = inline(version=f"=={rest[0]}", build=rest[1]) if rest else "*"
    if version := cuda_version(order):
        dependencies["cuda-version"] = f"{version}.*"
    for text in (*(one.requirement for one in order.resolution.constraints), *specifications(order)):
        item = wanted(text)
        before = dependencies.get(item.name)
        both = [one for one in (before, item.specifier) if one and one != "*"] if isinstance(before, str) else []
        dependencies[item.name] = ",".join(both) or item.specifier or "*"
    table: dict[str, Any] = {
        "workspace": {
            "name": order.name,
            "channels": [without_login(order.indexes.of(CONDA, CONDA))],
            "platforms": listed([_platform(order, target) for target in order.resolution.targets]),
            "requires-pixi": ">=0.71",
        },
        "dependencies": dependencies,
    }
    if pip := {item.name: _pypi(item.specifier, item.extras, item.url) for item in map(wanted, pip_side(order))}:
        table["pypi-dependencies"] = pip
    return header(order) + "\n" + toml_text(table)


def _platform(order: Order, target: Target) -> Any:
    """Its plain name where nothing is known of it; a table may not be called so. What a table leaves out, pixi takes to
    be as on any machine."""
    name = conda_platform(target.platform)
    found: dict[str, Any] = {"platform": name}
    if any(pick.cuda for pick in order.picks) and target.cuda:
        arch = target.cuda_arch
        cuda = inline(driver=target.cuda, arch=arch) if arch else target.cuda
        found = {"name": f"{name}-gpu", **found, "cuda": cuda}
    family, _, version = (target.libc or "").partition(" ")
    if version:
        found["glibc" if family == "glibc" else f"__{family}"] = version
    return inline(**found) if len(found) > 1 else name


def _pypi(specifier: str, extras: tuple[str, ...], url: str | None) -> Any:
    if url:
        return inline(url=url)
    return inline(version=specifier or "*", extras=list(extras)) if extras else specifier or "*"
