"""What `create` does alike for a venv and for a conda environment.

What is imported inside the functions is imported there for speed.
"""
# ruff: noqa: PLC0415

import os
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from cudafit.cli.benching import found_a_problem, verified
from cudafit.cli.common import say, use_color, write
from cudafit.cli.looking import Given, Looked, environment_of, look, world
from cudafit.cli.machine_options import hosts
from cudafit.cli.matrix_options import chosen
from cudafit.errors import CudafitError, InputError
from cudafit.model.environment import CONDA, VENV
from cudafit.model.words import is_windows_path
from cudafit.model.words import parted as by_form
from cudafit.system.commands import command_text, joined, path_word

if TYPE_CHECKING:
    from cudafit.model.bench import Bench
    from cudafit.model.finding import Report
    from cudafit.model.plan import Made
    from cudafit.repair.engines.engine import Engine, Means
    from cudafit.resolve.host import Host
    from cudafit.resolve.problem import Book

_DEFAULT = ".venv"
_PROBLEM = 1
_EXAMPLES = {
    VENV: "`cudafit create .venv torch`, or `--from pylock.toml`",
    CONDA: "`cudafit create -n gpu torch`, or `--from conda-lock.yml`",
}


def parted(words: tuple[str, ...], *, windows: bool = os.name == "nt") -> tuple[str, tuple[str, ...]]:
    """The path, and the requirements. A name without a slash may be either, and is taken as a requirement."""
    path, requirements = by_form(words)
    if path is None:
        return _DEFAULT, requirements
    if not windows and is_windows_path(path):
        raise InputError(f"`{path}` is a path of Windows", hint=_other_path(path))
    return os.path.expanduser(path), requirements


def _other_path(path: str) -> str:
    place = path.replace("\\", "/")
    if re.match("[A-Za-z]:/", place):
        return f"in WSL it is `/mnt/{place[0].lower()}{place[2:]}`"
    return "name a folder of this machine" if place.startswith("//") or ":" in place else f"here it is `{place}`"


def refuse_additions(options: dict[str, Any], requirements: tuple[str, ...]) -> None:
    if options["lock"] and (requirements or options["files"]):
        raise InputError("`--from` installs a lock as it is, so no requirement can be added to it")


def for_one_machine(options: dict[str, Any], description: Any, question: Any) -> "tuple[Book, Host]":
    """The facts, and the machine that the environment is for."""
    book = chosen(options["matrices"], options["pinned"])
    machines = hosts(options["machines"], None, description, question, book.facts)
    if len(machines) != 1:
        raise InputError("an environment is made for one machine", hint="name one with `--machine`")
    return book, machines[0]


def made_by(
    context: click.Context,
    options: dict[str, Any],
    kind: str,
    path: str,
    requirements: tuple[str, ...],
    description: Any,
    question: Any,
) -> int:
    """The environment, by the engine of its kind: planned, made, looked at, run where there is a GPU, shown."""
    from cudafit.indexes import configured
    from cudafit.machine.context import this_machine
    from cudafit.machine.pythons import read_pythons
    from cudafit.repair.engines import engine_of
    from cudafit.repair.engines.engine import Means

    # Of this machine, where the environment is made, whatever machine it is for.
    pythons = read_pythons(this_machine()) if kind == VENV else ()
    means = Means(configured(), os.environ, say, command=_typed(options, requirements), pythons=pythons)
    engine = engine_of(kind, path)
    book, machine = for_one_machine(options, description, question)
    host = engine.suited(machine, options["python"], means)
    if options["lock"]:
        made = engine.given(options["lock"], host, options["python"], means, unhashed=options["allow_unhashed"])
    else:
        made = _solved(engine, options, requirements, host, book, means)
    if options["dry_run"]:
        show(context, options, path, made, None)
        return 0
    made = engine.create(made, means)
    report, bench = looked_at(options, path)
    show(context, options, path, made, report, bench)
    return _PROBLEM if report.status == "error" or found_a_problem(bench) else 0


