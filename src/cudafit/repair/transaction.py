"""A change to an environment that happens wholly or not at all."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cudafit.errors import CudafitError, InputError
from cudafit.model.frozen import frozen
from cudafit.repair import journal as journals
from cudafit.repair.checks import check_can_be_renamed, check_environment, check_runs_elsewhere, check_writable
from cudafit.repair.durable import sync_file_system, sync_folder
from cudafit.repair.generations import Record, clean, discard, empty_discarded, next_id, write_record
from cudafit.repair.interrupts import held_off
from cudafit.repair.journal import Journal
from cudafit.repair.lock import holder, locked
from cudafit.repair.manifest import write_manifest
from cudafit.repair.restore import finish, undo, written_text
from cudafit.repair.room import check_room, walk_whole
from cudafit.repair.snapshot import take_snapshot
from cudafit.repair.state import State, check_trusted, remove_if_unused, state_of
from cudafit.repair.trouble import cause_of, change_trouble

WAIT_S = 600.0


class RolledBack(CudafitError):  # noqa: N818 - it is the outcome that callers ask for
    """A change failed, and everything is as it was before."""

    exit_code = 4


@frozen
class Change:
    """What is being changed. `env` is the real folder, and `generation` what it was (None where it is new).

    `waited`: another cudafit changed it first, so what was planned before may no longer fit. `lock` is a file
    descriptor for the programs that do the work: they keep the lock should this process be killed.
    """

    env: str
    generation: str | None
    reason: str
    waited: bool
    lock: int


def _silent(_text: str) -> None:
    """Says nothing."""


@contextmanager
def transaction(
    env: str, *, reason: str, new: bool = False, wait_s: float = WAIT_S, say: Callable[[str], None] = _silent
) -> Iterator[Change]:
    """The environment may be changed inside; on the normal way out the change stays, on any other it never was.

    Raises InputError and CudafitError before anything is changed; RolledBack, from the error, when the change failed.
    Ctrl-C stays KeyboardInterrupt. With `new` there must be no environment yet, and rolling back removes what was made.
    """
    state = state_of(env)
    if check_trusted(state) and holder(state) is None:
        _check_nothing_unfinished(state)
    _check(state, env, new, say)
    with locked(state, wait_s, say) as lock:
        _check_nothing_unfinished(state)
        if lock.waited:
            _check(state, env, new, say)
        empty_discarded(state, say)
        try:
            journal = (_begin_new if new else _begin)(state, reason)
        except BaseException:
            remove_if_unused(state)
            raise
        committed = False
        try:
            yield Change(state.env, None if new else journal.generation, reason, lock.waited, lock.descriptor)
            with held_off(lambda: say("the change is complete, and stays")):
                _commit(state)
                committed = True
                clean(state, say)
                remove_if_unused(state)
        except BaseException as error:
            if committed:
                raise  # Ctrl-C that was held off until the change was complete
            _roll_back(state, journal, error, say)


def _check(state: State, env: str, new: bool, say: Callable[[str], None]) -> None:
    if new:
        _check_nothing_there(state, env)
    else:
        check_environment(state)
        check_runs_elsewhere(state)
        if os.path.islink(env.rstrip(os.sep)):
            say(f"`{env}` is a link; the environment that is changed is `{state.env}`")
    check_writable(state)


def _check_nothing_there(state: State, env: str) -> None:
    if os.path.lexists(env) or state.exists:
        raise InputError(f"`{env}` exists already", hint="choose another place, or repair it: `cudafit repair`")
    if not os.path.isdir(state.parent):
        raise InputError(f"there is no folder `{state.parent}`", hint=f"mkdir -p '{state.parent}'")


def _check_nothing_unfinished(state: State) -> None:
    journal = journals.read(state)
    if journal is not None:
        raise CudafitError(
            f"an earlier change of `{state.env}` was interrupted",
            cause=[f"{journal.reason}, started {journal.started} by `{journal.command}`, in the step `{journal.step}`"],
            hint=f"cudafit rollback '{state.env}'",
        )


def _begin_new(state: State, reason: str) -> Journal:
    try:
        return journals.begin(state, "apply", reason, generation=next_id(state), new=True)
    except OSError as error:
        raise change_trouble(f"`{state.env}` cannot be made safely", error, state.folder) from error


def _begin(state: State, reason: str) -> Journal:
    """Take the snapshot, and write down that it is whole. Until then nothing but cudafit's own folder is touched."""
    check_can_be_renamed(state)
    found = walk_whole(state)
    check_room(state, found)
    name = next_id(state)
    try:
        journal = journals.begin(state, "snapshot", reason, generation=name)
        try:
            os.mkdir(state.generation(name), 0o700)
            manifest = take_snapshot(state.env, found.entries, state.tree(name))
            write_manifest(os.path.join(state.generation(name), "manifest.json"), manifest)
            sync_file_system(state.folder)
            write_record(state, name, Record.of(journal.started, reason, manifest.files, manifest.size))
            sync_folder(state.generations)
            journal = journals.advance(state, journal, "apply")
        except BaseException:
            _forget(state, name)
            raise
    except OSError as error:
        raise change_trouble(f"`{state.env}` could not be kept, so it was not changed", error, state.folder) from error
    return journal


def _forget(state: State, name: str) -> None:
    """The snapshot came to nothing. What cannot be cleared away now is cleared away by the next cudafit."""
    with held_off(lambda: None):
        try:
            discard(state, name)
            finish(state)
            empty_discarded(state, _silent)
        except OSError:
            return


def _commit(state: State) -> None:
    """The moment of change is the journal's removal; what was written is on the disk by then."""
    try:
        finish(state)
    except OSError as error:
        raise change_trouble(f"`{state.env}` could not be written to the disk", error, state.folder) from error


def _roll_back(state: State, journal: Journal, error: BaseException, say: Callable[[str], None]) -> None:
    """Raises what the caller is to see."""
    try:
        with held_off(lambda: say("bringing back what was: one moment")):
            written = undo(state, journal, say)
    except (OSError, CudafitError) as failure:
        raise _stuck(state, error, failure) from error
    if not isinstance(error, Exception):
        for line in written_text(state, written):
            say(line)
        raise error
    raise _rolled_back(state, journal, error, written) from error


def _rolled_back(state: State, journal: Journal, error: Exception, written: tuple[str, ...]) -> RolledBack:
    after = "was removed again" if journal.new else "is as it was before"
    hint = error.hint if isinstance(error, CudafitError) else None
    return RolledBack(
        f"{journal.reason} failed, and `{state.env}` {after}",
        cause=[*_told(state, error), *written_text(state, written)],
        hint=hint,
    )


def _stuck(state: State, error: BaseException, failure: OSError | CudafitError) -> CudafitError:
    return CudafitError(
        f"the change of `{state.env}` failed, and it could not be brought back yet",
        cause=[*_told(state, error), *_told(state, failure)],
        hint=f"cudafit rollback '{state.env}'",
    )


def _told(state: State, error: BaseException) -> list[str]:
    if isinstance(error, CudafitError):
        return [error.what, *error.cause]
    if isinstance(error, OSError):
        return cause_of(error, state.env)
    return [f"{type(error).__name__}: {error}" if str(error) else type(error).__name__]
