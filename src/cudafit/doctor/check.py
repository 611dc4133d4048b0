"""What a check is."""

from collections.abc import Callable, Iterator

from cudafit.doctor.world import Unchecked, World
from cudafit.model.finding import Finding
from cudafit.model.frozen import frozen

Function = Callable[[World], Iterator[Finding | Unchecked] | Iterator[Finding]]


@frozen
class Check:
    """A check: what it looks at, and what it can find."""

    name: str
    about: str
    function: Function
    ids: tuple[str, ...]


def check(name: str, about: str, function: Function, ids: str) -> Check:
    return Check(name, about, function, tuple(ids.split()))
