"""`cudafit rollback`.

What is imported inside the functions is imported there for speed.
"""
# ruff: noqa: PLC0415

import sys
from typing import TYPE_CHECKING, Any

import click

from cudafit.cli.common import agree, common_options, say, use_color, write
from cudafit.errors import CudafitError, InputError
from cudafit.system.commands import command_text, path_word
from cudafit.system.interrupts import stoppable

if TYPE_CHECKING:
    from cudafit.repair.generations import Generation


@click.command("rollback")
@click.argument("path", metavar="[ENV]", required=False)
@click.option("--conda", metavar="NAME", help="A conda environment, by its name or its folder.")
@click.option("--list", "listed", is_flag=True, help="List what can be brought back, with its disk use.")
@click.option("--to", "generation", metavar="ID", help="Bring back this one; by default the newest.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema cudafit.rollback/1).")
@common_options
@click.pass_context
def command(context: click.Context, /, **options: Any) -> int:
    """Bring back what an environment was before a repair: the same files, bytes and modes.

    Needs no network: the files were kept beside the environment. Also ends a change that was interrupted. What is
    replaced is kept in turn, so that a rollback can be undone.
    """
    context.with_resource(stoppable())
    from cudafit.cli.looking import conda_path, interrupted_text, located_here, unfinished_change
    from cudafit.env.locate import required
    from cudafit.repair.rollback import generations, interrupted, recover, roll_back

    path = options["path"] or (conda_path(options["conda"]) if options["conda"] else None)
    if path is None:
        begun = unfinished_change(None)
        path = begun.env if begun else required(located_here(), "rollback", ".venv").prefix
    if options["listed"]:
        _list(context, options, path, generations(path))
        return 0
    unfinished = interrupted(path)
    if unfinished:
        say(interrupted_text(unfinished))
        say(recover(path, say=say))
        if options["generation"] is None:
            _done(context, options, path, None)
            return 0
    found = generations(path)
    if not found:
        raise CudafitError(f"there is nothing to bring back for `{path}`", hint="a repair keeps what was there before")
    _confirm(options, path)
    _done(context, options, path, roll_back(path, options["generation"], say=say))
    return 0


def _confirm(options: dict[str, Any], path: str) -> None:
    if options["yes"]:
        return
    if not sys.stdin.isatty():
        way = command_text("cudafit", "rollback", path_word(path), "--yes")
        raise InputError("nobody can be asked here, so nothing was changed", hint=f"`{way}`")
    agree(f"bring back `{path}` as it was?")


def _list(context: click.Context, options: dict[str, Any], path: str, found: "tuple[Generation, ...]") -> None:
    from cudafit.render.human import print_rows
    from cudafit.render.machine_rows import Row
    from cudafit.render.sizes import size_text

    if options["as_json"]:
        _json({"environment": path, "restored": None, "generations": found})
        return
    rows = [Row("environment", path, "")]
    for one in found:
        size = (
            f"{one.files} files, {size_text(one.bytes)}, {size_text(one.disk_bytes)} of it on the disk for this alone"
        )
        rows.append(Row(one.id, f"{one.time}  {one.reason}", size))
    if not found:
        rows.append(Row("kept", "nothing", ""))
    print_rows("rollback", rows, sys.stdout, color=use_color(context, sys.stdout))


def _done(context: click.Context, options: dict[str, Any], path: str, back: "Generation | None") -> None:
    from cudafit.render.human import print_rows
    from cudafit.render.machine_rows import Row
    from cudafit.repair.rollback import generations

    if options["as_json"]:
        _json({"environment": path, "restored": back, "generations": generations(path)})
        return
    what = f"as it was at {back.time}, before: {back.reason}" if back else "as it was before the interrupted change"
    rows = [Row("environment", path, ""), Row("restored", what, "", "good")]
    print_rows("rollback", rows, sys.stdout, color=use_color(context, sys.stdout))


def _json(told: dict[str, Any]) -> None:
    from cudafit.model.plan import ROLLBACK_SCHEMA
    from cudafit.model.record import to_plain
    from cudafit.render.json_text import json_text

    write(json_text({"schema": ROLLBACK_SCHEMA, **{name: to_plain(value) for name, value in told.items()}}))
