"""The ways back: after a change that was cut off, and to an earlier state."""

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence

from cudafit.errors import CudafitError, InputError
from cudafit.repair import journal as journals
from cudafit.repair.beside import kept, present, project_of
from cudafit.repair.checks import check_can_be_renamed, check_runs_elsewhere, check_writable
from cudafit.repair.generations import (
    Generation,
    Kept,
    clean,
    described,
    disk_use,
    empty_discarded,
    generation,
    next_id,
    read_record,
    whole,
    write_record,
)
from cudafit.repair.journal import Journal
from cudafit.repair.lock import locked, now
from cudafit.repair.manifest import manifest_of, write_manifest
from cudafit.repair.parts import write_back
from cudafit.repair.reserve import give_up_reserve, keep_reserve
from cudafit.repair.restore import check_whole, exchange, finish, undo, written_text
from cudafit.repair.state import Held, State, check_trusted, remove_if_unused, state_of
from cudafit.repair.trouble import change_trouble, is_full
from cudafit.repair.walk import walk
from cudafit.system.commands import command_text
from cudafit.system.durable import sync_file_system
from cudafit.system.folders import remove_tree
from cudafit.system.interrupts import held_off, stoppable

WAIT_S = 600.0


def generations(env: str) -> tuple[Generation, ...]:
    """What can be gone back to, newest first. Reads only."""
    state = state_of(env)
    if not check_trusted(state):
        return ()
    return tuple(described(state, name, record) for name, record in whole(state).items())


def kept_bytes(env: str) -> int:
    """The disk that the generations take for themselves. Reads only."""
    state = state_of(env)
    return disk_use(state) if check_trusted(state) else 0


def clear(env: str, *, say: Callable[[str], None], wait_s: float = WAIT_S) -> int:
    """Remove all generations: nothing can be brought back then. Returns the bytes that this freed; raises CudafitError
    where a change was interrupted, which needs what is kept."""
    state = state_of(env)
    if not check_trusted(state):
        raise _none_kept(state)
    check_writable(state)
    with stoppable(), locked(state, wait_s, say) as lock:
        if journals.read(state) is not None:
            raise CudafitError(
                f"a change of `{state.env}` was interrupted, and what is kept is needed to end it",
                hint=command_text("cudafit", "rollback", state.env),
            )
        before = disk_use(state)
        clean(lock.held, say, kept=0)
        freed = before - disk_use(state)
        remove_if_unused(lock.held)
    return freed


def recover(env: str, *, say: Callable[[str], None], wait_s: float = WAIT_S) -> str:
    """End what was interrupted, and tell how. It may itself be killed, and called again."""
    state = state_of(env)
    nothing = f"no change of `{state.env}` was interrupted"
    if not check_trusted(state):
        return nothing
    with stoppable(), locked(state, wait_s, say) as lock:
        journal = journals.read(state)
        if journal is None:
            clean(lock.held, say)
            remove_if_unused(lock.held)
            return nothing
        return _recover(lock.held, journal, say)


def roll_back(env: str, wanted: str | None = None, *, say: Callable[[str], None], wait_s: float = WAIT_S) -> Generation:
    """Go back to a generation, by default the newest; what is there now becomes one, so going back can be undone.

    After an interrupted change the state before it comes back; that is all, unless a generation is named.
    """
    state = state_of(env)
    if not check_trusted(state):
        raise _none_kept(state)
    check_writable(state)
    with stoppable(), locked(state, wait_s, say) as lock:
        journal = journals.read(state)
        if journal is not None:
            back = _brought_back(state, journal)
            say(_recover(lock.held, journal, say))
            if wanted is None:
                return back
        check_runs_elsewhere(state)
        return _exchange(lock.held, wanted, say)


def _recover(state: Held, journal: Journal, say: Callable[[str], None]) -> str:
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


def _exchange(state: Held, wanted: str | None, say: Callable[[str], None]) -> Generation:
    there = whole(state)
    if not there:
        raise _none_kept(state)
    name = wanted if wanted is not None else next(iter(there))
    if name not in there:
        raise InputError(
            f"there is no generation `{name}` of `{state.env}`",
            cause=[f"kept: {', '.join(there)}"],
            hint=command_text("cudafit", "rollback", state.env, "--list"),
        )
    goal = described(state, name, there[name])
    if state.exists:
        if os.path.islink(state.env) or not os.path.isdir(state.env):
            raise InputError(f"`{state.env}` is not a folder, so no environment", hint="move it away")
        if not state.in_parts:
            check_can_be_renamed(state)
    written: tuple[str, ...] = ()
    try:
        with held_off(lambda: say("bringing back what was: one moment")):
            for step in _steps_to(state, name, there):
                differences = check_whole(state, step)
                journal, size = _written_down(state, step, f"rollback to generation {step}", say)
                written = exchange(state, journal, differences)
                finish(state)
            clean(state, say)
            with contextlib.suppress(OSError):  # on a disk that is full; going back succeeded all the same
                keep_reserve(state, size)
    except OSError as error:
        raise change_trouble(f"`{state.env}` could not be brought back", error, state.folder) from error
    for line in written_text(state, written):
        say(line)
    return goal


def _steps_to(state: State, name: str, there: Mapping[str, Kept]) -> Sequence[str]:
    """Of files that were kept one change after the other, one change after the other is taken back."""
    names = list(there)
    return names[: names.index(name) + 1] if state.in_parts else [name]


def _written_down(state: Held, wanted: str, reason: str, say: Callable[[str], None]) -> tuple[Journal, int]:
    """The journal, and the size of the manifest of what is there now. Where the disk is full, what is no longer needed
    makes room, and then what was set aside for this."""
    for make_room in (lambda: empty_discarded(state, say), lambda: give_up_reserve(state)):
        try:
            return _write_down(state, wanted, reason)
        except OSError as error:
            if not is_full(error):
                raise
        make_room()
    return _write_down(state, wanted, reason)


def _write_down(state: Held, wanted: str, reason: str) -> tuple[Journal, int]:
    """What is there now gets a number and a manifest; its tree comes when it is renamed."""
    if not state.exists:
        return journals.begin(state, "exchange", reason, generation=wanted), 0
    name = next_id(state)
    if state.in_parts:
        return _write_down_parts(state, name, wanted, reason)
    manifest = manifest_of(walk(state.env))
    try:
        with generation(state, name, new=True) as folder:
            size = write_manifest(manifest, folder)
            project = project_of(state, wanted)
            files = present(state, [one.name for one in kept(state, wanted)], project)
            write_record(Kept.of(now(), reason, manifest.files, manifest.size, files, project), folder)
        sync_file_system(state.at_folder)
        return journals.begin(state, "exchange", reason, generation=wanted, replaced=name), size
    except OSError:
        with contextlib.suppress(OSError):
            remove_tree(name, state.at_generations)
        raise


def _write_down_parts(state: Held, name: str, wanted: str, reason: str) -> tuple[Journal, int]:
    try:
        with generation(state, name, new=True) as folder:
            moves = write_back(state, wanted, folder)
            write_record(Kept.of(now(), reason, len(moves.out), sum(one.size for one in moves.out)), folder)
        sync_file_system(state.at_folder)
        return journals.begin(state, "exchange", reason, generation=wanted, replaced=name), 0
    except OSError:
        with contextlib.suppress(OSError):
            remove_tree(name, state.at_generations)
        raise


def _none_kept(state: State) -> CudafitError:
    return CudafitError(
        f"no earlier state of `{state.env}` is kept", cause=["cudafit has made no change to it that could be undone"]
    )
