"""The commands by name. Each lives in a module that is imported only when it is called; so `--help` stays quick."""

import importlib
from typing import NamedTuple

import click


class Entry(NamedTuple):
    """Where a command is, and what `cudafit --help` says of it."""

    module: str
    help: str


COMMANDS = {
    "inspect": Entry("cudafit.cli.inspect", "Show this machine: GPUs, driver, CUDA limit, toolkits, Pythons."),
}


class Lazy(click.Group):
    """A group that knows its commands' names without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name].module).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])
