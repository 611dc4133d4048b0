"""A new environment: chosen or given by a lock, made wholly or not at all, looked at and proven."""

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cudafit.app.answers import answered
from cudafit.app.asked import WhichBuilds, WhichFacts, WhichMachine
from cudafit.app.builds import answer_of, request_of
from cudafit.app.judged import refuse_unfit
from cudafit.app.locks import order_of, typed_command
from cudafit.app.machines import hosts
from cudafit.app.place import parted, refuse_unclear
from cudafit.app.result import Result
from cudafit.app.there import NOT_THERE, TRIES, bounded
from cudafit.env.conda_places import is_base, prefix_for
from cudafit.errors import CudafitError, InputError
from cudafit.files import Files
from cudafit.indexes import configured
from cudafit.lock.order import Order
from cudafit.machine.conda import read_conda
from cudafit.machine.context import this_machine
from cudafit.machine.pythons import read_pythons
from cudafit.matrix.load import open_matrix
from cudafit.model.environment import CONDA, VENV
from cudafit.model.fit import NO_FIT, Passed
from cudafit.model.frozen import frozen
from cudafit.model.machine import Interpreter
from cudafit.model.plan import CREATE_SCHEMA, Created, Made
from cudafit.model.requirement import wanted
from cudafit.model.versions import major_minor
from cudafit.render.create_rows import create_rows
from cudafit.render.resolve_rows import error_of
from cudafit.repair import making
from cudafit.repair.engines import engine_of
from cudafit.repair.engines.engine import Engine, Means
from cudafit.repair.journal import interrupted
from cudafit.resolve import request as resolver
from cudafit.resolve.conda import cudnn_limits
from cudafit.resolve.host import Host
from cudafit.resolve.libraries import Libraries
from cudafit.resolve.names import knows
from cudafit.resolve.problem import Book
from cudafit.system.commands import command_text, joined, path_word
from cudafit.system.secrets import redacted_words

if TYPE_CHECKING:
    from cudafit.machine.question import Question

_DEFAULT = ".venv"
_PIP = "pip"
_EXAMPLES = {
    VENV: "`cudafit create .venv torch`, or `--from pylock.toml`",
    CONDA: "`cudafit create -n gpu torch`, or `--from conda-lock.yml`",
}
_MARKS = {VENV: ("pyvenv.cfg", "environment"), CONDA: ("conda-meta", "conda environment")}
Say = Callable[[str], None]


@frozen
class Request:
    """`words` are the place and the requirements, as they were typed; a conda environment may have a `name` or a
    `prefix`. `builds` has everything else that is wanted. With a `lock` that is installed as it is. `keep`: also where
    doctor finds an error in it. `seed`: with pip inside."""

    machine: WhichMachine
    facts: WhichFacts
    builds: WhichBuilds
    words: tuple[str, ...] = ()
    name: str | None = None
    prefix: str | None = None
    lock: str | None = None
    allow_unhashed: bool = False
    clear: bool = False
    dry_run: bool = False
    keep: bool = False
    seed: bool = False


def create(
    request: Request,
    question: "Question | None",
    say: Say,
    patience: Callable[[], AbstractContextManager[None]],
) -> Result:
    """`patience` is entered while indexes are asked, which may take a minute."""
    _refuse(request)
    kind = _kind(request)
    path, requirements, named = _place(request, kind)
    if request.lock and (requirements or request.builds.files or request.seed):
        raise InputError("`--from` installs a lock as it is, so no requirement can be added to it")
    book: Book = open_matrix(request.facts.matrices, request.facts.pinned)
    if not named:
        refuse_unclear(requirements, request.builds.files, knows(book))
    _refuse_existing(path, kind, clear=request.clear)
    builds = replace(request.builds, requirements=requirements, conda=kind == CONDA)
    # Of this machine, where the environment is made, whatever machine it is for.
    pythons = read_pythons(this_machine()) if kind == VENV else ()
    means = Means(configured(), os.environ, say, command=_typed(request, requirements), pythons=pythons)
    engine = engine_of(kind, path)
    machine = _for_one_machine(request, question, book)
    try:
        host = engine.suited(machine, builds.python, means)
    except InputError as error:
        raise _with_what_is_possible(error, request, builds, machine, book, pythons) from None
    said: tuple[str, ...] = ()
    if request.lock:
        if kind == CONDA:
            means = replace(means, limits=cudnn_limits(Libraries(book.facts("libraries").libraries), host.kind))
        made = engine.given(request.lock, host, builds.python, means, unhashed=request.allow_unhashed)
    else:
        with patience():
            asked, order, book = _ordered(engine, replace(request, builds=builds), host, book, say)
            made, book, said = _solved(engine, asked, order, host, book, means, sizes=request.dry_run)
        if kind == VENV:
            whole = {one.name: one.version for one in made.packages}
            refuse_unfit("the environment", whole, asked, [host], book)
    if request.dry_run:
        return replace(_planned(path, replace(made, notes=(*made.notes, *said))), facts=book.told)
    from cudafit.app.made import Seen, refuse_faulty, result_of, seen  # noqa: PLC0415 - doctor, for what is made

    looks: list[Seen] = []

    def check() -> None:
        looks.append(seen(path, request.machine, request.facts))
        if not request.keep:
            refuse_faulty(looks[-1], cpu=builds.cpu)

    made = engine.create(made, means, check)
    return result_of(path, replace(made, notes=(*made.notes, *said)), looks[-1], say)


