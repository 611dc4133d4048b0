"""`cudafit matrix update`."""

import sys
from typing import Any

import click

from cudafit.cli.common import common_options, say, write_diff


@click.command("update")
@click.argument("packages", nargs=-1)
@click.option("--since", metavar="VERSION", help="Read from here on; by default from the oldest that the matrix has.")
@click.option("--index", metavar="URL", help="Read from this index; by default from the one that pip or uv has.")
@click.option("--index-name", metavar="NAME", help="What indexes.yaml calls the index of `--index`.")
@click.option("--folder", metavar="DIR", help="The matrix folder; by default the one of this checkout.")
@click.option("--write", "write_files", is_flag=True, help="Write the files; without it nothing is changed.")
@click.option("--workers", type=click.IntRange(1, 32), default=6, show_default=True, help="Wheels at a time.")
@common_options
def command(write_files: bool, **request: Any) -> int:
    """Read the published wheels of PACKAGES anew (all that can be read, if none is named), and print what would change.

    A few KB to a few MB of each wheel are fetched, never a whole one. What was read is kept in the cache, so an
    interrupted update goes on where it was. Exits with 1 when a wheel could not be read.
    """
    from cudafit.app.matrix_update import Request, update, write  # noqa: PLC0415 - the harvester is slow to import
    from cudafit.render.human import progress_bar  # noqa: PLC0415

    with progress_bar(sys.stderr) as progress:
        done = update(Request(**request), progress)
    for change in done.changes:
        write_diff(change.diff)
        if write_files:
            write(change)
    result = done.harvest
    for failure in result.failures:
        say(f"not read: {failure}")
    mib = result.bytes / (1 << 20)
    say(
        f"{len(result.builds)} builds read, {len(result.failures)} not; {result.requests} requests, {mib:.1f} MiB; "
        f"{len(done.changes)} files {'written' if write_files else 'differ'}"
    )
    return 1 if result.failures else 0
