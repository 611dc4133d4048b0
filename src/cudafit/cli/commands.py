"""The commands by name. Each lives in a module that is imported only when it is called; so `--help` stays quick."""

import importlib
import sys
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import click

from cudafit.system.terminal import width as terminal_width


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
    "report": Entry("cudafit.cli.report", "Show a room of machines, or one, on a page to look at."),
    "matrix": Entry("cudafit.cli.matrix", "Show, check, compare and update the facts that every answer follows from."),
    "config": Entry("cudafit.cli.config", "Show what is set by variables, the project and your file, and what counts."),
    "completion": Entry("cudafit.cli.completion", "Print what makes a shell complete cudafit's words."),
    "help": Entry("cudafit.cli.help", "Show what a command takes."),
}


MATRIX = {
    "list": Entry("cudafit.cli.matrix_list", "Show what the matrix covers, and how fresh it is."),
    "show": Entry("cudafit.cli.matrix_show", "Show the builds of a package."),
    "check": Entry("cudafit.cli.matrix_check", "Run all linters over a folder of matrix files."),
    "diff": Entry("cudafit.cli.matrix_diff", "Show what changed between two folders of matrix files."),
    "update": Entry("cudafit.cli.matrix_update", "Read what is new on the index, and answer from that too."),
    "revert": Entry("cudafit.cli.matrix_revert", "Undo the last update."),
}


# What other programs call it.
SYNONYMS = {
    "add": "create",
    "benchmark": "bench",
    "check": "doctor",
    "diagnose": "doctor",
    "env": "create",
    "exec": "run",
    "facts": "matrix",
    "fix": "repair",
    "info": "inspect",
    "install": "create",
    "lock": "resolve",
    "restore": "rollback",
    "revert": "rollback",
    "show": "inspect",
    "status": "inspect",
    "undo": "rollback",
    "settings": "config",
    "venv": "create",
    "why": "explain",
}


class UnknownCommand(click.UsageError):
    """No command is called so; `nearest` is the one that may have been meant."""

    def __init__(self, word: str, nearest: str | None, context: click.Context) -> None:
        super().__init__(f"no such command '{word}'", context)
        self.hint = f"did you mean `{context.command_path} {nearest}`?" if nearest else None


class Page(click.HelpFormatter):
    """Help as wide as the terminal, also where that is narrower than click's 50 columns."""

    def __init__(self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None) -> None:
        if width is None:
            columns = terminal_width(sys.stdout)  # click would load all of Python's compression for it, with `shutil`
            most = _USUAL if max_width is None else max_width
            width = max(columns - 1, _NARROWEST) if columns < _NARROW else min(columns, most) - 2
        super().__init__(indent_increment, width, max_width)

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl(rows, min(col_max, self.width // 2), col_spacing)


_NARROW = 52
_NARROWEST = 24
_USUAL = 80


class Place(click.Context):
    """Where in the command line we are."""

    formatter_class = Page


class Lazy(click.Group):
    """A group that knows its commands' names without importing them."""

    entries: Mapping[str, Entry] = {}
    synonyms: Mapping[str, str] = {}
    context_class = Place

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self.entries:
            return None
        command: click.Command = importlib.import_module(self.entries[cmd_name].module).command
        command.context_class = Place
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and not ctx.resilient_parsing:
            return args[0], self.found(ctx, args[0]), args[1:]
        return super().resolve_command(ctx, args)

    def found(self, ctx: click.Context, word: str) -> click.Command:
        """The command of this name; raises UnknownCommand, which says which one may have been meant."""
        command = self.get_command(ctx, word)
        if command is None:
            raise UnknownCommand(word, self._nearest(word), ctx)
        return command

    def _nearest(self, word: str) -> str | None:
        from difflib import get_close_matches  # noqa: PLC0415 - for a misspelt name only

        plain = word.lower()
        if plain in self.entries:
            return plain
        if plain in self.synonyms:
            return self.synonyms[plain]
        if begun := [name for name in self.entries if len(plain) > 1 and name.startswith(plain)]:
            return begun[0] if len(begun) == 1 else None
        # Two letters that changed places are the commonest slip, and make short words unlike by the measure below.
        slips = [name for name in self.entries if sorted(name) == sorted(plain)]
        return next(iter(slips or get_close_matches(plain, self.entries, n=1, cutoff=0.6)), None)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self.entries.items()])


class TopCommands(Lazy):
    entries = COMMANDS
    synonyms = SYNONYMS


class MatrixCommands(Lazy):
    entries = MATRIX
