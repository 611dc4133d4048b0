"""The ways back: after a change that was cut off, and to an earlier state."""

import os
from collections.abc import Callable

from cudafit.errors import CudafitError, InputError
from cudafit.model.frozen import frozen
from cudafit.repair import journal as journals
from cudafit.repair.checks import check_can_be_renamed, check_runs_elsewhere, check_writable
from cudafit.repair.durable import sync_file_system
from cudafit.repair.generations import Generation, Record, clean, described, next_id, read_record, whole, write_record
from cudafit.repair.interrupts import held_off
from cudafit.repair.journal import Journal
from cudafit.repair.lock import holder, locked, now
from cudafit.repair.manifest import manifest_of, write_manifest
from cudafit.repair.restore import check_whole, exchange, finish, undo, written_text
from cudafit.repair.state import State, check_trusted, remove_if_unused, state_of
from cudafit.repair.trouble import change_trouble
from cudafit.repair.walk import walk

WAIT_S = 600.0


@frozen
class Interrupted:
    """A change that has begun and has not come to its end. `running`: it may still; its lock is held."""

    env: str
    step: str
    reason: str
    started: str
    pid: int
    host: str
    command: str
    running: bool


def interrupted(env: str) -> Interrupted | None:
    """Reads only. Raises CudafitError for a journal that cannot be believed."""
    state = state_of(env)
    if not check_trusted(state):
        return None
    running = holder(state) is not None  # asked first: a change that ends in between has no journal any more
    found = journals.read(state)
    if found is None:
        return None
    return Interrupted(
        state.env, found.step, found.reason, found.started, found.pid, found.host, found.command, running
    )


def generations(env: str) -> tuple[Generation, ...]:
    """What can be gone back to, newest first. Reads only."""
    state = state_of(env)
    if not check_trusted(state):
        return ()
    return tuple(described(state, name, record) for name, record in whole(state).items())


def recover(env: str, *, say: Callable[[str], None], wait_s: float = WAIT_S) -> str:
    """End what was interrupted, and tell how. It may itself be killed, and called again."""
    state = state_of(env)
    nothing = f"no change of `{state.env}` was interrupted"
    if not check_trusted(state):
        return nothing
    with locked(state, wait_s, say):
        journal = journals.read(state)
        if journal is None:
            clean(state, say)
            remove_if_unused(state)
            return nothing
        return _recover(state, journal, say)


def roll_back(
    env: str, generation: str | None = None, *, say: Callable[[str], None], wait_s: float = WAIT_S
) -> Generation:
    """Go back to a generation, by default the newest; what is there now becomes one, so going back can be undone.

    After an interrupted change the state before it comes back; that is all, unless a generation is named.
    """
    state = state_of(env)
    if not check_trusted(state):
        raise _none_kept(state)
    check_writable(state)
    with locked(state, wait_s, say):
        journal = journals.read(state)
        if journal is not None:
            back = _brought_back(state, journal)
            say(_recover(state, journal, say))
            if generation is None:
                return back
        check_runs_elsewhere(state)
        return _exchange(state, generation, say)


def _recover(state: State, journal: Journal, say: Callable[[str], None]) -> str:
    try:
        with held_off(lambda: say("bringing back what was: one moment")):
            written = undo(state, journal, say)
    except OSError as error:
        raise change_trouble(f"`{state.env}` could not be brought back yet", error, state.folder) from error
    for line in written_text(state, written):
        say(line)
    ends = {
        "snapshot": f"`{state.env}` had not been touched",
        "exchange": f"`{state.env}` is generation {journal.generation} again",
        "apply": f"`{state.env}` is as it was before",
    }
    end = f"what had been made of `{state.env}` was removed" if journal.new else ends[journal.step]
    return f"{journal.reason} was interrupted ({journal.started}): {end}"


def _brought_back(state: State, journal: Journal) -> Generation:
    name = journal.generation
    record = read_record(state, name) if journal.step != "snapshot" else None
    if record is None:
        return Generation(name, journal.started, journal.reason, 0, 0, 0)
    return described(state, name, record)


def _exchange(state: State, wanted: str | None, say: Callable[[str], None]) -> Generation:
    kept = whole(state)
    if not kept:
        raise _none_kept(state)
    name = wanted if wanted is not None else next(iter(kept))
    if name not in kept:
        raise InputError(
            f"there is no generation `{name}` of `{state.env}`",
            cause=[f"kept: {', '.join(kept)}"],
            hint="cudafit rollback --list",
        )
    goal = described(state, name, kept[name])
    if state.exists:
        if os.path.islink(state.env) or not os.path.isdir(state.env):
            raise InputError(f"`{state.env}` is not a folder, so no environment", hint="move it away")
        check_can_be_renamed(state)
    reason = f"rollback to generation {name}"
    try:
        with held_off(lambda: say("bringing back what was: one moment")):
            differences = check_whole(state, name)
            replaced = _keep_present(state, reason)
            journal = journals.begin(state, "exchange", reason, generation=name, replaced=replaced)
            written = exchange(state, journal, differences)
            finish(state)
            clean(state, say)
    except OSError as error:
        raise change_trouble(f"`{state.env}` could not be brought back", error, state.folder) from error
    for line in written_text(state, written):
        say(line)
    return goal


def _keep_present(state: State, reason: str) -> str | None:
    """What is there now gets a number and a manifest; its tree comes when it is renamed."""
    if not state.exists:
        return None
    name = next_id(state)
    manifest = manifest_of(walk(state.env))
    os.mkdir(state.generation(name), 0o700)
    write_manifest(os.path.join(state.generation(name), "manifest.json"), manifest)
    write_record(state, name, Record.of(now(), reason, manifest.files, manifest.size))
    sync_file_system(state.folder)
    return name


def _none_kept(state: State) -> CudafitError:
    return CudafitError(
        f"no earlier state of `{state.env}` is kept", cause=["cudafit has made no change to it that could be undone"]
    )
