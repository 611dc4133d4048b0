"""An environment as it was before a change."""

import os
from collections.abc import Sequence

from cudafit.app.asked import WhichEnvironment
from cudafit.app.here import located_here, system_here
from cudafit.app.itself import go_on_elsewhere
from cudafit.app.kept_at import kept_at
from cudafit.app.result import Result, Talk
from cudafit.app.unfinished import conda_path, interrupted_text, unfinished_change
from cudafit.env.locate import Asked, locate, required
from cudafit.errors import CudafitError, InputError
from cudafit.files import Files
from cudafit.model.frozen import frozen
from cudafit.model.plan import ROLLBACK_SCHEMA
from cudafit.render.counts import counted
from cudafit.render.row import Row
from cudafit.render.sizes import size_text
from cudafit.repair.checks import runs_here
from cudafit.repair.generations import Generation
from cudafit.repair.journal import interrupted
from cudafit.repair.rollback import clear as remove_all
from cudafit.repair.rollback import generations, kept_bytes, recover, roll_back
from cudafit.system.commands import command_text, path_word


@frozen
class Request:
    """`generation` is what to bring back; None for the newest."""

    environment: WhichEnvironment
    generation: str | None = None


def kept(request: Request) -> Result:
    """What can be brought back, with its disk use."""
    path = _path(request)
    found = generations(path)
    return _result(path, None, found, _kept_rows(path, found))


def clear(request: Request, talk: Talk) -> Result:
    """Removes all that could be brought back, and says what that frees. Asks before."""
    path = _path(request)
    found = generations(path)
    if not found:
        raise CudafitError(f"there is nothing kept for `{path}`")
    way = command_text("cudafit", "rollback", path_word(path), "--clear", "--yes")
    talk.agree(
        f"remove {counted(len(found), 'earlier state')} of `{path}`, {size_text(kept_bytes(path))}?",
        InputError("this cannot be asked without a terminal, so nothing was removed", hint=f"`{way}`"),
    )
    freed = remove_all(path, say=talk.say)
    return _result(path, None, (), [Row("environment", path), Row("freed", size_text(freed), "", "good")])


def rollback(request: Request, talk: Talk) -> Result:
    """Asks before anything is changed. A change that was interrupted is ended first."""
    path = _path(request)
    if unfinished := interrupted(path):
        talk.say(interrupted_text(unfinished))
        talk.say(recover(path, say=talk.say))
        if request.generation is None:
            return _restored(path, None)
    kept = generations(path)
    if not kept:
        raise CudafitError(f"there is nothing to bring back for `{path}`", hint="a repair keeps what was there before")
    if runs_here(path):
        talk.say("cudafit itself runs there: a copy of it goes on")
        go_on_elsewhere(path, "rollback")
    way = command_text("cudafit", "rollback", path_word(path), "--yes")
    talk.agree(
        f"bring back `{path}`{_with_files(kept, request.generation)} as it was?",
        InputError("this cannot be asked without a terminal, so nothing was changed", hint=f"`{way}`"),
    )
    return _restored(path, roll_back(path, request.generation, say=talk.say))


def _with_files(kept: Sequence[Generation], wanted: str | None) -> str:
    """Edits that were made since are kept too, and come back with the next rollback."""
    names = next((one.beside for one in kept if wanted in (None, one.id)), ())
    return f" with {' and '.join(names)} beside it" if names else ""


def _path(request: Request) -> str:
    which = request.environment
    if which.system:
        return kept_at(system_here(which, "rollback"), os.environ)
    if sum(map(bool, (which.path, which.conda, which.kernel))) > 1:
        raise InputError("ENV, `--conda` and `--kernel` each name the environment")
    if which.kernel:
        asked = Asked(kernel=which.kernel, environ=os.environ, folder=os.getcwd())
        return required(locate(Files(), asked), "rollback", ".venv").prefix
    if which.path:
        return kept_at(which.path, os.environ)
    if which.conda:
        return conda_path(which.conda)
    begun = unfinished_change(None)
    return begun.env if begun else required(located_here(), "rollback", ".venv").prefix


def _restored(path: str, back: Generation | None) -> Result:
    what = f"as it was at {back.time}, before: {back.reason}" if back else "as it was before the interrupted change"
    rows = [Row("environment", path), Row("restored", what, "", "good")]
    rows += [Row("", f"with {' and '.join(back.beside)} beside it")] if back and back.beside else []
    return _result(path, back, generations(path), rows)


def _kept_rows(path: str, found: Sequence[Generation]) -> list[Row]:
    rows = [Row("environment", path)]
    for one in found:
        size = (
            f"{one.files} files, {size_text(one.bytes)}, {size_text(one.disk_bytes)} of it on the disk for this alone"
        )
        rows.append(Row(one.id, f"{one.time}  {one.reason}", size))
        rows += [Row("", f"with {', '.join(one.beside)}")] if one.beside else []
    if not found:
        return [*rows, Row("kept", "nothing")]
    clear_all = command_text("cudafit", "rollback", path_word(path), "--clear")
    return [*rows, Row("disk", f"{size_text(kept_bytes(path))} in all: `{clear_all}` frees it")]


def _result(path: str, back: Generation | None, found: Sequence[Generation], rows: list[Row]) -> Result:
    record = {"environment": path, "restored": back, "generations": found}
    return Result(ROLLBACK_SCHEMA, record, "rollback", lambda: rows)
