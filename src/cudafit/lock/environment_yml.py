"""environment.yml: builds for CUDA by their build strings, and the CUDA version that the fit decided."""

from collections.abc import Iterator, Sequence

import yaml

from cudafit.lock.header import header
from cudafit.lock.order import CONDA, Order
from cudafit.lock.specs import cuda_version, pip_side, specifications
from cudafit.system.secrets import without_login
from cudafit.system.text import harmless


def environment_text(order: Order) -> str:
    """Each entry with the reason above it."""
    channel = without_login(order.indexes.of(CONDA, CONDA))
    lines = [header(order)]
    lines.append(_dumped({"name": order.name, "channels": [channel, "nodefaults"]}))
    lines.append("dependencies:\n")
    for why, spec in _reasoned(order):
        lines += [f"  # {harmless(why)}\n"] if why else []
        lines.append(_item(spec, 2))
    if texts := pip_side(order):
        lines.append("  # not known to be on conda-forge under this name\n")
        lines += [_item("pip", 2), "  - pip:\n", *(_item(text, 6) for text in texts)]
    return "".join(lines)


def _reasoned(order: Order) -> Iterator[tuple[str | None, str]]:
    yield None, f"python={order.python}"
    for pick in order.picks:
        if pick.requested:
            kind = f"CUDA {pick.cuda}" if pick.cuda else "the CPU"
            first, *rest = pick.specifications[::-1]
            yield f"{pick.name} for {kind}: without the build string a solver may take another build", first
            yield from ((None, spec) for spec in rest)
    if version := cuda_version(order):
        compat = {pick.compat for pick in order.picks}
        limit = order.target.cuda
        how = (
            "runs it natively" if compat <= {"native", None} else f"knows CUDA {limit}: by minor-version compatibility"
        )
        yield f"the CUDA of these builds; the driver {how}", f"cuda-version={version}"
    yield from ((one.why, one.requirement) for one in order.resolution.constraints)
    yield from ((None, spec) for spec in specifications(order))


def _item(text: str, indent: int) -> str:
    return " " * indent + yaml.safe_dump([text], default_flow_style=False, allow_unicode=True, width=1000)


def _dumped(value: dict[str, str | Sequence[str]]) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=False, sort_keys=False, allow_unicode=True, width=1000)
    return text
