"""`cudafit matrix list`."""

import click

from cudafit.app.asked import WhichFacts
from cudafit.cli.common import common_options, emit
from cudafit.cli.machine_options import matrix_options


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.matrix/1).")
@matrix_options
@common_options
@click.pass_context
def command(context: click.Context, facts: WhichFacts, as_json: bool) -> int:
    """Show what the matrix covers, and how fresh it is."""
    from cudafit.app.matrix import covered  # noqa: PLC0415

    return emit(context, covered(facts), as_json=as_json)
