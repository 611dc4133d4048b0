"""`cudafit matrix show`."""

import click

from cudafit.app.asked import WhichFacts
from cudafit.cli.common import common_options, emit
from cudafit.cli.machine_options import matrix_options


@click.command("show")
@click.argument("package")
@click.argument("version", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.matrix/1).")
@matrix_options
@common_options
@click.pass_context
def command(context: click.Context, facts: WhichFacts, package: str, version: str | None, as_json: bool) -> int:
    """Show the builds of PACKAGE: all of them, or those of VERSION (`2.15` stands for all of 2.15)."""
    from cudafit.app.matrix import builds_of  # noqa: PLC0415

    return emit(context, builds_of(package, version, facts), as_json=as_json)
