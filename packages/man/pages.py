"""Manual pages, from the help of the commands: written into the wheel when it is built, for `man cudafit-resolve`.

Source of the form: man(7), groff_man(7). No date stands in them, so the same commands give the same bytes.
"""

import re
from collections.abc import Iterator
from inspect import cleandoc

import click

from cudafit import __version__
from cudafit.cli.commands import COMMANDS, MATRIX, Entry
from cudafit.cli.main import cudafit


def pages() -> Iterator[tuple[str, str]]:
    """The name of each file with its text."""
    top = click.Context(cudafit, info_name="cudafit", help_option_names=["-h", "--help"])
    names = [f"cudafit-{name}" for name in COMMANDS] + [f"cudafit-matrix-{name}" for name in MATRIX]
    what = "which CUDA builds work on this machine, and is the GPU really doing the work"
    yield "cudafit.1", _page(top, "cudafit", what, names)
    for name, entry in COMMANDS.items():
        command = cudafit.get_command(top, name)
        if command is None:
            continue
        context = click.Context(command, info_name=name, parent=top)
        yield f"cudafit-{name}.1", _page(context, f"cudafit-{name}", entry.help, ["cudafit"])
        if isinstance(command, click.Group):
            yield from _below(context, command, MATRIX)


def _below(context: click.Context, group: click.Group, entries: dict[str, Entry]) -> Iterator[tuple[str, str]]:
    for name, entry in entries.items():
        command = group.get_command(context, name)
        if command is not None:
            inner = click.Context(command, info_name=name, parent=context)
            title = f"cudafit-{context.info_name}-{name}"
            yield f"{title}.1", _page(inner, title, entry.help, [f"cudafit-{context.info_name}"])


def _page(context: click.Context, title: str, what: str, others: list[str]) -> str:
    return "".join(f"{line}\n" for line in _lines(context, title, what, others))


def _lines(context: click.Context, title: str, what: str, others: list[str]) -> Iterator[str]:
    command = context.command
    yield f'.TH "{_text(title.upper())}" 1 "" "cudafit {__version__}" "cudafit"'
    yield ".SH NAME"
    yield f"{_text(title)} \\- {_text(what.rstrip('.'))}"
    yield ".SH SYNOPSIS"
    yield f".B {_text(context.command_path)}"
    yield _text(" ".join(command.collect_usage_pieces(context)))
    yield ".SH DESCRIPTION"
    for part in re.split(r"\n\s*\n", cleandoc(command.help or "")):
        yield ".PP"
        if part.startswith("\b"):
            yield ".nf"
            yield from (_text(line) for line in part.split("\n")[1:])
            yield ".fi"
        else:
            yield _text(" ".join(part.split()))
    yield ".SH OPTIONS"
    for option in command.get_params(context):
        record = option.get_help_record(context)
        if isinstance(option, click.Option) and record is not None:
            yield ".TP"
            yield f".B {_text(record[0])}"
            yield _text(" ".join(record[1].split()))
    if isinstance(command, click.Group):
        yield ".SH COMMANDS"
        for name in command.list_commands(context):
            entries = COMMANDS if context.parent is None else MATRIX
            yield ".TP"
            yield f".B {_text(name)}"
            yield _text(entries[name].help)
    yield ".SH SEE ALSO"
    yield ", ".join(f"\\fB{_text(one)}\\fR(1)" for one in others)


# What groff takes for itself, and what ASCII lacks.
_SIGNS = {
    "\\": "\\e",
    "-": "\\-",
    "`": "\\(ga",
    "'": "\\(aq",
    "^": "\\(ha",
    "~": "\\(ti",
    "…": "...",
    "·": "\\(bu",
}


def _text(text: str) -> str:
    """A text as it is to be shown."""
    escaped = "".join(_SIGNS.get(sign, sign) for sign in text)
    return f"\\&{escaped}" if escaped.startswith(".") else escaped
