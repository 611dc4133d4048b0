"""Which environment is meant, and why: what `env/locate` answers."""

from cudafit.model.environment import Kernel
from cudafit.model.finding import Evidence, How, Other, Sure, Which
from cudafit.model.frozen import frozen


@frozen
class Located:
    """An environment's prefix, what kind it is, and how it was found."""

    prefix: str
    kind: str
    found_by: str
    interpreter: str | None = None
    how: How = "named"
    sure: Sure = "certain"
    evidence: tuple[Evidence, ...] = ()
    others: tuple[Other, ...] = ()
    kernel: Kernel | None = None
    active: str | None = None  # the one that is active or nearby, where a kernel was asked for

    @property
    def which(self) -> Which:
        return Which(self.how, self.sure, self.prefix, self.evidence, self.others)


@frozen
class Nowhere:
    """There is none: what was looked for, what was passed over, and what could be named."""

    looked: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    others: tuple[Other, ...] = ()

    @property
    def which(self) -> Which:
        return Which("none", "no", None, self.evidence, self.others, self.looked)
