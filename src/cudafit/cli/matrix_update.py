"""`cudafit matrix update`."""
# ruff: noqa: PLC0415 - the harvester's libraries are slow to import

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cudafit import shipped
from cudafit.cli.common import common_options, say, write_diff
from cudafit.errors import CudafitError, InputError
from cudafit.system.commands import command_text, path_word

if TYPE_CHECKING:
    from cudafit.matrix.folder import Folder
    from cudafit.matrix.harvest.harvest import Harvest


@click.command("update")
@click.argument("packages", nargs=-1)
@click.option("--since", metavar="VERSION", help="Read from here on; by default from the oldest that the matrix has.")
@click.option("--index", metavar="URL", help="Read from this index; by default from the one that pip or uv has.")
@click.option("--index-name", metavar="NAME", help="What indexes.yaml calls the index of `--index`.")
@click.option("--folder", metavar="DIR", help="The matrix folder; by default the one of this checkout.")
@click.option("--write", "write_files", is_flag=True, help="Write the files; without it nothing is changed.")
@click.option("--workers", type=click.IntRange(1, 32), default=6, show_default=True, help="Wheels at a time.")
@common_options
def command(
    packages: tuple[str, ...],
    since: str | None,
    index: str | None,
    index_name: str | None,
    folder: str | None,
    write_files: bool,
    workers: int,
) -> int:
    """Read the published wheels of PACKAGES anew (all that can be read, if none is named), and print what would change.

    A few KB to a few MB of each wheel are fetched, never a whole one. What was read is kept in the cache, so an
    interrupted update goes on where it was. Exits with 1 when a wheel could not be read.
    """
    from datetime import datetime, timezone

    from cudafit.matrix.folder import read_folder
    from cudafit.matrix.harvest.cache import Cache, default_folder
    from cudafit.matrix.harvest.errors import HarvestError
    from cudafit.matrix.harvest.harvest import harvest
    from cudafit.matrix.harvest.index import default_index
    from cudafit.matrix.harvest.readers import READERS

    unknown = [name for name in packages if name not in READERS]
    if unknown:
        raise InputError(f"no reader for `{unknown[0]}`", hint=f"there is one for {', '.join(sorted(READERS))}")
    if (index is None) != (index_name is None):
        raise InputError("`--index` and `--index-name` go together", hint="the name is that of a row of indexes.yaml")
    path = folder or shipped.folder("matrices")
    if not os.path.isdir(path) or (folder is None and "_shipped" in path):
        raise InputError(f"no matrix folder to update: `{path}`", hint="name one with `--folder DIR`")
    read = read_folder(path)
    if read.flaws or "sources.yaml" not in read.files:
        check = command_text("cudafit", "matrix", "check", path_word(path))
        raise CudafitError(f"the matrix `{path}` has flaws", hint=f"`{check}` names them")
    from cudafit.render.human import progress_bar

    chosen = packages or tuple(READERS)
    try:
        with progress_bar(sys.stderr) as progress:
            result = harvest(
                chosen,
                index or default_index(),
                index_name or "pypi",
                datetime.now(timezone.utc).date().isoformat(),
                cache=Cache(default_folder()),
                since=dict.fromkeys(chosen, since) if since else _oldest(read, chosen),
                workers=workers,
                progress=progress,
            )
    except HarvestError as error:
        raise InputError(f"`--since {error.file}` {error.reason}") from None
    changed = _show(path, read, result, write_files)
    for failure in result.failures:
        say(f"not read: {failure}")
    mib = result.bytes / (1 << 20)
    say(
        f"{len(result.builds)} builds read, {len(result.failures)} not; {result.requests} requests, {mib:.1f} MiB; "
        f"{changed} files {'written' if write_files else 'differ'}"
    )
    return 1 if result.failures else 0


def _oldest(read: "Folder", packages: Sequence[str]) -> dict[str, str]:
    """The first version of each package that the matrix holds; a new package has none, and is read whole."""
    from cudafit.model.versions import natural_key

    builds = read.matrix().builds
    versions = {name: [build.version for build in builds.get(name, ()) if build.index == "pypi"] for name in packages}
    return {name: min(held, key=natural_key) for name, held in versions.items() if held}


def _show(path: str, read: "Folder", result: "Harvest", write_files: bool) -> int:
    """Print the unified diff, and write the files if asked; the number of files that change."""
    from cudafit.atomic import write_text
    from cudafit.matrix.merge import merged_files
    from cudafit.system.diffs import difference, lines_of

    texts = merged_files(read, result.builds, result.sources)
    for name, text in texts.items():
        old = read.files[name].text if name in read.files else ""
        write_diff(difference(lines_of(old), lines_of(text), f"old/{name}", f"new/{name}", around=0))
        if write_files:
            try:
                write_text(os.path.join(path, name), text)
            except OSError as error:
                raise InputError(f"cannot write `{name}`: {error.strerror or error}") from None
    return len(texts)
