"""Training code that keeps its work on the CPU: found, told and mended."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from cudafit import __version__
from cudafit.app.asked import WhichEnvironment
from cudafit.app.code_versions import Installed, installed_for
from cudafit.errors import InputError
from cudafit.lint.check import UnreadableError
from cudafit.lint_cache import LintCache
from cudafit.model.code_finding import SCHEMA, LintReport
from cudafit.model.finding import is_called
from cudafit.model.frozen import frozen
from cudafit.model.kind import FindingKind
from cudafit.model.kinds import IN_CODE
from cudafit.render import lint_rows
from cudafit.render.json_text import json_text, record_text
from cudafit.sources import LIMIT, STDIN, EditedFile, chosen, decoded, edited, lint_paths, write_edited
from cudafit.system.own_cache import own_cache
from cudafit.system.reading import standard_input
from cudafit.system.secrets import redacted_tree

_PROBLEM, _UNREADABLE = 1, 2


@frozen
class Request:
    """Files and folders; `-` is stdin."""

    paths: tuple[str, ...]
    environment: WhichEnvironment = WhichEnvironment()
    cached: bool = True
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


def every_kind() -> Iterable[FindingKind]:
    return IN_CODE.values()


def lint(request: Request) -> "Linted":
    """Raises InputError for what cannot be meant, and for a path that is not there."""
    for word in (*request.select, *request.ignore):
        if not any(is_called(name, (word,)) for name in IN_CODE):
            raise InputError(f"no finding is called `{word}`", hint="`cudafit lint --list-checks` names them")
    if not request.paths:
        raise InputError("no file or folder is named", hint="`cudafit lint .` reads this folder")
    return _linted(request, _stdin() if STDIN in request.paths else None)


def _linted(request: Request, stdin: str | None) -> "Linted":
    there = installed_for(request.environment)
    cache = LintCache(own_cache(os.environ, "lint"), there.versions) if request.cached else None
    report = lint_paths(request.paths, stdin, there.versions, cache)
    return Linted(request, stdin, chosen(replace(report, assumed=_assumed(there)), request.select, request.ignore))


def _assumed(there: Installed) -> tuple[str, ...]:
    return tuple(f"{name} {version}, in {there.path}" for name, version in sorted(there.versions.items()))


def _stdin() -> str:
    try:
        return decoded(standard_input(LIMIT))
    except OSError as error:
        raise InputError(f"cannot read stdin: {error.strerror or error}") from None
    except UnreadableError as error:
        raise InputError(f"stdin: {error}") from error


@frozen
class Linted:
    """What was found, in every form in which it is told."""

    request: Request
    stdin: str | None
    report: LintReport

    @property
    def exit_code(self) -> int:
        if any(one.severity != "info" for one in self.report.findings):
            return _PROBLEM
        unread = (one for one in self.report.skipped if one.path in self.request.paths and not one.part)
        return _UNREADABLE if any(unread) else 0

    def text(self, paint: Callable[[str, str], str] | None = None) -> str:
        report = redacted_tree(self.report)
        return lint_rows.text(report, paint) if paint else lint_rows.text(report)

    def json(self) -> str:
        return record_text(SCHEMA, redacted_tree(self.report))

    def sarif(self) -> str:
        return json_text(lint_rows.sarif(redacted_tree(self.report), __version__))

    def github(self) -> str:
        return lint_rows.github(redacted_tree(self.report))

    def skipped(self) -> Iterator[str]:
        return map(lint_rows.skipped, redacted_tree(self.report).skipped)

    def summary(self) -> str:
        return lint_rows.summary(self.report)

    def edits(self) -> list[EditedFile]:
        """The files as they would be with the safe edits."""
        return edited(self.report, self.stdin)

    def write_edits(self) -> Iterator[EditedFile]:
        if self.stdin is not None:
            raise InputError("stdin cannot be written", hint="leave out `--write` to see the diff")
        for change in self.edits():
            write_edited(change)
            yield change

    def again(self) -> "Linted":
        return _linted(self.request, None)
