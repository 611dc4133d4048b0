"""`cudafit lint`."""

import sys
from typing import TYPE_CHECKING

import click

from cudafit.app.asked import WhichEnvironment
from cudafit.app.configured import ignore_of, settled
from cudafit.cli.common import common_options, say, use_color, write, write_diff, write_exactly
from cudafit.cli.machine_options import environment_options
from cudafit.errors import InputError

if TYPE_CHECKING:
    from cudafit.app.lint import Linted

_COLORS = {"error": "red", "warning": "yellow", "info": "cyan"}


@click.command("lint")
@click.argument("paths", metavar="PATH... | -", nargs=-1)
@click.option("--fix", is_flag=True, help="Show the edits that are safe, as a diff.")
@click.option("--write", "write_files", is_flag=True, help="With --fix: make them in the files, and look again.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.lint/1).")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "github", "sarif"]),
    default="text",
    show_default=True,
    help="For people, for GitHub's log, or SARIF.",
)
@click.option("--select", metavar="ID", multiple=True, help="Only these findings, as code.model_on_cpu.")
@click.option("--ignore", metavar="ID", multiple=True, help="Leave these findings out.")
@click.option("--env", "path", metavar="PATH", help="Judge by the versions in this environment; nothing of it is run.")
@environment_options
@click.option("--no-cache", is_flag=True, help="Follow each file anew, and keep nothing in the user's cache.")
@click.option("--list-checks", is_flag=True, help="List what can be found.")
@common_options
@click.pass_context
def command(
    context: click.Context,
    /,
    paths: tuple[str, ...],
    fix: bool,
    write_files: bool,
    as_json: bool,
    form: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    environment: WhichEnvironment,
    no_cache: bool,
    list_checks: bool,
) -> int:
    """Find training code that keeps its work on the CPU.

    Reads Python files, notebooks, and folders of them; `-` is stdin. Nothing is imported or run. In a folder the
    configurations that the code names are read too. `# cudafit: ignore[ID]` on a line silences a finding there.
    What depends on the version of a library is judged by the environment that is active or in this folder, or by --env.
    Exits with 1 when an error or a warning was found, with 2 when a file that was named could not be read.
    """
    from cudafit.app.lint import Request, every_kind, lint  # noqa: PLC0415

    if list_checks:
        write("".join(f"{kind.id.ljust(40)} {kind.severity.ljust(8)} {kind.title}\n" for kind in every_kind()))
        return 0
    if write_files and not fix:
        raise InputError("`--write` belongs to `--fix`", hint="`cudafit lint --fix --write PATH`")
    ignore = ignore_of(settled(say), "lint", select, ignore, say)
    linted = lint(Request(paths, environment, not no_cache, select, ignore))
    if fix and write_files:
        linted = _write(linted)
        write(linted.text())
    elif fix:
        _show_edits(linted)
    else:
        _print(context, linted, "json" if as_json else form)
    return linted.exit_code


def _print(context: click.Context, linted: "Linted", form: str) -> None:
    if form == "json":
        write(linted.json())
    elif form == "sarif":
        write(linted.sarif())
    elif form == "github":
        write_exactly(linted.github())
        _say_skipped(linted)
    elif use_color(context, sys.stdout):
        write_exactly(linted.text(lambda word, severity: click.style(word, fg=_COLORS[severity], bold=True)))
    else:
        write(linted.text())


def _say_skipped(linted: "Linted") -> None:
    for line in linted.skipped():
        say(line)


def _show_edits(linted: "Linted") -> None:
    """The diff is all that goes to stdout, so that it can be given to `git apply`."""
    changes = linted.edits()
    write_diff(change.diff for change in changes)
    _say_skipped(linted)
    say(f"{linted.summary()}; {sum(change.edited for change in changes)} of them with a safe edit")


def _write(linted: "Linted") -> "Linted":
    """The edits are made, and what is left is looked for again."""
    for change in linted.write_edits():
        say(f"{change.path}: {change.edited} edited")
    return linted.again()
