"""What doctor found: each with its evidence, and the fix for this machine."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import field
from typing import Final, Literal, get_args

from cudafit.model.frozen import frozen

SCHEMA = "cudafit.doctor/1"

OK: Final = "ok"
INFO: Final = "info"
WARNING: Final = "warning"
ERROR: Final = "error"
UNKNOWN: Final = "unknown"

# The worst first.
Severity = Literal["error", "warning", "info"]
Status = Literal["ok", "warning", "error", "unknown"]
# Bottom up: what is wrong below explains what fails above.
Layer = Literal[
    "hardware",
    "driver",
    "devices",
    "container",
    "toolkit",
    "variables",
    "libraries",
    "framework",
    "notebook",
    "project",
]
# How an environment was found, the surest first; and how sure it is that it is the one that is meant.
How = Literal["named", "active", "nearby", "path", "none"]
Sure = Literal["certain", "likely", "guess", "no"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
LAYERS: tuple[Layer, ...] = get_args(Layer)


@frozen
class Evidence:
    """A fact, and where it was read."""

    fact: str
    via: str


def is_called(name: str, words: Iterable[str]) -> bool:
    """Whether a finding is one of these, or begins with one: `torch`, `env.cvd_empty`."""
    return any(name == word or name.startswith(f"{word}.") for word in words)


def is_wanted(name: str, select: Collection[str], ignore: Collection[str]) -> bool:
    """Whether a finding is to be told: by `--select` and `--ignore`."""
    return (not select or is_called(name, select)) and not is_called(name, ignore)


@frozen
class Change:
    """What a fix does to an environment's packages, by pip's names or by conda's.

    `choose` are frameworks by Python's names, of which resolve picks the build; `install` requirements as they are
    written; `remove` what is taken out, every copy of it, before anything is installed. Of conda's packages `free` may
    come from the channel in another version or build, and `reinstall` comes again as it is. `uninstall` are
    distributions that pip put over conda's.
    """

    choose: tuple[str, ...] = ()
    install: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    reinstall: tuple[str, ...] = ()
    uninstall: tuple[str, ...] = ()


@frozen
class Edit:
    """What a file has to say: lines for people to put there."""

    path: str
    what: str
    lines: tuple[str, ...]


@frozen
class Fix:
    """What to do on this machine. `automatic`: the commands change the environment only, and need no rights."""

    text: str
    commands: tuple[tuple[str, ...], ...] = ()
    automatic: bool = False
    root: bool = False
    reboot: bool = False
    change: Change | None = None  # what `cudafit repair` does in their place
    conda: Change | None = None  # the same for packages of conda
    edits: tuple[Edit, ...] = ()  # of the files of the environment's owner, before the commands
    exact: tuple[str, ...] = ()  # what the commands install, as an installer is asked for it


@frozen
class Finding:
    """One thing that is not as it should be, or that should be known."""

    id: str
    severity: Severity
    layer: Layer
    title: str
    evidence: tuple[Evidence, ...]
    fix: Fix | None = None
    explained_by: str | None = None  # the finding that is the reason for this one


@frozen
class Wish:
    """What the automatic fixes ask for, all together. `why` is the finding that asked for each package first."""

    change: Change = Change()
    why: Mapping[str, str] = field(default_factory=dict)
    answers: tuple[str, ...] = ()  # the findings that will be gone
    by_hand: tuple[Finding, ...] = ()  # errors and warnings that no change of packages answers

    @property
    def empty(self) -> bool:
        return self.change == Change()


@frozen
class NotChecked:
    """A check that could not look."""

    check: str
    reason: str


@frozen
class Other:
    """Another environment that could have been meant."""

    path: str
    why: str


@frozen
class Which:
    """Which environment was looked at, and why. How: it was named, is active, lies nearby, or its Python is on PATH."""

    how: How
    sure: Sure
    path: str | None = None
    evidence: tuple[Evidence, ...] = ()  # what speaks for it, and what was passed over
    others: tuple[Other, ...] = ()
    looked: tuple[str, ...] = ()  # what was looked for, where there is none


Manager = Literal["uv", "poetry", "pdm", "pipenv", "hatch", "pixi", "conda", "pip"]


@frozen
class Asks:
    """Where a declaration names a package: in its `dependencies`, in an `extra gpu` or in a `group dev`."""

    name: str  # normalised
    place: str
    text: str  # as it is written, without logins


@frozen
class Claim:
    """A manager that says of an environment that it is its own, by files in `project`."""

    manager: Manager
    project: str | None
    declaration: str | None
    lock: str | None
    evidence: tuple[Evidence, ...]


@frozen
class Owner:
    """Who keeps an environment, and in which files. `manager` is None where several claim it and nothing decides."""

    manager: Manager | None
    sure: Sure
    project: str | None = None
    declaration: str | None = None
    lock: str | None = None
    evidence: tuple[Evidence, ...] = ()
    others: tuple[Claim, ...] = ()
    asks: tuple[Asks, ...] = ()  # what the declaration names
    repaired: bool = False  # whether `repair` changes its files together with the environment


@frozen
class Logged:
    """One thing that a log says; `holds_here` is None where nothing looked for it."""

    id: str
    title: str
    lines: tuple[int, ...]
    text: str
    holds_here: bool | None = None
    follows_from: str | None = None
    harmless: bool = False


@frozen
class LogRead:
    """A log that was given as evidence; `ordinary` is what was recognised and is no matter of a GPU."""

    file: str
    lines: int
    ordinary: str | None = None
    said: tuple[Logged, ...] = ()


@frozen
class Report:
    """The diagnosis."""

    status: Status
    cause: str | None
    findings: tuple[Finding, ...]
    skipped: tuple[NotChecked, ...]
    environment: str | None = None  # which one was looked at, in one line
    machine: tuple[str, ...] = ()
    checked: int = 0  # how many checks ran
    repair: tuple[str, ...] = ()  # the one command that makes all changes of packages, where there are any
    files: tuple[str, ...] = ()  # the Dockerfiles and compose files, where those were looked at
    which: Which | None = None  # which environment was looked at, and why that one
    owner: Owner | None = None  # who keeps it
    gpus: int | None = None  # how many GPUs a program may use here; None: that is not known
    log: LogRead | None = None  # what a log said, where one was given
