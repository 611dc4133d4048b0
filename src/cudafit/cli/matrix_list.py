"""`cudafit matrix list`."""

import sys

import click

from cudafit.cli.common import common_options, use_color, write
from cudafit.cli.matrix_options import chosen, matrix_options


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.matrix/1).")
@matrix_options
@common_options
@click.pass_context
def command(context: click.Context, as_json: bool, matrices: tuple[str, ...], pinned: str | None) -> int:
    """Show what the matrix covers, and how fresh it is."""
    from cudafit.render.json_text import json_text  # noqa: PLC0415
    from cudafit.render.matrix_rows import coverage, coverage_rows  # noqa: PLC0415

    compiled = chosen(matrices, pinned)
    matrix = compiled.matrix()
    if as_json:
        write(json_text(coverage(matrix, compiled.version)))
        return 0
    from cudafit.render.human import print_rows  # noqa: PLC0415 - rich is slow to import

    title = f"matrix {compiled.version}"
    print_rows(title, coverage_rows(matrix), sys.stdout, color=use_color(context, sys.stdout))
    return 0
