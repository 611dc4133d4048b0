"""`cudafit help`."""

import click

from cudafit.cli.commands import Lazy, Place
from cudafit.cli.common import common_options, write


@click.command("help")
@click.argument("words", metavar="[COMMAND]...", nargs=-1)
@common_options
@click.pass_context
def command(context: click.Context, /, words: tuple[str, ...]) -> int:
    """Show what a command takes: `cudafit help resolve` is `cudafit resolve --help`. Without one, all commands."""
    at = context.find_root()
    for word in words:
        if not isinstance(at.command, Lazy):
            raise click.UsageError(f"`{at.command_path}` has no commands of its own", at)
        found = at.command.found(at, word)
        at = Place(found, info_name=word, parent=at)
    write(f"{at.command.get_help(at)}\n")
    return 0
