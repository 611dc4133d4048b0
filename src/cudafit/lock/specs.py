"""What a conda environment of a fit must hold: for the files that name packages, and for the solver."""

from collections.abc import Iterable, Sequence

from cudafit.lock.order import Order
from cudafit.model.fit import Constraint
from cudafit.model.requirement import Wanted, wanted
from cudafit.model.versions import numbers
from cudafit.system.secrets import without_login


def all_specifications(order: Order) -> list[str]:
    """For a solver: Python, the picks by build string, the cap on CUDA, and the rest of the request."""
    found = [f"python {order.python}.*" if order.python.count(".") == 1 else f"python {order.python}"]
    found += [_spaced(spec) for pick in order.picks if pick.requested for spec in pick.specifications]
    if version := cuda_version(order):
        found.append(f"cuda-version {version}.*")
    return found + [_spaced_requirement(want) for want in order.others if not want.constraint and not want.url]


def caps(constraints: Iterable[Constraint]) -> tuple[str, ...]:
    """For a solver: what the libraries of the picks may not be, where they come along at all."""
    return spaced(one.requirement for one in constraints)


def spaced(requirements: Iterable[str]) -> tuple[str, ...]:
    """`libcudnn<9.11` as conda's tools write it: `libcudnn <9.11`."""
    return tuple(_spaced_requirement(wanted(text)) for text in requirements)


def cuda_version(order: Order) -> str | None:
    """The newest CUDA among the picks: conda-forge itself only sees to the driver's major."""
    told = [pick.cuda for pick in order.picks if pick.cuda]
    return max(told, key=numbers) if told else None


def specifications(order: Order) -> list[str]:
    """The rest of the request, as far as conda-forge has it under the same name."""
    return [_plain(want) for want in _on_conda(order)]


def pip_side(order: Order) -> list[str]:
    """What pip installs on top."""
    held = set(map(id, _on_conda(order)))
    return [without_login(want.text) for want in order.others if id(want) not in held and not want.constraint]


def _on_conda(order: Order) -> Sequence[Wanted]:
    return [
        want
        for want in order.others
        if want.name in order.conda_names and not (want.url or want.marker or want.extras or want.constraint)
    ]


def _plain(want: Wanted) -> str:
    return f"{want.name}{want.specifier}"


def _spaced(spec: str) -> str:
    """`pytorch=2.13.0=cuda129*` -> `pytorch ==2.13.0 cuda129*`."""
    name, *rest = spec.split("=")
    return f"{name} =={rest[0]} {rest[1]}" if rest else name


def _spaced_requirement(want: Wanted) -> str:
    return f"{want.name} {want.specifier}".strip()
