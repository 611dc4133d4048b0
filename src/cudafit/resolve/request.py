"""What the user asks for: requirements, and the options that narrow the answer."""

from collections.abc import Mapping
from dataclasses import field

from cudafit.model.frozen import frozen
from cudafit.model.requirement import Wanted

NEWEST = "newest"
PREFER_NATIVE = "native"
INSTALLED = "installed"


@frozen
class Request:
    """Everything that the user said."""

    wanted: tuple[Wanted, ...]
    python: str | None = None
    cuda: str | None = None
    cpu: bool = False
    prefer: str = NEWEST
    conda: bool = False
    installed: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[str, ...] = ()  # of requirement files, for the package installer alone
    files: tuple[str, ...] = ()  # from which requirements were read
    words: tuple[str, ...] = ()  # how the machine was given, for commands that ask again
