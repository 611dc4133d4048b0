"""The commands by name. Each lives in a module that is imported only when it is called; so `--help` stays quick."""

import importlib
from collections.abc import Mapping
from typing import NamedTuple

import click


class Entry(NamedTuple):
    """Where a command is, and what `cudafit --help` says of it."""

    module: str
    help: str


COMMANDS = {
    "inspect": Entry("cudafit.cli.inspect", "Show this machine: GPUs, driver, CUDA limit, toolkits, Pythons."),
    "resolve": Entry("cudafit.cli.resolve", "Pick the builds that work on this machine, and say why."),
    "doctor": Entry("cudafit.cli.doctor", "Say why the GPU is not used: one root cause, with evidence and the fix."),
    "bench": Entry("cudafit.cli.bench", "Prove that the GPU does the work, right and as fast as it should."),
    "run": Entry("cudafit.cli.run", "Run a job as it is, and say whether it used the GPU."),
    "create": Entry(
        "cudafit.cli.create", "Make an environment with the builds that work on this machine, and check it."
    ),
    "repair": Entry(
        "cudafit.cli.repair", "Fix what doctor found in a venv or a conda environment, all of it or nothing."
    ),
    "rollback": Entry("cudafit.cli.rollback", "Bring back what an environment was before a repair."),
    "lint": Entry("cudafit.cli.lint", "Find training code that keeps its work on the CPU."),
    "explain": Entry("cudafit.cli.explain", "Say what a finding or an error text means, and what to do."),
    "matrix": Entry("cudafit.cli.matrix", "Show, check, compare and update the facts that every answer follows from."),
}


MATRIX = {
    "list": Entry("cudafit.cli.matrix_list", "Show what the matrix covers, and how fresh it is."),
    "show": Entry("cudafit.cli.matrix_show", "Show the builds of a package."),
    "check": Entry("cudafit.cli.matrix_check", "Run all linters over a folder of matrix files."),
    "diff": Entry("cudafit.cli.matrix_diff", "Show what changed between two folders of matrix files."),
    "update": Entry("cudafit.cli.matrix_update", "Read what is new on the index, and answer from that too."),
    "revert": Entry("cudafit.cli.matrix_revert", "Take the last update back."),
}


class Lazy(click.Group):
    """A group that knows its commands' names without importing them."""

    entries: Mapping[str, Entry] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self.entries:
            return None
        command: click.Command = importlib.import_module(self.entries[cmd_name].module).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self.entries.items()])


class TopCommands(Lazy):
    entries = COMMANDS


class MatrixCommands(Lazy):
    entries = MATRIX
