"""`cudafit explain`: the page of a finding."""

import os
from difflib import get_close_matches

import click

from cudafit import shipped
from cudafit.cli.common import common_options, write
from cudafit.errors import InputError
from cudafit.system.reading import read_text


@click.command("explain")
@click.argument("name", metavar="[ID]", required=False)
@common_options
def command(name: str | None) -> int:
    """Show what a finding means, how it is detected, and what to do by hand. Without ID all are listed."""
    folder = shipped.folder("docs/findings")
    known = sorted(file.removesuffix(".md") for file in os.listdir(folder) if file.endswith(".md"))
    if name is None:
        write("".join(f"{one}\n" for one in known))
        return 0
    if name not in known:
        near = [one for one in known if name and name in one][:3] or get_close_matches(name, known, n=3, cutoff=0.7)
        hint = f"did you mean {' or '.join(f'`{one}`' for one in near)}?" if near else "`cudafit explain` lists all"
        raise InputError(f"no finding is called `{name}`", hint=hint)
    write(read_text(os.path.join(folder, f"{name}.md"), 1 << 20))
    return 0
