"""What a lock tells of wheels and of conda's packages: names, hashes, what they require, for which Pythons they are."""

from cudafit.model.frozen import frozen
from cudafit.model.matrix import Source

ANY = "any"


@frozen
class Quote:
    """A wheel that a lock names. Its index is known by the matrix's name for it, or by the addresses that the lock
    gives: the folder where the file lies, and the index that was asked."""

    package: str
    file: str
    sha256: str | None
    source: Source
    index: str | None = None
    places: tuple[str, ...] = ()


@frozen
class Pin:
    """A requirement of a version's wheels. A lock that tells the version taken, and not the requirement, is not
    `exact`: its project may have overridden what the wheel asks for."""

    package: str
    version: str  # as in the names of the wheels
    platform: str  # linux-x86_64, linux for all of them, any
    requirement: str
    source: Source
    exact: bool = False
    votes: int = 1  # how many locks tell the same
    index: str | None = None
    places: tuple[str, ...] = ()


@frozen
class Listed:
    """All the Pythons that an index has wheels for, by somebody's listing of it; none: there is no wheel."""

    package: str
    version: str
    platform: str
    pythons: tuple[str, ...]
    source: Source
    index: str


@frozen
class CondaQuote:
    """A package of conda that a lock names. Its channel is known by the matrix's name for it, or by its address."""

    package: str
    version: str
    build: str
    platform: str  # as ours are called; any for noarch
    sha256: str | None
    source: Source
    depends: tuple[str, ...] = ()  # none: the lock does not tell them
    index: str | None = None
    place: str = ""

    @property
    def file(self) -> str:
        """Without its suffix, which tables of quotations do not tell: a channel has each build once."""
        return f"{self.package}-{self.version}-{self.build}"


@frozen
class CondaListed:
    """A build that a feedstock's recipe announces or somebody's listing of the channel has, with all its Pythons."""

    feedstock: str
    version: str
    cuda: str
    platform: str
    pythons: tuple[str, ...]
    evidence: str
    source: Source


@frozen
class Quotes:
    """All that was read of one file."""

    wheels: tuple[Quote, ...] = ()
    pins: tuple[Pin, ...] = ()
    listed: tuple[Listed, ...] = ()
    conda: tuple[CondaQuote, ...] = ()
    conda_listed: tuple[CondaListed, ...] = ()
