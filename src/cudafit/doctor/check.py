"""What a check is."""

from collections.abc import Callable, Iterator

from cudafit.doctor.world import Unchecked, World
from cudafit.model.finding import Finding
from cudafit.model.frozen import frozen
from cudafit.model.kind import FindingKind

Function = Callable[[World], Iterator[Finding | Unchecked] | Iterator[Finding]]


@frozen
class Check:
    """A check: what it looks at, and what it can find."""

    name: str
    about: str
    function: Function
    kinds: tuple[FindingKind, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(kind.id for kind in self.kinds)


def check(name: str, about: str, function: Function, *kinds: FindingKind) -> Check:
    return Check(name, about, function, kinds)