def _with_what_is_possible(
    error: InputError, request: Request, builds: WhichBuilds, machine: Host, book: Book, pythons: Sequence[Interpreter]
) -> CudafitError:
    """For a Python that is not here: what there would be with those that are, or why it would not help to have it."""
    if request.lock or not builds.requirements:
        return error
    asked = replace(request_of(builds, request.machine, request.facts)[0], verb=_verb(request))
    own = [one for one in asked.wanted if one.name in book.packages]
    if not own:
        return error
    asked = replace(asked, wanted=tuple(own))
    here = dict.fromkeys(major_minor(one.version) for one in pythons if one.version.startswith("3."))
    host = replace(machine, kind=replace(machine.kind, pythons=tuple(here)))
    with_it = answer_of(asked, [host], book)
    if with_it.status == NO_FIT:
        hints = (told.hints if (told := error_of(with_it)) else ()) or error.hints
        return InputError(error.what, cause=[*error.cause, f"and {with_it.reason} with it"], hints=hints)
    without = answer_of(replace(asked, python=None), [host], book)
    if without.status == NO_FIT:
        return error
    words = [*_verb(request), *builds.requirements, *(["--cpu"] if builds.cpu else []), "--python", without.python]
    picks = ", ".join(f"{pick.name} {pick.version}" for pick in without.picks if pick.requested)
    return InputError(error.what, cause=error.cause, hints=[f"`{joined(words)}`: {picks}", *error.hints])


def _refuse(request: Request) -> None:
    if request.machine.root:
        raise InputError("an environment is made on this machine, so `--root` has no meaning")
    if request.allow_unhashed and not request.lock:
        raise InputError("`--allow-unhashed` is about a lock, and `--from` names none")
    if request.name and request.prefix:
        raise InputError("`-n` and `--prefix` each name the environment")
    if making.plainly() and _kind(request) == CONDA:
        raise InputError(
            "conda environments are not made on Windows",
            hint="`cudafit resolve torch --conda -o environment.yml` writes the file for `conda env create`",
        )


def _kind(request: Request) -> str:
    """By the options, or by the name of the lock."""
    if request.name or request.prefix or request.builds.conda:
        return CONDA
    if request.lock is None:
        return VENV
    from cudafit.lock.conda_held import is_conda_lock  # noqa: PLC0415 - where a lock is given

    return CONDA if is_conda_lock(request.lock) else VENV


def _place(request: Request, kind: str) -> tuple[str, tuple[str, ...], bool]:
    """Where it is made, the requirements, and whether the place was named."""
    if request.prefix:
        return os.path.abspath(os.path.expanduser(request.prefix)), request.words, True
    if request.name:
        return prefix_for(request.name, Files(), read_conda(this_machine()), os.environ), request.words, True
    path, requirements = parted(request.words)
    if kind == VENV:
        return path or _DEFAULT, requirements, path is not None
    if path is None:
        raise InputError("a conda environment needs a name or a folder", hint="`cudafit create -n gpu torch`")
    return os.path.abspath(path), requirements, True


