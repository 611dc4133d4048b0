"""`cudafit matrix revert`."""

import click

from cudafit.cli.common import common_options, emit


@click.command("revert")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.matrix/1).")
@common_options
@click.pass_context
def command(context: click.Context, as_json: bool) -> int:
    """Take your last `cudafit matrix update` back: answers follow from the update before it, or from the facts as
    shipped."""
    from cudafit.app.matrix_own import revert  # noqa: PLC0415 - the harvester is slow to import

    return emit(context, revert(), as_json=as_json)
