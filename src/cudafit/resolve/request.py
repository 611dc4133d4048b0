"""What the user asks for: requirements, and the options that narrow the answer."""

from collections.abc import Mapping
from dataclasses import field

from cudafit.model.declaration import Bound, Chosen
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
    named: bool = True  # by a person; what is found in the folder is found again
    locked: Mapping[str, str] | None = None  # nothing but these versions, by a lock: `2.14.1+cu126`, `2.13.0=cuda130_0`
    pythons: tuple[Bound, ...] = ()  # what the project says of its Python
    chosen: tuple[Chosen, ...] = ()  # the kinds of builds that the project chooses, by its indexes or names
    notes: tuple[str, ...] = ()  # what the answer is to say of the files
    warnings: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()  # the places in files of what is taken otherwise than it is written there
    built: tuple[str, ...] = ()  # packages whose build needs what the answer picks to be there: installed after it
    words: tuple[str, ...] = ()  # how the machine was given, for commands that ask again
    verb: tuple[str, ...] = ("cudafit", "resolve")  # ... and what asked
    without_venv: bool = False  # there is no environment here to install to
    as_written: bool = False  # names are taken as they are, also those that are nearly others
