"""`cudafit matrix list`."""

import click

from cudafit.app.asked import WhichFacts
from cudafit.cli.common import common_options, emit
from cudafit.cli.machine_options import matrix_options
from cudafit.errors import InputError


@click.command("list")
@click.option("--missing", is_flag=True, help="Show what this folder's project asks for and the matrix does not cover.")
@click.option("-r", "files", metavar="FILE", multiple=True, help="With --missing: what this file asks for; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.matrix/1).")
@matrix_options
@common_options
@click.pass_context
def command(context: click.Context, /, facts: WhichFacts, missing: bool, files: tuple[str, ...], as_json: bool) -> int:
    """Show what the matrix covers, and how fresh it is."""
    from cudafit.app.matrix import covered  # noqa: PLC0415
    from cudafit.app.matrix import missing as not_covered  # noqa: PLC0415

    if files and not missing:
        raise InputError("`-r` is about `--missing`")
    return emit(context, not_covered(files, facts) if missing else covered(facts), as_json=as_json)