def _refuse_existing(path: str, kind: str, *, clear: bool) -> None:
    """What is there stays, unless it is an environment of this kind, which has its mark, and `--clear` was said."""
    if kind == CONDA and os.path.isdir(os.path.join(path, "conda-meta")) and is_base(Files(), path, (), os.environ):
        raise InputError(f"`{path}` is conda's own environment, and is never replaced")
    if os.path.islink(path) or (os.path.lexists(path) and not os.path.isdir(path)):
        raise InputError(f"`{path}` is there, and is no folder")
    if making.plainly():
        if making.is_left_over(path):
            return
    elif interrupted(path):
        undo = command_text("cudafit", "rollback", path_word(path))
        raise CudafitError(f"`{path}` is in the middle of a change", hint=f"`{undo}` ends it")
    if not os.path.isdir(path) or not os.listdir(path):
        return
    mark, name = _MARKS[kind]
    if not os.path.exists(os.path.join(path, mark)):
        raise InputError(f"`{path}` holds files, and is no {name}", hint="name another folder")
    if not clear:
        raise InputError(
            f"there is an environment in `{path}`, and it is not touched",
            hint=f"`{command_text('cudafit', 'repair', path_word(path))}` fixes it, `--clear` makes it anew",
        )


def _for_one_machine(request: Request, question: "Question | None", book: Book) -> Host:
    """The machine that the environment is for."""
    machines = hosts(request.machine, question, book.facts)
    if len(machines) != 1:
        raise InputError("an environment is made for one machine", hint="name one with `--machine`")
    return machines[0]


def _ordered(
    engine: Engine[Any], request: Request, host: Host, book: Book, say: Say
) -> tuple[resolver.Request, Order, Book]:
    """What is wanted with what it needs, what the engine is to lock, and the facts that tell; raises CudafitError where
    nothing fits."""
    asked, note = request_of(request.builds, request.machine, request.facts)
    asked = replace(asked, verb=_verb(request))
    if note:
        say(note)
    if not asked.wanted and not (asked.lines and engine.kind == VENV):
        raise InputError("nothing was asked for", hint=_EXAMPLES[engine.kind])
    asked, answer, book = answered(asked, [host], book, say)
    if error := error_of(answer):
        raise error
    builds = request.builds
    if request.seed and not any(want.name == _PIP for want in asked.wanted):
        asked = replace(asked, wanted=(*asked.wanted, wanted(_PIP, "--seed")))
        answer = replace(answer, passed=(*answer.passed, Passed(_PIP, "--seed")))
        builds = replace(builds, requirements=(*builds.requirements, _PIP))
    command = typed_command(builds, request.machine, request.facts)
    for warning in answer.warnings:
        say(f"warning: {warning}")
    return asked, replace(order_of(asked, command, book), resolution=answer), book


def _verb(request: Request) -> tuple[str, ...]:
    """The command up to what is wanted, for hints."""
    if request.name:
        return ("cudafit", "create", "-n", request.name)
    if request.prefix:
        return ("cudafit", "create", "--prefix", request.prefix)
    path, _ = parted(request.words)
    conda = ("--conda",) if request.builds.conda else ()
    return ("cudafit", "create", *conda, *((path,) if path else ()))


def _solved(
    engine: Engine[Any], asked: resolver.Request, order: Order, host: Host, book: Book, means: Means, *, sizes: bool
) -> tuple[Made[Any], Book, tuple[str, ...]]:
    """By what its index or channel has: the next build that is there and fits, where it lacks the newest. Also what
    there is to say of it."""
    said: tuple[str, ...] = ()
    for left in range(TRIES, 0, -1):
        try:
            return engine.solved(order, means, sizes=sizes), book, said
        except NOT_THERE as error:
            if left == 1:
                raise
            answer, book, warnings = bounded(error, asked, order.resolution, [host], book, means.indexes)
        for warning in warnings:
            means.say(f"warning: {warning}")
        said += warnings
        order = replace(order, resolution=answer)
    raise AssertionError("the last try returns or raises")


def _typed(request: Request, requirements: tuple[str, ...]) -> str:
    """For the history of a prefix, which others may read."""
    words = ["cudafit", "create", "--conda", *redacted_words(requirements)]
    return joined(words + (["--from", os.path.basename(request.lock)] if request.lock else []))


def _planned(path: str, made: Made[Any]) -> Result:
    told = Created("planned", path, made.python, made.packages, made.download, None, made.notes)
    return Result(CREATE_SCHEMA, told, "create", lambda: create_rows(path, made, None, None))
