"""`cudafit resolve`.

What is imported inside the functions is imported there for speed: NVML is asked first, and answers in a process of its
own while the rest is still being loaded here.
"""
# ruff: noqa: PLC0415

import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from cudafit.cli.common import common_options, say, say_lines, use_color, write
from cudafit.cli.lock_options import lock_options
from cudafit.cli.machine_options import ask_driver, hosts, machine_options
from cudafit.cli.matrix_options import chosen, matrix_options
from cudafit.errors import InputError
from cudafit.model.environment import SYSTEM

if TYPE_CHECKING:
    from cudafit.lock.formats import Format
    from cudafit.lock.write import Document
    from cudafit.model.fit import Resolution
    from cudafit.model.requirement import Wanted
    from cudafit.resolve.host import Host
    from cudafit.resolve.problem import Book
    from cudafit.resolve.request import Request

NO_FIT = 1
CONDA = "conda"


@click.command("resolve")
@click.argument("requirements", metavar="[REQ]...", nargs=-1)
@click.option("-r", "--requirement", "files", metavar="FILE", multiple=True, help="Read requirements from FILE too.")
@click.option("--explain", is_flag=True, help="Also show why the other builds lost.")
@click.option("--all", "every", is_flag=True, help="Show every build that fits, not only the best.")
@click.option(
    "--prefer",
    type=click.Choice(["newest", "native", "installed"]),
    default="newest",
    show_default=True,
    help="What comes first: the newest version, a driver that runs it natively, or what is installed.",
)
@click.option("--cuda", metavar="VERSION", help="Only builds for this CUDA: 12.6, or 12 for all of 12.")
@click.option("--cpu", is_flag=True, help="CPU builds, whatever GPU there is.")
@click.option("--conda", is_flag=True, help="Builds of conda-forge in place of those of the Python indexes.")
@lock_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.resolve/1).")
@machine_options
@matrix_options
@common_options
@click.pass_context
def command(context: click.Context, /, **options: Any) -> int:
    """Pick the builds that work together on this machine, and say why.

    REQ is a requirement such as `torch`, "torch>=2.6" or `tensorflow`; several are picked for one environment. Without
    any, the project in this folder is read. Exits with 1 when nothing fits. With -o the fit is written as a lock.
    """
    from cudafit.machine.described import Description

    description = Description(options["driver"], options["gpus"], options["platform"], options["glibc"])
    question = ask_driver(description, options["machines"], options["root"])

    if options["allow_unhashed"] and not options["check"]:
        raise InputError("`--allow-unhashed` is about `--check`")
    outputs = _outputs(options)
    book = chosen(options["matrices"], options["pinned"])
    request = request_of(options)
    machines = hosts(options["machines"], options["root"], description, question, book.facts)
    if options["check"]:
        from cudafit.cli.lock_check import How, check_locks

        how = How(options["as_json"], options["offline"], options["allow_unhashed"])
        return check_locks(outputs.files, request, machines, book, how)
    resolutions = {
        kind: answer_of(replace(request, conda=kind == CONDA), machines, book, every=options["every"])
        for kind in outputs.kinds
    }
    documents = _documents(outputs, resolutions, request, options, book)
    if options["as_json"]:
        _print_json(next(iter(resolutions.values())), documents)
    elif not options["dry_run"]:
        for kind, resolution in resolutions.items():
            _show(context, resolution, replace(request, conda=kind == CONDA), explain=options["explain"])
    if documents:
        from cudafit.cli.lock_options import write_or_show

        write_or_show(documents, options)
    return NO_FIT if any(one.status == "no-fit" for one in resolutions.values()) else 0


class _Outputs(NamedTuple):
    """The files to write, and the kinds of fit that they need."""

    files: "list[tuple[str, Format]]"
    kinds: list[str]


def _outputs(options: dict[str, Any]) -> _Outputs:
    from cudafit.cli.lock_options import kinds_of, outputs_of

    files = outputs_of(options)
    if files and not options["check"]:
        from cudafit.lock.write import refuse_foreign

        edited = [path for path, form in files if form.name == "pyproject"]
        refuse_foreign([path for path, _ in files if path not in edited], force=options["force"])
        refuse_foreign(edited, force=True)
    return _Outputs(files, kinds_of(files, conda=options["conda"]))


def _documents(
    outputs: _Outputs, resolutions: "dict[str, Resolution]", request: "Request", options: dict[str, Any], book: "Book"
) -> "list[Document]":
    """What is to be written; nothing where something does not fit."""
    if not outputs.files or any(one.status == "no-fit" for one in resolutions.values()):
        return []
    from cudafit.cli.lock_options import make

    return make(outputs.files, resolutions, request, options, book)


