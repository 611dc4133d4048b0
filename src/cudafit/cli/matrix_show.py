"""`cudafit matrix show`."""

import sys

import click

from cudafit.cli.common import common_options, use_color, write
from cudafit.cli.matrix_options import chosen, matrix_options
from cudafit.errors import CudafitError


@click.command("show")
@click.argument("package")
@click.argument("version", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.matrix/1).")
@matrix_options
@common_options
@click.pass_context
def command(
    context: click.Context,
    package: str,
    version: str | None,
    as_json: bool,
    matrices: tuple[str, ...],
    pinned: str | None,
) -> int:
    """Show the builds of PACKAGE: all of them, or those of VERSION (`2.15` stands for all of 2.15)."""
    from cudafit.render.json_text import json_text  # noqa: PLC0415
    from cudafit.render.matrix_rows import build_rows, builds_object  # noqa: PLC0415

    compiled = chosen(matrices, pinned)
    name = package.lower().replace("_", "-")
    builds = compiled.builds(name)
    if not builds:
        raise CudafitError(
            f"the matrix has no package `{package}`",
            hint=f"`cudafit matrix list` names the {len(compiled.packages)} that it has",
        )
    shown = [build for build in builds if version is None or f"{build.version}.".startswith(f"{version}.")]
    if not shown:
        newest = builds[-1].version
        raise CudafitError(f"the matrix has no {name} {version}; its newest is {newest}")
    if as_json:
        write(json_text(builds_object(shown, compiled.version)))
        return 0
    from cudafit.render.human import print_rows  # noqa: PLC0415 - rich is slow to import

    title = f"{name} {version or ''}".strip() + f", matrix {compiled.version}"
    print_rows(title, build_rows(shown), sys.stdout, color=use_color(context, sys.stdout))
    return 0
