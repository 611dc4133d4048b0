"""Options that every command takes, and how they are read back."""

import contextlib
import math
import os
import sys
from collections.abc import Callable, Iterable
from typing import IO, TYPE_CHECKING, Any

import click

from cudafit.system.text import harmless, harmless_lines

if TYPE_CHECKING:
    from cudafit.app.result import Result
    from cudafit.errors import CudafitError

_COLOR = "cudafit.color"
_VERBOSE = "cudafit.verbose"
Command = Callable[..., Any]


class Seconds(click.FloatRange):
    """A time that can be waited for: no `inf`, no `nan`, and nothing that no clock counts to."""

    def __init__(self, *, above: float | None = None, least: float | None = None) -> None:
        super().__init__(least if above is None else above, min_open=above is not None)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds: float = super().convert(value, param, ctx)
        if math.isnan(seconds) or seconds > _LONGEST_S:
            self.fail(f"`{value}` seconds cannot be waited for", param, ctx)
        return seconds


_LONGEST_S = 31_536_000.0  # a year


def common_options(command: Command) -> Command:
    """`--color` and `-v`, accepted before and after the command's name."""
    command = click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        expose_value=False,
        callback=_keep(_COLOR),
        help="Colour the text: auto (on a terminal), always or never.",
    )(command)
    return click.option(
        "-v",
        "--verbose",
        count=True,
        expose_value=False,
        callback=_keep(_VERBOSE),
        help="Say more; -vv shows where in cudafit an error arose.",
    )(command)


def _keep(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(context: click.Context, _parameter: click.Parameter, value: Any) -> None:
        if value:
            context.meta[name] = value

    return callback


def verbosity(context: click.Context) -> int:
    count: int = context.meta.get(_VERBOSE, 0)
    return count


def use_color(context: click.Context, out: IO[str]) -> bool:
    """`--color`, then NO_COLOR (no-color.org: any value that is not empty), then whether `out` is a terminal."""
    choice = context.meta.get(_COLOR, "auto")
    if choice != "auto":
        return bool(choice == "always")
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and out.isatty()


def say(text: str) -> None:
    """Progress, and what is besides the result: to stderr, one line whatever it tells of."""
    from cudafit.system.secrets import redacted  # noqa: PLC0415 - many commands say nothing

    say_lines(harmless(redacted(text)))


def say_lines(text: str) -> None:
    """The same for a text whose line ends are ours: an error, a page of help."""
    from cudafit.system.secrets import redacted  # noqa: PLC0415 - many commands say nothing

    with contextlib.suppress(OSError):  # the terminal is gone: no reason to stop what it would tell of
        sys.stderr.write(f"{harmless_lines(redacted(text))}\n")
        sys.stderr.flush()


class Terminal:
    """Speaks with whoever typed the command; `quiet` where the result is for a program. See `app.result.Talk`."""

    def __init__(self, context: click.Context, *, quiet: bool = False, sure: bool = False) -> None:
        self._context = context
        self._quiet = quiet
        self._sure = sure

    def say(self, text: str) -> None:
        say(text)

    def show(self, result: "Result") -> None:
        if not self._quiet:
            emit(self._context, result)

    def agree(self, question: str, unasked: "CudafitError") -> None:
        """Raises Abort where the answer is no; with `--yes` nobody is asked."""
        if self._sure:
            return
        if not sys.stdin.isatty():
            raise unasked
        if not click.confirm(harmless(question), default=False, err=True):
            raise click.Abort


def emit(context: click.Context, result: "Result", *, as_json: bool = False) -> int:
    """The result to stdout, its error to stderr; gives the exit code."""
    if as_json:
        from cudafit.render.json_text import record_text  # noqa: PLC0415 - only once there is a result

        write(record_text(result.schema, result.record, long=result.long))
    elif rows := result.rows():
        from cudafit.render.human import print_rows  # noqa: PLC0415 - not for JSON
        from cudafit.render.row import Row  # noqa: PLC0415

        rows = [*rows, *(Row("facts", text, "", "warn") for text in result.facts)]
        print_rows(result.title, rows, sys.stdout, color=use_color(context, sys.stdout))
    if result.error is not None:
        sys.stdout.flush()
        say_lines(str(result.error))
    return result.exit_code


def write(text: str) -> None:
    """A result, to stdout, at once. Its line ends are ours; what stands in its lines may be foreign."""
    write_exactly(harmless_lines(text))


def write_line(text: str) -> None:
    """A result that is one line, whatever it tells of."""
    write_exactly(f"{harmless(text)}\n")


def write_diff(lines: Iterable[str]) -> None:
    """In a pipe it is for `patch`, which needs every byte; on a terminal it is to be looked at."""
    text = "".join(lines)
    write_exactly(harmless_lines(text) if sys.stdout.isatty() else text)


def write_exactly(text: str) -> None:
    """Only for what is harmless already, as text with colours of ours, or commands to the log of a CI."""
    sys.stdout.write(text)
    sys.stdout.flush()