def request_of(options: dict[str, Any]) -> "Request":
    """What was asked for; what the project in this folder asks for when nothing was. Raises InputError."""
    from cudafit.model.requirement import wanted
    from cudafit.resolve.request import Request

    items: list[Wanted] = [wanted(text) for text in options["requirements"]]
    other: list[str] = []
    for path in options["files"]:
        from cudafit.project.requirement_files import read_requirement_file

        read = read_requirement_file(path, named=True)
        items += read.wanted
        other += read.other
    files = options["files"]
    if not items and not options["files"]:
        from cudafit.project.nearby import read_nearby

        if nearby := read_nearby():
            files, items, other = nearby.files, list(nearby.wanted), list(nearby.other)
            say(f"read {', '.join(files)}")
    return Request(
        wanted=tuple(items),
        python=_python(options["python"]) or _active_python(options),
        cuda=_cuda(options["cuda"], cpu=options["cpu"]),
        cpu=options["cpu"],
        prefer=options["prefer"],
        conda=options["conda"],
        installed=_installed(options) if options["prefer"] == "installed" else {},
        lines=tuple(other),
        files=tuple(files),
        words=_words(options),
    )


def answer_of(request: "Request", machines: "list[Host]", book: "Book", *, every: bool) -> "Resolution":
    from cudafit.resolve.answer import overview, resolve

    if not request.wanted:
        return overview(request, machines, book)
    return resolve(request, machines, book, every=every)


def _python(text: str | None) -> str | None:
    if text is None or re.fullmatch(r"\d\.\d{1,2}(\.\d+)?t?", text):
        return text
    hint = f"write it as `{text[0]}.{text[1:]}`" if re.fullmatch(r"3\d{1,2}", text) else "write it as `3.12`"
    raise InputError(f"`--python {text}` is not a version of Python", hint=hint)


def _active_python(options: dict[str, Any]) -> str | None:
    """On this machine the environment that is meant tells which Python is: what is installed goes there."""
    if _elsewhere(options):
        return None
    from cudafit.cli.looking import located_here
    from cudafit.env.installed import python_of
    from cudafit.model.located import Nowhere

    found = located_here()
    # A system's own Python is no place to install to: of the Pythons there are, the best is chosen.
    if isinstance(found, Nowhere) or found.kind == SYSTEM:
        return None
    return python_of(found.prefix)


def _cuda(text: str | None, *, cpu: bool) -> str | None:
    if text is None:
        return None
    if cpu:
        raise InputError("`--cpu` asks for builds without CUDA, so `--cuda` has no meaning")
    number = re.fullmatch(r"(?:cu)?(\d{2})(?:\.?(\d)(?:\.\d+)?)?", text)
    if number is None:
        raise InputError(f"`--cuda {text}` is not a CUDA version", hint="write it as `12.6`, or as `12` for all of 12")
    return number[1] + (f".{number[2]}" if number[2] else "")


def _elsewhere(options: dict[str, Any]) -> bool:
    """Whether another machine than this one is meant."""
    return bool(
        options["machines"] or options["root"] or options["platform"] or (options["driver"] and options["gpus"])
    )


def _installed(options: dict[str, Any]) -> dict[str, str]:
    from cudafit.cli.looking import located_here
    from cudafit.env.installed import installed_versions
    from cudafit.env.locate import required

    found = required(
        located_here(guess=not _elsewhere(options)),
        what="`--prefer installed` needs an environment, and none is active or in this folder",
        hint="activate one, or go to a folder with a `.venv`",
    )
    return installed_versions(found.prefix)


def _words(options: dict[str, Any]) -> tuple[str, ...]:
    """The options that say which machine and matrix, as they were given: a suggested command must repeat them."""
    words: list[str] = []
    for name in ("machines", "gpus", "matrices"):
        flag = {"machines": "--machine", "gpus": "--gpu", "matrices": "--matrix"}[name]
        words += [word for value in options[name] for word in (flag, value)]
    for name in ("driver", "platform", "glibc", "root"):
        if options[name] is not None:
            words += [f"--{name}", options[name]]
    return tuple(words)


def _print_json(resolution: "Resolution", documents: "list[Document]") -> None:
    from cudafit.model.fit import SCHEMA
    from cudafit.model.record import to_plain
    from cudafit.render.json_text import json_rows

    written = [{"path": one.path, "format": one.format, "packages": one.packages} for one in documents]
    more = {"outputs": written} if written else {}
    write(json_rows({"schema": SCHEMA, **to_plain(resolution), **more}))


def _show(context: click.Context, resolution: "Resolution", request: "Request", *, explain: bool) -> None:
    from cudafit.render.resolve_rows import error_of, explained_rows, fitting_rows, resolution_rows

    rows = [*resolution_rows(resolution), *fitting_rows(resolution)]
    if explain:
        rows += explained_rows(resolution)
    if rows:
        from cudafit.render.human import print_rows

        typed = [want.text for want in request.wanted if not want.constraint and want.origin == "command line"]
        names = " ".join(typed)
        title = f"resolve {names}".strip() + (" --conda" if request.conda else "")
        print_rows(title, rows, sys.stdout, color=use_color(context, sys.stdout))
    if error := error_of(resolution):
        sys.stdout.flush()
        say_lines(str(error))
