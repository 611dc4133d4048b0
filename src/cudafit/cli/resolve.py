"""`cudafit resolve`."""

from typing import TYPE_CHECKING, Any

import click

from cudafit.app.asked import WhichBuilds, WhichFacts, WhichLocks, WhichMachine
from cudafit.app.configured import cuda_of, machine_of, settled
from cudafit.cli.common import common_options, emit, say, say_lines, write, write_diff, write_line
from cudafit.cli.lock_options import lock_options, patience
from cudafit.cli.machine_options import ask, machine_options, matrix_options
from cudafit.cli.project_options import project_options
from cudafit.errors import CudafitError, InputError
from cudafit.system.interrupts import stoppable

if TYPE_CHECKING:
    from cudafit.app.lock_check import Checked
    from cudafit.app.resolve import Resolved


@click.command("resolve")
@click.argument("requirements", metavar="[REQ]...", nargs=-1)
@project_options
@click.option("--explain", is_flag=True, help="Also show why the other builds lost.")
@click.option("--all", "every", is_flag=True, help="Show every build that fits, not only the best.")
@click.option(
    "--prefer",
    type=click.Choice(["newest", "native", "installed"]),
    default="newest",
    show_default=True,
    help="What comes first: the newest version, a driver that runs it natively, or what is installed.",
)
@click.option("--cuda", metavar="VERSION", help="Only builds for this CUDA: 12.6, or 12 for all of 12.")
@click.option("--cpu", is_flag=True, help="CPU builds, whatever GPU there is.")
@click.option("--conda", is_flag=True, help="Builds of conda-forge in place of those of the Python indexes.")
@click.option(
    "-y",
    "--yes",
    "as_written",
    is_flag=True,
    help="Take names as they are written, even where they look like a slip for another package.",
)
@lock_options
@click.option(
    "--print",
    "printed",
    type=click.Choice(["uv", "pip", "conda", "index-url", "requirements"]),
    help="Print one line and nothing else, for scripts: the command of uv, pip or conda, the index, the requirements.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.resolve/1).")
@machine_options
@matrix_options
@common_options
@click.pass_context
def command(
    context: click.Context,
    /,
    machine: WhichMachine,
    facts: WhichFacts,
    locks: WhichLocks,
    explain: bool,
    every: bool,
    printed: str | None,
    as_json: bool,
    **builds: Any,
) -> int:
    """Pick the builds that work together on this machine, and say why.

    REQ is a requirement such as `torch`, "torch>=2.6" or `tensorflow`; several are picked for one environment. Without
    any, the project in this folder is read. Exits with 1 when nothing fits. With -o the fit is written as a lock.
    """
    context.with_resource(stoppable())
    known = settled(say)
    machine = machine_of(known, machine, say)
    builds["cuda"] = cuda_of(known, builds["cuda"], say, cpu=builds["cpu"])
    question = ask(context, machine)
    from cudafit.app.resolve import Request, resolve  # noqa: PLC0415 - while NVML answers

    request = Request(WhichBuilds(**builds), machine, facts, locks, explain, every, printed)
    if locks.check:
        from cudafit.app.lock_check import check  # noqa: PLC0415

        return _tell_checked(check(request, question, say), as_json=as_json)
    if printed and as_json:
        raise InputError("`--print` and `--json` exclude each other")
    done = resolve(request, question, say, patience)
    if printed:
        return _print_line(done)
    shown = done.results[:1] if as_json else () if locks.dry_run else done.results
    for result in shown:
        emit(context, result, as_json=as_json)
    if done.documents:
        _write(done, dry=locks.dry_run)
    return done.exit_code


def _print_line(done: "Resolved") -> int:
    """Nothing else goes to stdout: what stands beside the line is for stderr."""
    for result in done.results:
        if result.error is not None:
            say_lines(str(result.error))
        for text in result.facts:
            say(f"note: {text}")
    if done.line is not None:
        write_line(done.line)
    return done.exit_code


def _tell_checked(checked: "Checked", *, as_json: bool) -> int:
    if as_json:
        from cudafit.render.json_text import record_text  # noqa: PLC0415

        write(record_text(checked.schema, checked.record, long=True))
    for one in checked.verdicts:
        if one.problems:
            hint = f"`cudafit resolve` without `--check` writes `{one.path}` anew"
            say_lines(str(CudafitError(f"`{one.path}` does not fit", cause=one.problems, hint=hint)))
        elif not as_json:
            write_line(f"{one.path} fits")
        if not as_json:
            for note in one.notes:
                say(f"note: {one.path}: {note}")
    return checked.exit_code


def _write(done: "Resolved", *, dry: bool) -> None:
    """With `--dry-run` the differences are shown on stdout."""
    from cudafit.app.locks import write_documents  # noqa: PLC0415 - where there are files
    from cudafit.lock.write import difference  # noqa: PLC0415
    from cudafit.system.secrets import redacted  # noqa: PLC0415

    if not dry:
        write_documents(done.documents, say, say_lines)
    else:
        for document in done.documents:
            write_diff(map(redacted, difference(document)))
