"""`cudafit matrix show`."""

import click

from cudafit.app.asked import WhichFacts
from cudafit.cli.common import common_options, emit
from cudafit.cli.machine_options import matrix_options


@click.command("show")
@click.argument("package")
@click.argument("version", required=False)
@click.option("--sources", is_flag=True, help="Show what each build was read from, with its sha256.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.matrix/1).")
@matrix_options
@common_options
@click.pass_context
def command(
    context: click.Context, /, facts: WhichFacts, package: str, version: str | None, sources: bool, as_json: bool
) -> int:
    """Show the builds of PACKAGE: all of them, or those of VERSION (`2.15` stands for all of 2.15). `torch==2.15.0`
    names both."""
    from cudafit.app.matrix import builds_of  # noqa: PLC0415

    return emit(context, builds_of(package, version, facts, sources=sources), as_json=as_json)
