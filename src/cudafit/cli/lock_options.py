"""The options of `resolve` that name files, and the wait for the indexes."""

import functools
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from cudafit.app.asked import WhichLocks
from cudafit.cli.common import say

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Command = Callable[..., Any]
_SAY_AFTER_S = 2.0


class _FormatName(click.ParamType):  # type: ignore[type-arg] # older releases of click have no type there
    """One of the formats, which are loaded where one is named or help is asked for."""

    name = "format"

    @property
    def _choice(self) -> click.Choice[str]:
        from cudafit.lock.formats import NAMES  # noqa: PLC0415

        return click.Choice(NAMES)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self._choice.convert(value, param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        return self._choice.get_metavar(param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        return self._choice.shell_complete(ctx, param, incomplete)


class _Output(click.Option):
    """`-o`, whose help names a file of each format."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        from cudafit.lock.formats import FORMATS  # noqa: PLC0415

        examples = ", ".join(one.example for one in FORMATS)
        self.help = f"Write a lock or a template to FILE: {examples}; repeatable."
        return super().get_help_record(ctx)


def lock_options(command: Command) -> Command:
    """Gives the command `locks`, a `WhichLocks`."""

    @functools.wraps(command)
    def taking_locks(
        *args: Any,
        outputs: tuple[str, ...],
        forced: str | None,
        force: bool,
        offline: bool,
        dry_run: bool,
        check: bool,
        allow_unhashed: bool,
        **others: Any,
    ) -> Any:
        locks = WhichLocks(outputs, forced, force, offline, dry_run, check, allow_unhashed)
        return command(*args, locks=locks, **others)

    with_locks: Command = taking_locks
    for option in (
        click.option("--check", is_flag=True, help="Say whether the files given with -o still fit; write nothing."),
        click.option("--dry-run", is_flag=True, help="Show what would be written, as a diff."),
        click.option(
            "--offline",
            is_flag=True,
            help="Ask no index: what packages need is not looked at, pins have no hashes, --check compares none.",
        ),
        click.option(
            "--allow-unhashed",
            is_flag=True,
            help="With --check: a lock without hashes, as --offline writes it, may fit.",
        ),
        click.option("--force", is_flag=True, help="Write over files that cudafit did not write."),
        click.option("--format", "forced", type=_FormatName(), help="The format of the files, whatever their names."),
        click.option(
            "-o",
            "--output",
            "outputs",
            metavar="FILE",
            multiple=True,
            cls=_Output,
        ),
    ):
        with_locks = option(with_locks)
    return with_locks


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
