"""What a repair or a new environment would do, package by package."""

from typing import Final, Generic, Literal, TypeVar

from cudafit.model.finding import Finding
from cudafit.model.fit import Pick
from cudafit.model.frozen import frozen

SCHEMA = "cudafit.repair/1"
CREATE_SCHEMA = "cudafit.create/1"
ROLLBACK_SCHEMA = "cudafit.rollback/1"
# What an installation holds to: a hash for each file; also that nothing is built, as what builds it has no hash; or
# neither.
HASHED: Final = "hashed"
WHEELS_ONLY: Final = "wheels-only"
UNCHECKED: Final = "unchecked"
Checks = Literal["hashed", "wheels-only", "unchecked"]
Source = TypeVar("Source")
INSTALL: Final = "install"
REPLACE: Final = "replace"
REINSTALL: Final = "reinstall"
REMOVE: Final = "remove"
Action = Literal["install", "replace", "reinstall", "remove"]


@frozen
class Step:
    """One package: from which version to which, and why. `size` in bytes is None where nobody told it."""

    action: Action
    package: str
    before: str | None
    after: str | None
    why: str
    size: int | None = None
    index: str | None = None  # where it does not come from the default one


@frozen
class FileChange:
    """A file of the environment's project, as a unified diff."""

    path: str
    diff: str


@frozen
class Plan:
    """All steps, in the order of packages; those that remove come first when they are done."""

    environment: str
    python: str
    steps: tuple[Step, ...]
    answers: tuple[str, ...] = ()
    by_hand: tuple[Finding, ...] = ()
    untouched: tuple[str, ...] = ()  # from a folder, a repository or an address: they stay as they are
    warnings: tuple[str, ...] = ()
    files: tuple[FileChange, ...] = ()  # what changes with the environment

    @property
    def coming(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.action != REMOVE)

    @property
    def going(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.action == REMOVE)

    @property
    def download(self) -> int | None:
        """Bytes of all that comes in; None where one of them is not known."""
        sizes = [step.size for step in self.coming]
        return None if None in sizes else sum(size or 0 for size in sizes)


@frozen
class Package:
    """What comes in; `size` is None where nobody told it."""

    name: str
    version: str
    size: int | None = None


@frozen
class Made(Generic[Source]):
    """What a new environment is made from. `source` is what its engine installs it from."""

    kind: str
    python: str
    packages: tuple[Package, ...]
    source: Source
    picks: tuple[Pick, ...] = ()
    notes: tuple[str, ...] = ()  # what else is to be known before it is made
    checks: Checks = HASHED

    @property
    def download(self) -> int | None:
        """Bytes; None where one of them is not known."""
        sizes = [one.size for one in self.packages]
        return None if None in sizes else sum(size or 0 for size in sizes)


@frozen
class After:
    """What doctor says of the environment: before where nothing was changed."""

    status: str
    cause: str | None
    bench: str | None = None  # the verdict of `bench --quick`; None where nothing was changed
    verified: str | None = None  # the same in words, with the reason


@frozen
class Repaired:
    """The answer of `cudafit repair`. `status` is `planned`, `done` or `nothing`; `download` is in bytes."""

    status: str
    environment: str
    python: str
    steps: tuple[Step, ...]
    answers: tuple[str, ...]
    by_hand: tuple[Finding, ...]
    untouched: tuple[str, ...]
    warnings: tuple[str, ...]
    download: int | None
    after: After
    files: tuple[FileChange, ...] = ()


@frozen
class Created:
    """The answer of `cudafit create`. `status` is `planned` or `made`."""

    status: str
    environment: str
    python: str
    packages: tuple[Package, ...]
    download: int | None
    after: After | None
    notes: tuple[str, ...] = ()  # where the files of a given lock come from, and what of it has no hash
