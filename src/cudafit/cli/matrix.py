"""`cudafit matrix`."""

import click

from cudafit.cli.commands import MatrixCommands
from cudafit.cli.common import common_options


@click.group("matrix", cls=MatrixCommands)
@common_options
def command() -> None:
    """Show, check, compare and update the facts that every answer follows from.

    Your own rows: YAML files like the packaged ones in the folder `matrices` of cudafit's config folder, or in DIR with
    `--matrix DIR`. A row about the same thing replaces the packaged one.
    """
