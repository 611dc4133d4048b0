"""`cudafit explain`: the page of a finding."""

import click

from cudafit.cli.common import common_options, write


@click.command("explain")
@click.argument("name", metavar="[ID]", required=False)
@common_options
def command(name: str | None) -> int:
    """Show what a finding means, how it is detected, and what to do by hand. Without ID all are listed."""
    from cudafit.app.explain import known_ids, page  # noqa: PLC0415

    write("".join(f"{one}\n" for one in known_ids()) if name is None else page(name))
    return 0
