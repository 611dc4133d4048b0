"""Which builds work together on a machine, and the locks that say so."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cudafit.app.answers import answered
from cudafit.app.asked import WhichBuilds, WhichFacts, WhichLocks, WhichMachine
from cudafit.app.builds import request_of
from cudafit.app.machines import hosts
from cudafit.app.result import Result
from cudafit.errors import InputError
from cudafit.matrix.load import open_matrix
from cudafit.model.fit import SCHEMA, Resolution
from cudafit.model.frozen import frozen
from cudafit.model.record import fields_of
from cudafit.render.resolve_rows import error_of, explained_rows, fitting_rows, resolution_rows
from cudafit.resolve import request as resolver
from cudafit.resolve.host import Host
from cudafit.resolve.problem import Book

if TYPE_CHECKING:
    from cudafit.lock.formats import Format
    from cudafit.lock.order import Order
    from cudafit.lock.write import Document
    from cudafit.machine.question import Question

_NO_FIT = 1
_CONDA = "conda"


@frozen
class Request:
    """`explain` says also why other builds lost, `every` shows all that fit, `printed` is the form of the one line."""

    builds: WhichBuilds
    machine: WhichMachine
    facts: WhichFacts
    locks: WhichLocks
    explain: bool = False
    every: bool = False
    printed: str | None = None


@frozen
class Resolved:
    """A result for each kind of fit that was needed, what is to be written, and the one line that was asked for."""

    results: tuple[Result, ...]
    documents: "tuple[Document, ...]" = ()
    line: str | None = None

    @property
    def exit_code(self) -> int:
        return max(one.exit_code for one in self.results)


@frozen
class Asked:
    """A request, read."""

    files: "tuple[tuple[str, Format], ...]"
    kinds: tuple[str, ...]
    builds: resolver.Request
    machines: tuple[Host, ...]
    book: Book


def read(request: Request, question: "Question | None", say: Callable[[str], None]) -> Asked:
    """Raises InputError for what cannot be meant."""
    files, kinds = _files(request)
    if request.printed:
        _refuse_print(request)
    book = open_matrix(request.facts.matrices, request.facts.pinned)
    builds, note = request_of(request.builds, request.machine, request.facts)
    if note:
        say(note)
    if builds.conda and not files:
        kinds = [_CONDA]
    edited = [path for path, form in files if form.edits]
    if edited and not request.builds.python and not request.locks.check:
        from cudafit.app.every_python import for_every_python  # noqa: PLC0415 - where a project's own file is written

        builds = for_every_python(builds, edited[0])
    machines = hosts(request.machine, question, book.facts)
    return Asked(tuple(files), tuple(kinds), builds, tuple(machines), book)


def resolve(
    request: Request,
    question: "Question | None",
    say: Callable[[str], None],
    patience: Callable[[], AbstractContextManager[None]],
) -> Resolved:
    """`patience` is entered while indexes are asked, which may take a minute. Nothing is written."""
    asked = read(request, question, say)
    requests: dict[str, resolver.Request] = {}
    answers: dict[str, Resolution] = {}
    book = asked.book
    with patience():
        for kind in asked.kinds:
            builds = replace(asked.builds, conda=kind == _CONDA)
            requests[kind], answers[kind], book = answered(
                builds, list(asked.machines), book, say, every=request.every, offline=request.locks.offline
            )
    documents: list[Document] = []
    if asked.files and all(one.status != "no-fit" for one in answers.values()):
        from cudafit.app.locks import logins_left_out, order_of, typed_command  # noqa: PLC0415 - where files are

        command = typed_command(request.builds, request.machine, request.facts, request.locks)
        order = order_of(requests[asked.kinds[0]], command, book, offline=request.locks.offline)
        with patience():
            documents, answers, book = _made(asked, requests, answers, order, book)
        _refuse_unfit(documents, asked, requests, book)
        if told := logins_left_out(documents, answers, order):
            say(told)
    outputs = [{"path": one.path, "format": one.format, "packages": one.packages} for one in documents]
    results = [
        replace(_result(kind, one, asked.builds, request, outputs), facts=book.told) for kind, one in answers.items()
    ]
    return Resolved(tuple(results), tuple(documents), _line(request, requests, answers, asked.machines, book, say))


def resolution(request: Request, question: "Question | None", say: Callable[[str], None]) -> Resolution:
    """The answer alone, where nothing is to be written."""
    asked = read(request, question, say)
    builds = replace(asked.builds, conda=asked.kinds[0] == _CONDA)
    _, answer, _ = answered(
        builds, list(asked.machines), asked.book, say, every=request.every, offline=request.locks.offline
    )
    return answer


def _made(
    asked: Asked, requests: dict[str, resolver.Request], answers: dict[str, Resolution], order: "Order", book: Book
) -> "tuple[list[Document], dict[str, Resolution], Book]":
    """By what the indexes and channels have: the next build that is there and fits, where they lack the newest."""
    from cudafit.app.locks import made  # noqa: PLC0415 - where files are
    from cudafit.app.there import NOT_THERE, TRIES, bounded  # noqa: PLC0415
    from cudafit.conda.solver import UnsolvableError  # noqa: PLC0415

    said: dict[str, tuple[str, ...]] = {}
    for left in range(TRIES, -1, -1):
        try:
            return made(asked.files, answers, order), answers, book
        except NOT_THERE as error:
            kind = _CONDA if isinstance(error, UnsolvableError) else "pip"
            if not left or kind not in answers:
                raise
            found, book, warnings = bounded(
                error, requests[kind], answers[kind], list(asked.machines), book, order.indexes
            )
        said[kind] = (*said.get(kind, ()), *warnings)
        answers = {**answers, kind: replace(found, warnings=(*found.warnings, *said[kind]))}
    raise AssertionError("the last try returns or raises")


def _line(
    request: Request,
    requests: dict[str, resolver.Request],
    answers: dict[str, Resolution],
    machines: tuple[Host, ...],
    book: Book,
    say: Callable[[str], None],
) -> str | None:
    """Of a fit alone; raises CudafitError where the form cannot say it."""
    (answer,), (asked,) = list(answers.values())[:1], list(requests.values())[:1]
    if request.printed is None or answer.status == "no-fit":
        return None
    if not asked.wanted:
        raise InputError("nothing was asked for, and `--print` prints what installs it", hint="`cudafit resolve torch`")
    from cudafit.app.printed import Answered, line_of  # noqa: PLC0415 - where it is printed

    return line_of(request.printed, Answered(asked, answer, machines, book), say)


def _refuse_print(request: Request) -> None:
    if request.locks != WhichLocks(offline=request.locks.offline) or request.explain or request.every:
        raise InputError(
            "`--print` prints one line and nothing else", hint="leave out the options for files and for more output"
        )
    if request.builds.conda and request.printed != _CONDA:
        raise InputError(f"`--print {request.printed}` is about Python's indexes, and `--conda` is not")


def _refuse_unfit(documents: "list[Document]", asked: Asked, requests: dict[str, resolver.Request], book: Book) -> None:
    """A lock that names every package is judged as it is written, with all that came along."""
    from cudafit.app.judged import refuse_unfit  # noqa: PLC0415 - where there are files

    for document, (path, form) in zip(documents, asked.files, strict=True):
        if form.read and form.complete and form.kind in requests and not document.edits:
            versions = dict(form.read(document.text).versions)
            refuse_unfit(f"the lock `{path}`", versions, requests[form.kind], list(asked.machines), book)


def _files(request: Request) -> "tuple[list[tuple[str, Format]], list[str]]":
    """The files to write, and the kinds of fit that they need; whoever writes none has nothing of it loaded."""
    if request.locks in (WhichLocks(), WhichLocks(offline=True)):
        return [], [_CONDA if request.builds.conda or request.printed == _CONDA else "pip"]
    from cudafit.app.locks import kinds_of, outputs_of  # noqa: PLC0415

    files = outputs_of(request.locks)
    return files, kinds_of(files, conda=request.builds.conda)


def _result(
    kind: str, resolution: Resolution, asked: resolver.Request, request: Request, outputs: list[dict[str, Any]]
) -> Result:
    def rows() -> list[Any]:
        shown = [*resolution_rows(resolution), *fitting_rows(resolution)]
        return shown + (explained_rows(resolution) if request.explain else [])

    typed = [want.text for want in asked.wanted if not want.constraint and want.origin == "command line"]
    return Result(
        SCHEMA,
        {**fields_of(resolution), **({"outputs": outputs} if outputs else {})},
        f"resolve {' '.join(typed)}".strip() + (" --conda" if kind == _CONDA else ""),
        rows,
        _NO_FIT if resolution.status == "no-fit" else 0,
        error_of(resolution),
        long=True,
    )
