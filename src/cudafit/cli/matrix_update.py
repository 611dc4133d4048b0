"""`cudafit matrix update`."""

import sys
from typing import Any

import click

from cudafit.cli.common import common_options, emit, say, write_diff
from cudafit.errors import InputError
from cudafit.system.interrupts import stoppable


@click.command("update")
@click.argument("packages", metavar="[PACKAGES | FILES]", nargs=-1)
@click.option("--from-locks", is_flag=True, help="Read FILES, which are locks, in place of published wheels.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--since", metavar="VERSION", help="Read from here on; by default from the oldest that the matrix has.")
@click.option("--index", metavar="URL", help="Read from this index; by default from the one that pip or uv has.")
@click.option("--index-name", metavar="NAME", help="What indexes.yaml calls the index of `--index`.")
@click.option("--own", is_flag=True, help="Write to your own layer, also in a checkout.")
@click.option("--folder", metavar="DIR", help="Update the matrix files of DIR; in a checkout, its own.")
@click.option("--write", "write_files", is_flag=True, help="Write them; else only the difference is shown.")
@click.option("--again", is_flag=True, help="Read also what was read before.")
@click.option("--workers", type=click.IntRange(1, 32), default=6, show_default=True, help="Wheels at a time.")
@common_options
@click.pass_context
def command(
    context: click.Context, /, from_locks: bool, own: bool, folder: str | None, write_files: bool, **request: Any
) -> int:
    """Read what is new of PACKAGES on the package index (of all that can be read, if none is named), and keep it.

    It goes to your own layer of facts, and every answer that follows from it says so; `cudafit matrix revert` takes it
    back. Of a wheel only what tells of it is fetched, a few KB to a few MB, or its libraries where nothing else does;
    of one that was read before, nothing: an interrupted update goes on where it was. Exits with 1 when a wheel could
    not be read.

    With `--folder`, and in a checkout, the matrix files themselves are updated: the difference is printed, and written
    with `--write`.

    With `--from-locks` the facts are what FILES quote: uv.lock, poetry.lock, pdm.lock, pylock.toml, requirements with
    hashes; pixi.lock, conda-lock.yml, explicit lists and conda-meta folders for conda-forge; and tables of such
    quotations (.csv). A file whose hash differs from what is known is named and not taken.
    """
    context.with_resource(stoppable())
    from cudafit.app.matrix_update import is_for_folder  # noqa: PLC0415 - the harvester is slow to import

    if own and (folder or write_files):
        raise InputError(f"`--own` and `{'--folder' if folder else '--write'}` exclude each other")
    if from_locks and (own or not is_for_folder(folder)):
        return _own_from_locks(context, request)
    if from_locks:
        return _from_locks(request["packages"], folder, write_files=write_files)
    if own or not is_for_folder(folder):
        return _own(context, request)
    if write_files and request["dry_run"]:
        raise InputError("`--write` and `--dry-run` exclude each other")
    return _files(folder, write_files, request)


def _own(context: click.Context, request: dict[str, Any]) -> int:
    from cudafit.app.matrix_own import update  # noqa: PLC0415 - as above
    from cudafit.app.matrix_update import Request  # noqa: PLC0415
    from cudafit.render.human import progress_bar  # noqa: PLC0415

    with progress_bar(sys.stderr) as progress:
        result, cost = update(Request(**request), progress)
    code = emit(context, result)
    for failure in result.record["failures"]:
        say(f"not read: {failure}")
    say(cost)
    return code


def _files(folder: str | None, write_files: bool, request: dict[str, Any]) -> int:
    from cudafit.app.matrix_update import Request, update, write  # noqa: PLC0415 - as above
    from cudafit.render.human import progress_bar  # noqa: PLC0415

    with progress_bar(sys.stderr) as progress:
        done = update(Request(folder=folder, **request), progress)
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


def _own_from_locks(context: click.Context, request: dict[str, Any]) -> int:
    from cudafit.app.matrix_own_locks import Request, from_locks  # noqa: PLC0415 - what reads locks is slow to import

    result, told = from_locks(Request(request["packages"], request["dry_run"]))
    code = emit(context, result)
    for line in told:
        say(line)
    return code


def _from_locks(files: tuple[str, ...], folder: str | None, *, write_files: bool) -> int:
    from cudafit.app.matrix_locks import Request, from_locks  # noqa: PLC0415 - what reads locks is slow to import
    from cudafit.app.matrix_update import write  # noqa: PLC0415

    done = from_locks(Request(files, folder))
    for change in done.changes:
        write_diff(change.diff)
    # All of it or nothing: where two hashes contradict each other, a person is to look first.
    if write_files and not done.exit_code:
        for change in done.changes:
            write(change)
    for line in done.outcome.lines():
        say(line)
    say(f"{len(done.changes)} files {'written' if write_files and not done.exit_code else 'differ'}")
    return done.exit_code
