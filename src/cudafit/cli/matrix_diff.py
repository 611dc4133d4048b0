"""`cudafit matrix diff`."""

import click

from cudafit.cli.common import common_options, write_line


@click.command("diff")
@click.argument("old")
@click.argument("new")
@common_options
def command(old: str, new: str) -> int:
    """Show what changed for users between two folders of matrix files. Exits with 1 when anything did."""
    from cudafit.matrix.difference import differences  # noqa: PLC0415
    from cudafit.matrix.layers import read_stack  # noqa: PLC0415

    lines = list(differences(read_stack([old])[0], read_stack([new])[0]))
    for line in lines or ["no difference"]:
        write_line(line)
    return 1 if lines else 0
