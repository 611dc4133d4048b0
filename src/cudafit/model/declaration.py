"""What one of a project's own files declares, whatever its kind. `origin` is where it stands: `pyproject.toml:12`."""

from collections.abc import Callable, Mapping
from dataclasses import field

from cudafit.model.frozen import frozen
from cudafit.model.requirement import Wanted


@frozen
class Bound:
    """What a project says of its Python: `>=3.10`."""

    specifier: str
    origin: str


@frozen
class Index:
    """A place that packages come from. An `explicit` one is for those packages alone that name it."""

    url: str
    origin: str
    name: str = ""
    explicit: bool = False
    default: bool = False


@frozen
class Source:
    """Where one package comes from: an index by its name or address, or a place of its own (a repository, a file, a
    folder, which `local` is). With an extra or a group it holds only there."""

    package: str
    origin: str
    index: str | None = None
    address: str | None = None
    local: str | None = None
    marker: str | None = None
    extra: str | None = None
    group: str | None = None


@frozen
class Chosen:
    """The kind of build that the project itself chooses: `cpu`, or `cu118`. No package: for all that come in kinds."""

    variant: str
    origin: str
    package: str | None = None
    marker: str | None = None


@frozen
class Local:
    """A folder of code that is installed along, whose own declaration counts as well."""

    path: str
    extras: tuple[str, ...]
    origin: str
    line: str


@frozen
class Declaration:
    """`wanted` is what is always installed. `unread` says what was not understood, and where; `files` are those that
    were read for it."""

    path: str
    kind: str
    wanted: tuple[Wanted, ...] = ()
    extras: Mapping[str, tuple[Wanted, ...]] = field(default_factory=dict)
    groups: Mapping[str, tuple[Wanted, ...]] = field(default_factory=dict)
    default_groups: tuple[str, ...] = ()
    name: str = ""  # of the project itself, whose extras may name each other by it
    python: tuple[Bound, ...] = ()
    indexes: tuple[Index, ...] = ()
    sources: tuple[Source, ...] = ()
    chosen: tuple[Chosen, ...] = ()
    lines: tuple[str, ...] = ()  # for installers alone
    local: tuple[Local, ...] = ()
    conda: bool = False
    unread: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.wanted or self.lines or self.local or any(self.extras.values()) or any(self.groups.values()))


@frozen
class FileKind:
    """A kind of file that declares what a project needs. Nothing of it has a default: whoever adds one says it all."""

    name: str
    pattern: str  # of file names, in lower case
    example: str  # such a name
    here: bool  # whether it is looked for where no file was named
    is_lock: bool
    read: Callable[[str, str], Declaration | None]  # path and text; None for one that declares nothing
