"""`cudafit matrix check`."""

import os

import click

from cudafit import shipped
from cudafit.cli.common import common_options, write, write_line
from cudafit.errors import InputError


@click.command("check")
@click.argument("folder", required=False)
@click.option("--list-linters", is_flag=True, help="Name the linters and what each holds.")
@common_options
def command(folder: str | None, list_linters: bool) -> int:
    """Run all linters over FOLDER, by default the packaged matrix. Names every problem with file and line."""
    from datetime import datetime, timezone  # noqa: PLC0415

    from cudafit.matrix.folder import read_folder  # noqa: PLC0415
    from cudafit.matrix.linters import LINTERS, check  # noqa: PLC0415
    from cudafit.matrix.linters.messages import check_rules  # noqa: PLC0415
    from cudafit.matrix.messages import read_rules  # noqa: PLC0415

    if list_linters:
        write("".join(f"{linter.name:12} {linter.holds}\n" for linter in LINTERS))
        return 0
    path = folder or shipped.folder("matrices")
    if not os.path.isdir(path):
        raise InputError(f"cannot check `{path}`: there is no such folder")
    read = read_folder(path)
    if not read.files:
        raise InputError(f"cannot check `{path}`: there is no matrix file in it")
    rules = read_rules(path)
    flaws = [*check(read, datetime.now(timezone.utc).date()), *rules.flaws, *check_rules(rules)]
    errors = sum(flaw.severity == "error" for flaw in flaws)
    rows = sum(len(entries) for file in read.files.values() for entries in file.entries.values()) + len(rules.written)
    for flaw in flaws:
        write_line(str(flaw))
    write(f"{len(read.files)} files, {rows} rows: {errors} errors, {len(flaws) - errors} warnings\n")
    return 1 if errors else 0
