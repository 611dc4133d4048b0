"""src/cudafit/completion/words.tsv, as it follows from the commands, the catalogue of findings and the lock formats."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import click

from cudafit.app.explain import known_ids
from cudafit.cli.commands import COMMANDS, MATRIX, Entry
from cudafit.cli.main import cudafit
from cudafit.lock.formats import FORMATS, NAMES
from cudafit.model.kinds import KINDS

TABLE = Path(__file__).parents[2] / "src" / "cudafit" / "completion" / "words.tsv"
_LONGEST = 72

# What a value is, by the word that stands for it in the help; NAME and such are of no kind that is known.
_BY_METAVAR = {"FILE": "any", "DIR": "folder", "PATH": "folder", "ENV": "folder", "LOCK": "lock"}
# And by its command and name, where that says more.
_OPTIONS = {
    "* --machine": "json",
    "* --gpu": "gpu",
    "* --driver": "=none",
    "* --conda": "conda",
    "* --kernel": "kernel",
    "* --requirement": "declared",
    "* -r": "declared",
    "* --plot": "plot",
    "inspect --save": "json",
    "bench --save": "json",
    "bench --baseline": "json",
    "bench --device": "=cpu|cuda:0",
    "run --json-file": "json",
    "resolve --output": "new-lock",
    "resolve --format": f"={'|'.join(NAMES)}",
    "doctor --dockerfile": "dockerfile",
    "doctor --compose": "compose",
    "doctor --code": "code",
    "doctor --html": "html",
    "doctor --select": "finding",
    "doctor --ignore": "finding",
    "lint --select": "code-finding",
    "lint --ignore": "code-finding",
}
_ARGUMENTS = {
    "resolve requirements": "package*",
    "doctor named": "folder",
    "bench path": "folder",
    "run words": "any*",
    "create words": "package+folder*",
    "repair path": "folder",
    "rollback path": "folder",
    "lint paths": "code*",
    "explain words": "finding",
    "help words": "command*",
    "matrix show package": "package",
    "matrix show version": "",
    "matrix check folder": "folder",
    "matrix diff old": "folder",
    "matrix diff new": "folder",
    "matrix update packages": "package*",
}


def commands() -> Iterator[tuple[str, click.Command, Entry | None]]:
    yield "", cudafit, None
    for name, entry in COMMANDS.items():
        yield name, importlib.import_module(entry.module).command, entry
    for name, entry in MATRIX.items():
        yield f"matrix {name}", importlib.import_module(entry.module).command, entry


def text() -> str:
    lines: list[tuple[str, ...]] = []
    for path, command, entry in commands():
        if entry is not None:
            above, _, name = path.rpartition(" ")
            lines.append(("command", above, name, entry.help.rstrip(".")))
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                lines.append(("option", path, *_option(path, parameter)))
            else:
                lines.append(("argument", path, _argument(path, parameter)))
        lines.append(("option", path, "-h,--help" if path == "" else "--help", "", "Show this message"))
    lines += [("finding", name, KINDS[name].title if name in KINDS else "") for name in known_ids()]
    lines += [("lock", one.example) for one in FORMATS]
    return "".join("\t".join(line) + "\n" for line in lines)


def _option(path: str, option: click.Option) -> tuple[str, str, str]:
    told = option.help or ""
    if option.opts[-1] == "--output":
        told = "Write a lock or a template to FILE"
    first = told.replace("\n", " ").split(". ")[0].rstrip(".")
    short = first if len(first) <= _LONGEST else f"{first[:_LONGEST].rsplit(' ', 1)[0]}…"
    kind = "" if _takes_none(option) else _kind(path, option)
    return ",".join([*option.opts, *option.secondary_opts]), f"{kind}{'*' * option.multiple}", short


def _takes_none(option: click.Option) -> bool:
    return option.is_flag or option.count or isinstance(option.flag_value, (int, str))


def _kind(path: str, option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return f"={'|'.join(option.type.choices)}"
    for name in option.opts[::-1]:
        for of in (path, "*"):
            if f"{of} {name}" in _OPTIONS:
                return _OPTIONS[f"{of} {name}"]
    return _BY_METAVAR.get(option.metavar or "", "value")


def _argument(path: str, argument: click.Parameter) -> str:
    if isinstance(argument.type, click.Choice):
        return f"={'|'.join(argument.type.choices)}"
    known = _ARGUMENTS.get(f"{path} {argument.name}")
    if known is not None:
        return known
    return f"any{'*' * (argument.nargs == -1)}"
