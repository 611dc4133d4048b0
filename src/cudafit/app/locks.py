"""The files that a fit is written to."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from cudafit import __version__
from cudafit.app.asked import WhichBuilds, WhichFacts, WhichLocks, WhichMachine
from cudafit.errors import InputError
from cudafit.indexes import configured
from cudafit.lock.documents import documents
from cudafit.lock.formats import CONDA, IMAGE, PIP, Format, format_of
from cudafit.lock.logins import left_out
from cudafit.lock.order import Order
from cudafit.lock.write import Document, difference, refuse_foreign, write_all
from cudafit.model.fit import MatrixVersion, Resolution
from cudafit.resolve.problem import Book
from cudafit.resolve.request import Request
from cudafit.system.secrets import redacted_words

_ABOUT_FILES = {
    "check": "--check",
    "dry_run": "--dry-run",
    "force": "--force",
    "forced": "--format",
}


def outputs_of(locks: WhichLocks) -> list[tuple[str, Format]]:
    """The files with their formats; raises InputError, also for one that is not to be written over."""
    if locks.allow_unhashed and not locks.check:
        raise InputError("`--allow-unhashed` is about `--check`")
    files = [(path, format_of(path, locks.forced)) for path in locks.outputs]
    if not files:
        for name, word in _ABOUT_FILES.items():
            if getattr(locks, name):
                raise InputError(f"`{word}` is about files, and none was named", hint="add `-o requirements.txt`")
    elif not locks.check:
        edited = [path for path, form in files if form.edits]
        refuse_foreign([path for path, _ in files if path not in edited], force=locks.force)
        refuse_foreign(edited, force=True)
    return files


def kinds_of(files: Sequence[tuple[str, Format]], *, conda: bool) -> list[str]:
    """Which fits are needed: of Python's indexes, of conda's, or both."""
    kinds: list[str] = list(dict.fromkeys(form.kind for _, form in files if form.kind != IMAGE))
    return kinds or [CONDA if conda else PIP]


def made(files: Sequence[tuple[str, Format]], resolutions: dict[str, Resolution], order: Order) -> list[Document]:
    """The documents; raises CudafitError. Nothing is written."""
    return documents(files, lambda kind: replace(order, resolution=_of(kind, resolutions)))


def logins_left_out(documents: list[Document], resolutions: dict[str, Resolution], order: Order) -> str | None:
    """Where the logins go that no lock holds."""
    return left_out(replace(order, resolution=_of(PIP, resolutions)), documents)


def _of(kind: str, resolutions: dict[str, Resolution]) -> Resolution:
    return resolutions[kind if kind in resolutions else next(iter(resolutions))]


def order_of(request: Request, command: tuple[str, ...], book: Book, *, offline: bool = False) -> Order:
    """What is to be written, but for the fit. `command` is what writes it again."""
    nothing = Resolution("fit", "", (), (), (), MatrixVersion(""))
    return Order(
        resolution=nothing,
        wanted=request.wanted,
        lines=request.lines,
        command=command,
        cudafit=__version__,
        indexes=configured(),
        offline=offline,
        name=re.sub(r"[^a-z0-9-]+", "-", os.path.basename(os.getcwd()).lower()).strip("-") or "gpu",
        toolkits=tuple(row.cuda for row in book.facts("toolkits").toolkits),
        conda_names=frozenset(row.package for row in book.facts("conda_names").conda_names),
    )


def typed_command(
    builds: WhichBuilds, machine: WhichMachine, facts: WhichFacts, locks: WhichLocks | None = None
) -> tuple[str, ...]:
    """The command as it was typed, in one order and without secrets: what writes the same files again."""
    locks = locks or WhichLocks()
    words = ["cudafit", "resolve", *builds.requirements]
    given: tuple[tuple[str, tuple[str, ...] | str | None], ...] = (
        ("-r", builds.files),
        ("--extra", builds.extras),
        ("--group", builds.groups),
        ("--machine", machine.machines),
        ("--gpu", machine.gpus),
        ("--driver", machine.driver),
        ("--platform", machine.platform),
        ("--glibc", machine.glibc),
        ("--python", builds.python),
        ("--root", machine.root),
        ("--cuda", builds.cuda),
        ("--matrix", facts.matrices),
        ("--format", locks.forced),
        ("-o", locks.outputs),
    )
    for flag, value in given:
        for one in value if isinstance(value, tuple) else (value,) if value is not None else ():
            words += [flag, one]
    if builds.prefer != "newest":
        words += ["--prefer", builds.prefer]
    chosen = {
        "--cpu": builds.cpu,
        "--conda": builds.conda,
        "--yes": builds.as_written,
        "--offline": locks.offline,
        "--from-imports": builds.from_imports,
    }
    words += [flag for flag, value in chosen.items() if value]
    return redacted_words(words)


def write_documents(documents: Sequence[Document], say: Callable[[str], None], tell: Callable[[str], None]) -> None:
    """Writes the files and says so; of one that is edited `tell` is given the difference."""
    for document in documents:
        if document.edits:
            tell("".join(difference(document)).removesuffix("\n"))
    write_all(documents)
    for document in documents:
        plural = "s" if document.packages > 1 else ""
        count = f" ({document.packages} package{plural})" if document.packages else ""
        say(f"wrote {document.path}{count}")
