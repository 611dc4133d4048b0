"""`cudafit create` for conda environments.

What is imported inside the functions is imported there for speed.
"""
# ruff: noqa: PLC0415

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from cudafit.errors import InputError

if TYPE_CHECKING:
    from cudafit.repair.conda_create import CondaMade
    from cudafit.resolve.host import Host
    from cudafit.resolve.problem import Book

_PROBLEM = 1


def is_for_conda(options: dict[str, Any]) -> bool:
    """By the options, or by the name of the lock."""
    if options["name"] or options["prefix"] or options["conda"]:
        return True
    if not options["lock"]:
        return False
    from cudafit.lock.conda_held import is_conda_lock

    return is_conda_lock(options["lock"])


def command_conda(context: click.Context, options: dict[str, Any], description: Any, question: Any) -> int:
    from cudafit.cli.benching import found_a_problem
    from cudafit.cli.common import say
    from cudafit.cli.creating import for_one_machine, looked_at, refuse_additions, show
    from cudafit.repair.conda_create import create_conda

    if options["allow_unhashed"]:
        raise InputError("`--allow-unhashed` has no meaning for conda: each package of a lock needs its hash")
    path, requirements = _place(options)
    refuse_additions(options, requirements)
    _refuse_existing(path, clear=options["clear"])
    book, machine = for_one_machine(options, description, question)
    made = _from_lock(options, machine) if options["lock"] else _solved(options, requirements, [machine], book)
    for line in made.told:
        say(line)
    if made.virtual:
        say("virtual packages: " + ", ".join(f"{name} {version}" for name, version in sorted(made.virtual)))
    if options["dry_run"]:
        show(context, options, path, made.shown, None)
        return 0
    linked = create_conda(path, made, os.environ, say, _typed(options, requirements))
    if linked.scripts:
        say(f"warning: the scripts that {', '.join(linked.scripts)} bring along were not run")
    shown = replace(made, records=linked.records).shown
    report, bench = looked_at(options, path)
    show(context, options, path, shown, report, bench)
    return _PROBLEM if report.status == "error" or found_a_problem(bench) else 0


def _place(options: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The prefix, and the requirements."""
    from cudafit.cli.creating import parted

    words = options["words"]
    if options["name"] and options["prefix"]:
        raise InputError("`-n` and `--prefix` each name the environment")
    if options["prefix"]:
        return os.path.abspath(os.path.expanduser(options["prefix"])), words
    if options["name"]:
        from cudafit.env.conda_places import prefix_for
        from cudafit.files import Files
        from cudafit.machine.conda import read_conda
        from cudafit.machine.context import this_machine

        return prefix_for(options["name"], Files(), read_conda(this_machine()), os.environ), words
    path, requirements = parted(words)
    if len(requirements) == len(words):
        raise InputError("a conda environment needs a name or a folder", hint="`cudafit create -n gpu torch`")
    return os.path.abspath(path), requirements


def _refuse_existing(path: str, *, clear: bool) -> None:
    from cudafit.cli.creating import refuse_existing
    from cudafit.env.conda_places import is_base
    from cudafit.files import Files

    if os.path.isdir(os.path.join(path, "conda-meta")) and is_base(Files(), path, (), os.environ):
        raise InputError(f"`{path}` is conda's own environment, and is never replaced")
    refuse_existing(path, clear=clear, mark="conda-meta", kind="conda environment")


def _from_lock(options: dict[str, Any], host: "Host") -> "CondaMade":
    from cudafit.lock.conda_held import is_conda_lock
    from cudafit.lock.conda_names import conda_platform
    from cudafit.repair.conda_create import from_lock

    if not is_conda_lock(options["lock"]):
        raise InputError(
            f"`{options['lock']}` is not called like a conda lock",
            cause=["known names are `conda-lock.yml`, `explicit.txt` and `pixi.lock`"],
        )
    return from_lock(options["lock"], conda_platform(host.kind.platform))


def _solved(
    options: dict[str, Any], requirements: tuple[str, ...], machines: "list[Host]", book: "Book"
) -> "CondaMade":
    from cudafit.cli.lock_options import order_of, patience
    from cudafit.cli.resolve import answer_of, request_of
    from cudafit.render.resolve_rows import error_of
    from cudafit.repair.conda_create import solved_for

    plain: dict[str, Any] = {"prefer": "newest", "offline": False, "forced": None, "outputs": ()}
    asked = {**options, **plain, "conda": True, "requirements": requirements}
    request = request_of(asked)
    if not request.wanted:
        raise InputError("nothing was asked for", hint="`cudafit create -n gpu torch`, or `--from conda-lock.yml`")
    answer = answer_of(request, machines, book, every=False)
    if error := error_of(answer):
        raise error
    order = replace(order_of(request, asked, book), resolution=answer)
    with patience():
        return solved_for(order, os.environ)


def _typed(options: dict[str, Any], requirements: tuple[str, ...]) -> list[str]:
    """For the history of the prefix, which others may read."""
    from cudafit.system.secrets import redacted_words

    words = ["cudafit", "create", "--conda", *redacted_words(requirements)]
    return words + (["--from", os.path.basename(options["lock"])] if options["lock"] else [])
