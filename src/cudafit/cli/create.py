"""`cudafit create`."""

from typing import Any

import click

from cudafit.app.asked import WhichBuilds, WhichFacts, WhichMachine
from cudafit.app.configured import cuda_of, settled
from cudafit.cli.common import common_options, emit, say
from cudafit.cli.lock_options import patience
from cudafit.cli.machine_options import ask, machine_options, matrix_options
from cudafit.cli.project_options import project_options
from cudafit.system.interrupts import stoppable


@click.command("create")
@click.argument("words", metavar="[PATH] [REQ]...", nargs=-1)
@click.option("-n", "--name", metavar="NAME", help="Make a conda environment of this name.")
@click.option("--prefix", metavar="PATH", help="Make a conda environment in this folder.")
@click.option("--conda", is_flag=True, help="Make a conda environment; conda itself need not be installed.")
@project_options
@click.option(
    "--from",
    "lock",
    metavar="LOCK",
    help="Install this lock: a pylock.toml or requirements with hashes; conda-lock.yml, explicit.txt or pixi.lock.",
)
@click.option(
    "--allow-unhashed",
    is_flag=True,
    help="With --from: install also what the lock tells no hash for (folders, repositories), and build sources.",
)
@click.option("--clear", is_flag=True, help="Replace an environment that is there; `rollback` brings it back.")
@click.option("--keep", is_flag=True, help="Keep what was made also where doctor finds an error in it.")
@click.option("--seed", is_flag=True, help="With pip inside, in the version that the lock says.")
@click.option("--dry-run", is_flag=True, help="Show what would be downloaded, with sizes, and make nothing.")
@click.option(
    "-y",
    "--yes",
    "as_written",
    is_flag=True,
    help="Take names as they are written, even where they look like a slip for another package.",
)
@click.option("--cuda", metavar="VERSION", help="Only builds for this CUDA: 12.6, or 12 for all of 12.")
@click.option("--cpu", is_flag=True, help="CPU builds, whatever GPU there is.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.create/1).")
@machine_options
@matrix_options
@common_options
@click.pass_context
def command(
    context: click.Context,
    /,
    machine: WhichMachine,
    facts: WhichFacts,
    files: tuple[str, ...],
    python: str | None,
    cuda: str | None,
    cpu: bool,
    conda: bool,
    as_written: bool,
    extras: tuple[str, ...],
    groups: tuple[str, ...],
    from_imports: bool,
    as_json: bool,
    **others: Any,
) -> int:
    """Make an environment with the builds that work on this machine, and check it with doctor.

    PATH is the environment, `.venv` by default: the first word, where it holds a slash or a backslash, has a drive, or
    begins with a dot. REQ is a requirement as for `resolve`. All of it is made, or nothing: what fails is removed, and
    exits with 4; so is what doctor finds an error in, unless `--keep` is said. The lock is kept in it as
    pylock.cudafit.toml. It is a venv; with `-n`, `--prefix` or `--conda` a conda environment, of packages from
    conda-forge. What --from names is installed only with a hash for each file, and nothing is built; the Python that
    the environment is made for is started. Where there is a GPU, `bench --quick` then proves that it is used.
    """
    context.with_resource(stoppable())
    known = settled(say)
    if others["lock"] is None:
        cuda = cuda_of(known, cuda, say, cpu=cpu)
    question = ask(context, machine)
    from cudafit.app.create import Request, create  # noqa: PLC0415 - while NVML answers

    builds = WhichBuilds((), files, python, cuda, cpu, conda, "newest", as_written, extras, groups, from_imports)
    return emit(context, create(Request(machine, facts, builds, **others), question, say, patience), as_json=as_json)
