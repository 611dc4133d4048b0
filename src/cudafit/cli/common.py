"""Options that every command takes, and how they are read back."""

import contextlib
import os
import sys
from collections.abc import Callable
from typing import IO, Any

import click

from cudafit.system.text import harmless

_COLOR = "cudafit.color"
_VERBOSE = "cudafit.verbose"
Command = Callable[..., Any]


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
    with contextlib.suppress(OSError):  # the terminal is gone: no reason to stop what it would tell of
        click.echo(harmless(text), err=True)


def write(text: str) -> None:
    """A result, to stdout, at once."""
    sys.stdout.write(text)
    sys.stdout.flush()
