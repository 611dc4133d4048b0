"""The options of `resolve` that write files, and what they do."""

import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from cudafit.cli.common import say, say_lines, write_diff
from cudafit.lock.formats import CONDA, IMAGE, NAMES, PIP, Format, format_of

if TYPE_CHECKING:
    from cudafit.lock.order import Order
    from cudafit.lock.write import Document
    from cudafit.model.fit import Resolution
    from cudafit.resolve.problem import Book
    from cudafit.resolve.request import Request

Command = Callable[..., Any]
_SAY_AFTER_S = 2.0


def lock_options(command: Command) -> Command:
    """Gives the command `outputs`, `formats`, `force`, `offline`, `dry_run` and `check`."""
    for option in (
        click.option("--check", is_flag=True, help="Say whether the files given with -o still fit; write nothing."),
        click.option("--dry-run", is_flag=True, help="Show what would be written, as a diff."),
        click.option(
            "--offline", is_flag=True, help="Ask no index: pins without hashes; with --check, hashes are not compared."
        ),
        click.option(
            "--allow-unhashed",
            is_flag=True,
            help="With --check: a lock without hashes, as --offline writes it, may fit.",
        ),
        click.option("--force", is_flag=True, help="Write over files that cudafit did not write."),
        click.option(
            "--format", "forced", type=click.Choice(NAMES), help="The format of the files, whatever their names."
        ),
        click.option(
            "-o",
            "--output",
            "outputs",
            metavar="FILE",
            multiple=True,
            help="Write a lock or a template to FILE: requirements.txt, pylock.toml, pyproject.toml, environment.yml, "
            "conda-lock.yml, explicit.txt, pixi.toml, Dockerfile, compose.yaml, devcontainer.json; repeatable.",
        ),
    ):
        command = option(command)
    return command


def outputs_of(options: dict[str, Any]) -> list[tuple[str, Format]]:
    """The files to write with their formats; raises InputError."""
    found = [(path, format_of(path, options["forced"])) for path in options["outputs"]]
    if not found and (given := [name for name in ("check", "dry_run", "force", "offline", "forced") if options[name]]):
        from cudafit.errors import InputError  # noqa: PLC0415

        word = {"forced": "--format"}.get(given[0], f"--{given[0].replace('_', '-')}")
        raise InputError(f"`{word}` is about files, and none was named", hint="add `-o requirements.txt`")
    return found


def kinds_of(outputs: Sequence[tuple[str, Format]], *, conda: bool) -> list[str]:
    """Which fits are needed: of Python's indexes, of conda's, or both."""
    kinds = list(dict.fromkeys(form.kind for _, form in outputs if form.kind != IMAGE))
    return kinds or [CONDA if conda else PIP]


def make(
    outputs: Sequence[tuple[str, Format]],
    resolutions: "dict[str, Resolution]",
    request: "Request",
    options: dict[str, Any],
    book: "Book",
) -> "list[Document]":
    """The documents; raises CudafitError. Nothing is written."""
    from cudafit.lock.documents import documents  # noqa: PLC0415
    from cudafit.lock.logins import left_out  # noqa: PLC0415

    order = order_of(request, options, book)
    with patience():
        made = documents(outputs, lambda kind: replace(order, resolution=resolutions[_known(kind, resolutions)]))
    if told := left_out(replace(order, resolution=resolutions[_known(PIP, resolutions)]), made):
        say(told)
    return made


def _known(kind: str, resolutions: "dict[str, Resolution]") -> str:
    return kind if kind in resolutions else next(iter(resolutions))


def order_of(request: "Request", options: dict[str, Any], book: "Book") -> "Order":
    """What is to be written, but for the fit."""
    from cudafit import __version__  # noqa: PLC0415
    from cudafit.indexes import configured  # noqa: PLC0415
    from cudafit.lock.order import Order  # noqa: PLC0415
    from cudafit.model.fit import MatrixVersion, Resolution  # noqa: PLC0415

    nothing = Resolution("fit", "", (), (), (), MatrixVersion(""))
    return Order(
        resolution=nothing,
        wanted=request.wanted,
        lines=request.lines,
        command=typed_command(options),
        cudafit=__version__,
        indexes=configured(),
        offline=options["offline"],
        name=re.sub(r"[^a-z0-9-]+", "-", os.path.basename(os.getcwd()).lower()).strip("-") or "gpu",
        toolkits=tuple(row.cuda for row in book.facts("toolkits").toolkits),
        conda_names=frozenset(row.package for row in book.facts("conda_names").conda_names),
    )


def typed_command(options: dict[str, Any]) -> tuple[str, ...]:
    """The command as it was typed, in one order and without secrets: what writes the same files again."""
    from cudafit.system.secrets import redacted_words  # noqa: PLC0415

    words = ["cudafit", "resolve", *options["requirements"]]
    for name, flag in (
        ("files", "-r"),
        ("machines", "--machine"),
        ("gpus", "--gpu"),
        ("driver", "--driver"),
        ("platform", "--platform"),
        ("glibc", "--glibc"),
        ("python", "--python"),
        ("root", "--root"),
        ("cuda", "--cuda"),
        ("matrices", "--matrix"),
        ("forced", "--format"),
        ("outputs", "-o"),
    ):
        value = options[name]
        for one in value if isinstance(value, tuple) else (value,) if value is not None else ():
            words += [flag, one]
    if options["prefer"] != "newest":
        words += ["--prefer", options["prefer"]]
    words += [f"--{name}" for name in ("cpu", "conda", "offline") if options[name]]
    return redacted_words(words)


def write_or_show(made: "Sequence[Document]", options: dict[str, Any]) -> None:
    """Writes the files and says so on stderr; with `--dry-run` shows the differences on stdout."""
    from cudafit.lock.write import difference, write_all  # noqa: PLC0415
    from cudafit.system.secrets import redacted  # noqa: PLC0415

    if options["dry_run"]:
        for document in made:
            write_diff(map(redacted, difference(document)))
        return
    for document in made:
        if document.edits:
            say_lines("".join(difference(document)).removesuffix("\n"))
    write_all(made)
    for document in made:
        plural = "s" if document.packages > 1 else ""
        count = f" ({document.packages} package{plural})" if document.packages else ""
        say(f"wrote {document.path}{count}")


@contextmanager
def patience() -> Iterator[None]:
    """After a moment of silence, says on a terminal what is being waited for."""

    timer = threading.Timer(_SAY_AFTER_S, say, ["asking the package indexes; this may take a minute"])
    timer.daemon = True
    if sys.stderr.isatty():
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
