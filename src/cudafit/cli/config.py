"""`cudafit config`."""

import click

from cudafit.cli.common import common_options, emit, write
from cudafit.errors import InputError


@click.command("config")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.config/1).")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the files, for editors.")
@common_options
@click.pass_context
def command(context: click.Context, /, as_json: bool, schema: bool) -> int:
    """Show what is set by variables, the project and your file, and what counts.

    An option goes before a variable, that before `[tool.cudafit]` of the pyproject.toml in this folder, that before
    your own config.toml. What a project may not say is shown as not used.
    """
    from cudafit.app.config import config, schema_text  # noqa: PLC0415

    if schema and as_json:
        raise InputError("`--schema` is about the files, and `--json` about what they say")
    if schema:
        write(schema_text())
        return 0
    return emit(context, config(), as_json=as_json)
