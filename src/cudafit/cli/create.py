"""`cudafit create`.

What is imported inside the functions is imported there for speed: NVML is asked first.
"""
# ruff: noqa: PLC0415

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from cudafit.cli.benching import found_a_problem
from cudafit.cli.common import common_options, say
from cudafit.cli.creating import for_one_machine, looked_at, parted, refuse_additions, refuse_existing, show
from cudafit.cli.machine_options import ask_driver, machine_options
from cudafit.cli.matrix_options import matrix_options
from cudafit.errors import InputError
from cudafit.system.commands import command_text
from cudafit.system.interrupts import stoppable

if TYPE_CHECKING:
    from cudafit.model.bench import Bench
    from cudafit.model.finding import Report
    from cudafit.model.fit import Resolution
    from cudafit.model.machine import Interpreter
    from cudafit.model.plan import Made
    from cudafit.resolve.host import Host
    from cudafit.resolve.problem import Book

_PROBLEM = 1
_DEFAULT = ".venv"


@click.command("create")
@click.argument("words", metavar="[PATH] [REQ]...", nargs=-1)
@click.option("-n", "--name", metavar="NAME", help="Make a conda environment of this name.")
@click.option("--prefix", metavar="PATH", help="Make a conda environment in this folder.")
@click.option("--conda", is_flag=True, help="Make a conda environment; conda itself need not be installed.")
@click.option("-r", "--requirement", "files", metavar="FILE", multiple=True, help="Read requirements from FILE too.")
@click.option(
    "--from",
    "lock",
    metavar="LOCK",
    help="Install this lock: a pylock.toml or requirements with hashes; conda-lock.yml, explicit.txt or pixi.lock.",
)
@click.option(
    "--allow-unhashed",
    is_flag=True,
    help="With --from: install also what the lock tells no hash for (folders, repositories), and build sources.",
)
@click.option("--clear", is_flag=True, help="Replace an environment that is there; `rollback` brings it back.")
@click.option("--dry-run", is_flag=True, help="Show what would be downloaded, with sizes, and make nothing.")
@click.option("--cuda", metavar="VERSION", help="Only builds for this CUDA: 12.6, or 12 for all of 12.")
@click.option("--cpu", is_flag=True, help="CPU builds, whatever GPU there is.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.create/1).")
@machine_options
@matrix_options
@common_options
@click.pass_context
def command(context: click.Context, /, **options: Any) -> int:
    """Make an environment with the builds that work on this machine, and check it with doctor.

    PATH is the environment, `.venv` by default: the first word, where it holds a slash or a backslash, has a drive, or
    begins with a dot. REQ is a requirement as for `resolve`. All of it is made, or nothing: what fails is removed, and
    exits with 4. The lock is kept in it as pylock.cudafit.toml. It is a venv; with `-n`, `--prefix` or `--conda` a
    conda environment, of packages from conda-forge. What --from names is installed only with a hash for each file, and
    nothing is built; the Python that the environment is made for is started. Where there is a GPU, `bench --quick` then
    proves that it is used.
    """
    context.with_resource(stoppable())
    from cudafit.cli.create_conda import command_conda, is_for_conda
    from cudafit.machine.described import Description

    if options["root"]:
        raise InputError("an environment is made on this machine, so `--root` has no meaning")
    description = Description(options["driver"], options["gpus"], options["platform"], options["glibc"])
    if options["allow_unhashed"] and not options["lock"]:
        raise InputError("`--allow-unhashed` is about a lock, and `--from` names none")
    question = ask_driver(description, options["machines"], None)
    if is_for_conda(options):
        return command_conda(context, options, description, question)
    path, requirements = parted(options["words"])
    refuse_additions(options, requirements)
    refuse_existing(path, clear=options["clear"])
    book, machine = for_one_machine(options, description, question)
    pythons = _pythons()
    if options["python"]:
        _interpreter(options["python"], pythons)
    if options["lock"]:
        made = _from_lock(options)
    else:
        made = _resolved(options, requirements, [_with_pythons(machine, pythons)], book)
    made = replace(made, interpreter=_interpreter(made.python, pythons))
    if options["dry_run"]:
        show(context, options, path, made, None)
        return 0
    for note in made.notes:
        say(note)
    report, bench = _make(options, path, made)
    show(context, options, path, made, report, bench)
    return _PROBLEM if report.status == "error" or found_a_problem(bench) else 0


def _pythons() -> "tuple[Interpreter, ...]":
    """Those of this machine, where the environment is made, whatever machine it is for."""
    from cudafit.machine.context import this_machine
    from cudafit.machine.pythons import read_pythons

    return read_pythons(this_machine())


def _with_pythons(host: "Host", pythons: "tuple[Interpreter, ...]") -> "Host":
    from cudafit.model.versions import major_minor

    found = dict.fromkeys(major_minor(one.version) for one in pythons if one.version.startswith("3."))
    return replace(host, kind=replace(host.kind, pythons=tuple(found)))


def _interpreter(python: str, pythons: "tuple[Interpreter, ...]") -> str:
    """The program of a Python; the newest of its line. Raises InputError where there is none."""
    wanted = python.rstrip("t")
    for one in pythons:
        if one.version != wanted and not one.version.startswith(f"{wanted}."):
            continue
        if path := _outside_venvs(one.path):
            return path
    known = ", ".join(dict.fromkeys(one.version for one in pythons)) or "none"
    raise InputError(
        f"there is no Python {python} on this machine",
        cause=[f"there are {known}"],
        hint=f"`{command_text('uv', 'python', 'install', python)}`, or name another one with `--python`",
    )


def _outside_venvs(path: str) -> str | None:
    """A Python on PATH may be that of a venv which is active: its start would run the code that it lays beside its
    packages, so the Python is taken that it links to. None for one that is a copy."""
    if not os.path.lexists(os.path.join(os.path.dirname(os.path.dirname(path)), "pyvenv.cfg")):
        return path
    real = os.path.realpath(path)
    below = os.path.lexists(os.path.join(os.path.dirname(os.path.dirname(real)), "pyvenv.cfg"))
    return None if below else real


def _resolved(options: dict[str, Any], requirements: tuple[str, ...], machines: Any, book: "Book") -> "Made":
    from cudafit.cli.lock_options import order_of, patience
    from cudafit.cli.resolve import answer_of, request_of
    from cudafit.render.resolve_rows import error_of
    from cudafit.repair.create import locked

    plain: dict[str, Any] = {"prefer": "newest", "conda": False, "offline": False, "forced": None, "outputs": ()}
    asked = {**options, **plain, "requirements": requirements}
    request = request_of(asked)
    if not request.wanted and not request.lines:
        raise InputError("nothing was asked for", hint="`cudafit create .venv torch`, or `--from pylock.toml`")
    answer: Resolution = answer_of(request, machines, book, every=False)
    if error := error_of(answer):
        raise error
    order = replace(order_of(request, asked, book), resolution=answer)
    with patience():
        return locked(order, os.environ, sizes=options["dry_run"])


def _from_lock(options: dict[str, Any]) -> "Made":
    from cudafit.repair.create import given_lock

    return given_lock(options["lock"], options["python"], unhashed=options["allow_unhashed"])


def _make(options: dict[str, Any], path: str, made: "Made") -> "tuple[Report, Bench]":
    """Made, then looked at, then run where there is a GPU to run it on."""
    from cudafit.indexes import configured
    from cudafit.repair.create import create

    create(path, made, configured(), os.environ, say=say)
    return looked_at(options, path)
