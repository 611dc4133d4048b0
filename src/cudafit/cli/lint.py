"""`cudafit lint`."""
# ruff: noqa: PLC0415

import sys
from typing import TYPE_CHECKING, Any

import click

from cudafit.cli.common import common_options, say, use_color, write, write_diff, write_exactly
from cudafit.errors import InputError
from cudafit.system.secrets import redacted_tree

if TYPE_CHECKING:
    from cudafit.model.code_finding import LintReport

_PROBLEM, _UNREADABLE = 1, 2
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
@click.option("--list-checks", is_flag=True, help="List what can be found.")
@common_options
@click.pass_context
def command(context: click.Context, /, paths: tuple[str, ...], **options: Any) -> int:
    """Find training code that keeps its work on the CPU.

    Reads Python files, notebooks, and folders of them; `-` is stdin. Nothing is imported or run. In a folder the
    configurations that the code names are read too. `# cudafit: ignore[ID]` on a line silences a finding there.
    Exits with 1 when an error or a warning was found, with 2 when a file that was named could not be read.
    """
    from cudafit.model.finding import is_called
    from cudafit.model.kinds import IN_CODE

    if options["list_checks"]:
        write("".join(f"{kind.id.ljust(40)} {kind.severity.ljust(8)} {kind.title}\n" for kind in IN_CODE.values()))
        return 0
    for word in (*options["select"], *options["ignore"]):
        if not any(is_called(name, (word,)) for name in IN_CODE):
            raise InputError(f"no finding is called `{word}`", hint="`cudafit lint --list-checks` names them")
    if not paths:
        raise InputError("no file or folder is named", hint="`cudafit lint .` reads this folder")
    if options["write_files"] and not options["fix"]:
        raise InputError("`--write` belongs to `--fix`", hint="`cudafit lint --fix --write PATH`")
    if options["fix"]:
        return _fix(paths, options)
    report = _report(paths, options, _stdin(paths))
    _print(context, report, options)
    return _status(report, paths)


def _stdin(paths: tuple[str, ...]) -> str | None:
    if "-" not in paths:
        return None
    from cudafit.lint.check import UnreadableError
    from cudafit.sources import LIMIT, decoded
    from cudafit.system.reading import standard_input

    try:
        return decoded(standard_input(LIMIT))
    except OSError as error:
        raise InputError(f"cannot read stdin: {error.strerror or error}") from None
    except UnreadableError as error:
        raise InputError(f"stdin: {error}") from error


def _report(paths: tuple[str, ...], options: dict[str, Any], stdin: str | None) -> "LintReport":
    from cudafit.sources import chosen, lint_paths

    return chosen(lint_paths(paths, stdin), options["select"], options["ignore"])


def _status(report: "LintReport", paths: tuple[str, ...]) -> int:
    if any(one.severity != "info" for one in report.findings):
        return _PROBLEM
    return _UNREADABLE if any(one.path in paths and not one.part for one in report.skipped) else 0


def _print(context: click.Context, report: "LintReport", options: dict[str, Any]) -> None:
    report = redacted_tree(report)
    if options["as_json"]:
        from cudafit.model.code_finding import SCHEMA
        from cudafit.model.record import to_plain
        from cudafit.render.json_text import json_text

        write(json_text({"schema": SCHEMA, **to_plain(report)}))
        return
    from cudafit.render import lint_rows

    if options["form"] == "sarif":
        from cudafit import __version__
        from cudafit.render.json_text import json_text

        write(json_text(lint_rows.sarif(report, __version__)))
    elif options["form"] == "github":
        write_exactly(lint_rows.github(report))
        _say_skipped(report)
    elif use_color(context, sys.stdout):
        write_exactly(lint_rows.text(report, lambda word, severity: click.style(word, fg=_COLORS[severity], bold=True)))
    else:
        write(lint_rows.text(report))


def _say_skipped(report: "LintReport") -> None:
    from cudafit.render.lint_rows import skipped

    for one in redacted_tree(report).skipped:
        say(skipped(one))


def _fix(paths: tuple[str, ...], options: dict[str, Any]) -> int:
    """The diff is all that goes to stdout, so that it can be given to `git apply`."""
    from cudafit.render.lint_rows import summary
    from cudafit.sources import edited, write_edited

    stdin = _stdin(paths)
    report = _report(paths, options, stdin)
    changes = edited(report, stdin)
    if not options["write_files"]:
        write_diff(change.diff for change in changes)
        _say_skipped(report)
        say(summary(report) + f"; {sum(change.edited for change in changes)} of them with a safe edit")
        return _status(report, paths)
    if stdin is not None:
        raise InputError("stdin cannot be written", hint="leave out `--write` to see the diff")
    for change in changes:
        write_edited(change)
        say(f"{change.path}: {change.edited} edited")
    report = _report(paths, options, None)
    from cudafit.render import lint_rows

    write(lint_rows.text(redacted_tree(report)))
    return _status(report, paths)
