"""cudafit for programs: each function gives what the command of its name answers, as a record.

Nothing is printed, and of the configuration only where packages come from is heeded: what is meant stands in the
arguments. A function raises CudafitError where the command would end with an error of use; that nothing fits, or that
something is wrong, is an answer. docs/compatibility.md says what stays as it is.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from cudafit.app.asked import SILENCE_S, WhichBuilds, WhichEnvironment, WhichFacts, WhichLocks, WhichMachine, ask_driver
from cudafit.errors import CudafitError, InputError, UndeterminedError
from cudafit.model.finding import Evidence, Finding, Fix, Report
from cudafit.model.fit import Alternative, Constraint, Pick, Rejection, Resolution, Served, Upgrade
from cudafit.model.machine import Driver, Gpu, Machine
from cudafit.model.messages import Explanation, Match

if TYPE_CHECKING:
    from cudafit.app.result import Result
    from cudafit.machine.question import Question

__all__ = [
    "Alternative",
    "Constraint",
    "CudafitError",
    "Driver",
    "Evidence",
    "Explanation",
    "Finding",
    "Fix",
    "Gpu",
    "InputError",
    "Machine",
    "Match",
    "Path",
    "Pick",
    "Platform",
    "Prefer",
    "Rejection",
    "Report",
    "Resolution",
    "Say",
    "Served",
    "UndeterminedError",
    "Upgrade",
    "doctor",
    "explain",
    "inspect",
    "resolve",
]

Path = str | os.PathLike[str]
Say = Callable[[str], None]
Platform = Literal[
    "linux-x86_64", "linux-aarch64", "windows-x86_64", "windows-aarch64", "macos-aarch64", "macos-x86_64"
]
Prefer = Literal["newest", "native", "installed"]


def inspect(
    *, snapshot: Path | None = None, root: Path | None = None, timeout_s: float = SILENCE_S, save: Path | None = None
) -> Machine:
    """This machine; or that of a snapshot, or of the file system below `root`. With `save` it is also written to a
    file, which the other functions take as `machine`. What could not be read is in `problems`."""
    from cudafit.app import inspect as verb  # noqa: PLC0415 - what only this function needs

    which = WhichMachine(_paths(snapshot), root=_path(root))
    request = verb.Request(which.machines, which.root, False, timeout_s, _path(save))
    with _asked(which, timeout_s) as question:
        found: Machine = verb.inspect(request, question, _Silent()).record
    return found


def resolve(
    *requirements: str,
    files: Iterable[Path] = (),
    extras: Iterable[str] = (),
    groups: Iterable[str] = (),
    machine: Path | Iterable[Path] = (),
    driver: str | None = None,
    gpus: Iterable[str] = (),
    platform: Platform | None = None,
    glibc: str | None = None,
    root: Path | None = None,
    python: str | None = None,
    cuda: str | None = None,
    cpu: bool = False,
    conda: bool = False,
    prefer: Prefer = "newest",
    as_written: bool = False,
    every: bool = False,
    offline: bool = False,
    matrix: Iterable[Path] = (),
    matrix_version: str | None = None,
    say: Say | None = None,
) -> Resolution:
    """The builds that work together on a machine: by default this one, otherwise that of one or several snapshots, or
    as it is described. `status` is `fit`, `cpu` or `no-fit`. The index is asked only for what the facts do not hold,
    and not with `offline`. `every` fills `all`. `say` is called with lines of progress."""
    from cudafit.app import resolve as verb  # noqa: PLC0415

    named = _all(files)
    if not requirements and not named:
        raise InputError("nothing is asked for", hint="name requirements, or `files`")
    which = WhichMachine(_paths(machine), driver, tuple(gpus), platform, glibc, _path(root))
    builds = WhichBuilds(
        requirements, named, python, cuda, cpu, conda, prefer, as_written, tuple(extras), tuple(groups)
    )
    locks = WhichLocks(offline=offline)
    request = verb.Request(builds, which, WhichFacts(_all(matrix), matrix_version), locks, every=every)
    with _asked(which) as question:
        return verb.resolution(request, question, say or _silence)


def doctor(
    env: Path | None = None,
    *,
    conda: str | None = None,
    kernel: str | None = None,
    system: bool = False,
    machine: Path | None = None,
    driver: str | None = None,
    gpus: Iterable[str] = (),
    root: Path | None = None,
    deep: bool = False,
    timeout_s: float = 120.0,
    dockerfiles: Iterable[Path] = (),
    composes: Iterable[Path] = (),
    code: Iterable[Path] = (),
    log: Path | None = None,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    matrix: Iterable[Path] = (),
    matrix_version: str | None = None,
    say: Say | None = None,
) -> Report:
    """Why the GPU is not used: `cause` is the id of the one root cause, or None. Looks at `env`, at the conda
    environment or the kernel of that name, or at what is active or in this folder. Only files are read, but for
    `deep`."""
    from cudafit.app import doctor as verb  # noqa: PLC0415

    which = WhichMachine(_paths(machine), driver, tuple(gpus), root=_path(root))
    request = verb.Request(
        which,
        WhichFacts(_all(matrix), matrix_version),
        WhichEnvironment(_path(env), conda, kernel, system),
        deep,
        timeout_s,
        _all(dockerfiles),
        _all(composes),
        _all(code),
        tuple(select),
        tuple(ignore),
        log=_path(log),
    )
    with _asked(which) as question:
        found: Report = verb.doctor(request, question, say or _silence).record
    return found


def explain(
    text: str | None = None,
    *,
    file: Path | None = None,
    look: bool = True,
    env: Path | None = None,
    conda: str | None = None,
    kernel: str | None = None,
    machine: Path | None = None,
    driver: str | None = None,
    gpus: Iterable[str] = (),
    matrix: Iterable[Path] = (),
    matrix_version: str | None = None,
    say: Say | None = None,
) -> Explanation:
    """What an error text, a traceback or a log means: `root` is the id of the finding that the rest follows from. With
    `look` this machine and the environment are looked at, and `holds_here` says whether it is so here."""
    from cudafit.app import explain as verb  # noqa: PLC0415

    if (text is None) == (file is None):
        raise InputError("a text is to be explained, or a file")
    which = WhichMachine(_paths(machine), driver, tuple(gpus))
    facts = WhichFacts(_all(matrix), matrix_version)
    where = WhichEnvironment(_path(env), conda, kernel)
    request = verb.Request(which, facts, where, (), _path(file), look, text)
    with _asked(which, wanted=look) as question:
        found: Explanation = verb.explain(request, question, say or _silence).record
    return found


class _Silent:
    """Nobody is there to speak with."""

    def say(self, text: str) -> None:
        """Nothing is printed."""

    def show(self, result: "Result") -> None:
        """Nothing is printed."""

    def agree(self, question: str, unasked: CudafitError) -> None:  # noqa: ARG002 - as `app.result.Talk` has it
        raise unasked


def _silence(_text: str) -> None:
    """Nothing is printed."""


@contextmanager
def _asked(which: WhichMachine, silence_s: float = SILENCE_S, *, wanted: bool = True) -> "Iterator[Question | None]":
    """NVML is asked while the rest is loaded, in a process of its own; that ends here."""
    question = ask_driver(which, silence_s) if wanted else None
    try:
        yield question
    finally:
        if question is not None:
            question.close()


def _path(path: Path | None) -> str | None:
    return None if path is None else os.fspath(path)


def _paths(path: Path | Iterable[Path] | None) -> tuple[str, ...]:
    """Of one, of several, or of none."""
    if path is None:
        return ()
    return (os.fspath(path),) if isinstance(path, (str, os.PathLike)) else _all(path)


def _all(paths: Iterable[Path]) -> tuple[str, ...]:
    if isinstance(paths, (str, os.PathLike)):  # a text is a list of its letters to Python
        return (os.fspath(paths),)
    return tuple(os.fspath(path) for path in paths)