def _solved(
    engine: "Engine[Any]",
    options: dict[str, Any],
    requirements: tuple[str, ...],
    host: "Host",
    book: "Book",
    means: "Means",
) -> "Made[Any]":
    from cudafit.cli.lock_options import order_of, patience
    from cudafit.cli.resolve import answer_of, request_of
    from cudafit.render.resolve_rows import error_of

    plain: dict[str, Any] = {"prefer": "newest", "offline": False, "forced": None, "outputs": ()}
    asked = {**options, **plain, "conda": engine.kind == CONDA, "requirements": requirements}
    request = request_of(asked)
    if not request.wanted and not (request.lines and engine.kind == VENV):
        raise InputError("nothing was asked for", hint=_EXAMPLES[engine.kind])
    answer = answer_of(request, [host], book, every=False)
    if error := error_of(answer):
        raise error
    order = replace(order_of(request, asked, book), resolution=answer)
    with patience():
        return engine.solved(order, means, sizes=options["dry_run"])


def _typed(options: dict[str, Any], requirements: tuple[str, ...]) -> str:
    """For the history of a prefix, which others may read."""
    from cudafit.system.secrets import redacted_words

    words = ["cudafit", "create", "--conda", *redacted_words(requirements)]
    return joined(words + (["--from", os.path.basename(options["lock"])] if options["lock"] else []))


def refuse_existing(path: str, *, clear: bool, mark: str = "pyvenv.cfg", kind: str = "environment") -> None:
    """What is there stays, unless it is an environment of this kind, which has `mark`, and `--clear` was said."""
    from cudafit.repair.rollback import interrupted

    if os.path.islink(path) or (os.path.lexists(path) and not os.path.isdir(path)):
        raise InputError(f"`{path}` is there, and is no folder")
    if interrupted(path):
        undo = command_text("cudafit", "rollback", path_word(path))
        raise CudafitError(f"`{path}` is in the middle of a change", hint=f"`{undo}` ends it")
    if not os.path.isdir(path) or not os.listdir(path):
        return
    if not os.path.exists(os.path.join(path, mark)):
        raise InputError(f"`{path}` holds files, and is no {kind}", hint="name another folder")
    if not clear:
        raise InputError(
            f"there is an environment in `{path}`, and it is not touched",
            hint=f"`{command_text('cudafit', 'repair', path_word(path))}` fixes it, `--clear` makes it anew",
        )


def looked_at(options: dict[str, Any], path: str) -> "tuple[Report, Bench]":
    """What doctor says of a new environment, and the benchmark that proves it where there is a GPU."""
    from cudafit.doctor.diagnose import diagnose

    given = Given(tuple(options["machines"]), options["driver"], tuple(options["gpus"]), path=path)
    looked: Looked = look(given, options["matrices"], options["pinned"])
    environment = environment_of(given, looked)
    report = diagnose(world(given, looked, environment))
    return report, verified(given, environment, looked.machine, looked.library.book.facts)


def show(
    context: click.Context,
    options: dict[str, Any],
    path: str,
    made: "Made[Any]",
    report: "Report | None",
    bench: "Bench | None" = None,
) -> None:
    from cudafit.render.bench_rows import verdict_row, verdict_text

    if options["as_json"]:
        from cudafit.model.plan import CREATE_SCHEMA, After, Created
        from cudafit.model.record import to_plain
        from cudafit.render.json_text import json_text

        ran = (bench.verdict, verdict_text(bench)) if bench else (None, None)
        after = After(report.status, report.cause, *ran) if report else None
        status = "made" if report else "planned"
        told = Created(status, path, made.python, made.packages, made.download, after, made.notes)
        write(json_text({"schema": CREATE_SCHEMA, **to_plain(told)}))
        return
    from cudafit.render.create_rows import create_rows
    from cudafit.render.human import print_rows

    rows = create_rows(path, made, report, verdict_row(bench) if bench else None)
    print_rows("create", rows, sys.stdout, color=use_color(context, sys.stdout))
