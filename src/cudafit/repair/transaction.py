"""A change to an environment that happens wholly or not at all."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from cudafit.errors import CudafitError, InputError
from cudafit.model.frozen import frozen
from cudafit.repair import journal as journals
from cudafit.repair import parts
from cudafit.repair.beside import keep, kept, put
from cudafit.repair.checks import (
    check_can_be_renamed,
    check_environment,
    check_packages,
    check_runs_elsewhere,
    check_writable,
)
from cudafit.repair.generations import Kept, clean, discard, empty_discarded, generation, next_id, write_record
from cudafit.repair.journal import Journal
from cudafit.repair.lock import holder, locked
from cudafit.repair.manifest import write_manifest
from cudafit.repair.reserve import keep_reserve
from cudafit.repair.restore import finish, undo, written_text
from cudafit.repair.room import check_room, walk_whole
from cudafit.repair.snapshot import take_snapshot
from cudafit.repair.state import Held, State, check_trusted, remove_if_unused, state_of
from cudafit.repair.trouble import cause_of, change_trouble
from cudafit.repair.walk import Walk
from cudafit.system.commands import command_text
from cudafit.system.durable import sync_file_system
from cudafit.system.interrupts import held_off, stoppable

WAIT_S = 600.0


class RolledBack(CudafitError):  # noqa: N818 - it is the outcome that callers ask for
    """A change failed, and everything is as it was before."""

    exit_code = 4


def _nothing_staged(_out: Iterable[str]) -> None:
    """An environment is changed in its place."""


@frozen
class Underway:
    """What is being changed. `env` is the real folder, and `generation` what it was (None where it is new).

    `waited`: another cudafit changed it first, so what was planned before may no longer fit. `lock` is a file
    descriptor for the programs that do the work: they keep the lock should this process be killed.
    """

    env: str
    generation: str | None
    reason: str
    waited: bool
    lock: int
    put: Callable[[str, bytes], None]  # replaces a file of the project that was kept
    stage: str = ""  # of a folder of packages: where what comes is laid ready, as below its prefix
    exchange: Callable[[Iterable[str]], None] = _nothing_staged  # these files go, by path below the prefix; those come


def _silent(_text: str) -> None:
    """Says nothing."""


def _anything(_found: Walk) -> None:
    """Finds nothing in the way."""


@contextmanager
def transaction(
    env: str,
    *,
    reason: str,
    new: bool = False,
    wait_s: float = WAIT_S,
    say: Callable[[str], None] = _silent,
    check: Callable[[Walk], None] = _anything,
    beside: Sequence[str] = (),
    project: str = "",
) -> Iterator[Underway]:
    """The environment may be changed inside; on the normal way out the change stays, on any other it never was.

    Raises InputError and CudafitError before anything is changed; RolledBack, from the error, when the change failed.
    Ctrl-C stays KeyboardInterrupt, and the other signals that ask a program to stop become one. With `new` there must
    be no environment yet, and rolling back removes what was made. `check` looks at what there is, and raises where the
    change would reach something else. `beside` are files in the folder around it, or in `project`, that change with it.
    """
    state = state_of(env)
    if check_trusted(state) and holder(state) is None:
        _check_nothing_unfinished(state)
    _check(state, env, new, say)
    with stoppable(), locked(state, wait_s, say) as lock:
        held = lock.held
        _check_nothing_unfinished(state)
        if lock.waited:
            _check(state, env, new, say)
        empty_discarded(held, say)
        journal: Journal | None = None
        committed = False
        try:
            if held.in_parts and not new:
                journal = _begin_parts(held, reason)
                stage, exchange = held.stage(journal.generation), partial(_exchange_parts, held, journal)
                yield Underway(
                    state.env, journal.generation, reason, lock.waited, lock.descriptor, _none, stage, exchange
                )
            else:
                journal = _begin_new(held, reason) if new else _begin(held, reason, check, beside, project)
                files = kept(held, journal.generation) if beside else ()
                told = None if new else journal.generation
                yield Underway(
                    state.env, told, reason, lock.waited, lock.descriptor, partial(put, held, files, project)
                )
            with held_off(lambda: say("the change is complete, and stays")):
                _commit(held, journal.generation)
                committed = True
                clean(held, say)
                remove_if_unused(held)
        except BaseException as error:
            if committed:
                raise  # a signal that was held off until the change was complete
            with held_off(lambda: say("bringing back what was: one moment")):
                journal = journals.read(state) or journal  # a signal came before it was known here, or it went on
                written = _undone(held, journal, error, say)
            if journal is None or not isinstance(error, Exception):
                raise
            raise _rolled_back(state, journal, error, written) from error


def _check(state: State, env: str, new: bool, say: Callable[[str], None]) -> None:
    if new:
        _check_nothing_there(state, env)
    else:
        (check_packages if state.in_parts else check_environment)(state)
        check_runs_elsewhere(state)
        if os.path.islink(env.rstrip(os.sep)):
            say(f"`{env}` is a link; the environment that is changed is `{state.env}`")
    check_writable(state)


def _check_nothing_there(state: State, env: str) -> None:
    if os.path.lexists(env) or state.exists:
        raise InputError(f"`{env}` exists already", hint="choose another place, or repair it: `cudafit repair`")
    if not os.path.isdir(state.parent):
        raise InputError(f"there is no folder `{state.parent}`", hint=command_text("mkdir", "-p", state.parent))


def _check_nothing_unfinished(state: State) -> None:
    journal = journals.read(state)
    if journal is not None:
        raise CudafitError(
            f"an earlier change of `{state.env}` was interrupted",
            cause=[f"{journal.reason}, started {journal.started} by `{journal.command}`, in the step `{journal.step}`"],
            hint=command_text("cudafit", "rollback", state.env),
        )


def _begin_new(state: Held, reason: str) -> Journal:
    try:
        return journals.begin(state, "apply", reason, generation=next_id(state), new=True)
    except OSError as error:
        raise change_trouble(f"`{state.env}` cannot be made safely", error, state.folder) from error


def _begin(state: Held, reason: str, check: Callable[[Walk], None], beside: Sequence[str], project: str) -> Journal:
    """Take the snapshot, and write down that it is whole. Until then nothing but cudafit's own folder is touched."""
    check_can_be_renamed(state)
    found = walk_whole(state)
    check(found)
    check_room(state, found)
    name = next_id(state)
    try:
        journal = journals.begin(state, "snapshot", reason, generation=name)
        try:
            with generation(state, name, new=True) as folder:
                manifest = take_snapshot(state.env, found.entries, state.tree(name))
                keep_reserve(state, write_manifest(manifest, folder))
                sync_file_system(state.at_folder)
                files = keep(state, folder, beside, project)
                record = Kept.of(journal.started, reason, manifest.files, manifest.size, files, project)
                write_record(record, folder)
            os.fsync(state.at_generations)
            journal = journals.advance(state, journal, "apply")
        except BaseException:
            _forget(state, name)
            raise
    except OSError as error:
        raise change_trouble(f"`{state.env}` could not be kept, so it was not changed", error, state.folder) from error
    return journal


def _none(_name: str, _data: bytes) -> None:
    """No project's files lie beside the packages of a Python."""


def _begin_parts(state: Held, reason: str) -> Journal:
    """A folder for what comes. Until the exchange nothing but cudafit's own folder is touched."""
    name = next_id(state)
    try:
        journal = journals.begin(state, "snapshot", reason, generation=name)
        with generation(state, name, new=True) as folder:
            os.mkdir(parts.STAGE, 0o700, dir_fd=folder)
            os.mkdir(parts.TREE, 0o700, dir_fd=folder)
    except OSError as error:
        raise change_trouble(f"`{state.env}` cannot be changed safely", error, state.folder) from error
    return journal


def _exchange_parts(state: Held, journal: Journal, out: Iterable[str]) -> None:
    """Writes down which files go and which come, and then moves them. Raises CudafitError."""
    name = journal.generation
    try:
        with generation(state, name) as folder:
            moves = parts.write_moves(state, name, folder, out)
            size = sum(one.size for one in moves.out)
            write_record(Kept.of(journal.started, journal.reason, len(moves.out), size), folder)
        sync_file_system(state.at_folder)
        os.fsync(state.at_generations)
        journals.advance(state, journal, "apply")
        parts.forward(state, name)
    except OSError as error:
        raise change_trouble(f"the packages in `{state.env}` could not be exchanged", error, state.folder) from error


def _forget(state: Held, name: str) -> None:
    """The snapshot came to nothing. What cannot be cleared away now is cleared away by the next cudafit."""
    with held_off():
        try:
            discard(state, name)
            finish(state)
            empty_discarded(state, _silent)
        except OSError:
            return


def _commit(state: Held, name: str) -> None:
    """The moment of change is the journal's removal; what was written is on the disk by then."""
    try:
        finish(state)
        if state.in_parts:
            parts.tidy(state, name)
    except OSError as error:
        raise change_trouble(f"`{state.env}` could not be written to the disk", error, state.folder) from error


def _undone(state: Held, journal: Journal | None, error: BaseException, say: Callable[[str], None]) -> tuple[str, ...]:
    """The files that could not be brought back. Raises CudafitError where nothing could."""
    if journal is None:
        remove_if_unused(state)
        return ()
    try:
        written = undo(state, journal, say)
    except (OSError, CudafitError) as failure:
        raise _stuck(state, error, failure) from error
    if not isinstance(error, Exception):
        for line in written_text(state, written):
            say(line)
    return written


def _rolled_back(state: State, journal: Journal, error: Exception, written: tuple[str, ...]) -> RolledBack:
    after = "was removed again" if journal.new else "is as it was before"
    hint = error.hint if isinstance(error, CudafitError) else None
    return RolledBack(
        f"{journal.reason} failed, and `{state.env}` {after}",
        cause=[*told_of(state.env, error), *written_text(state, written)],
        hint=hint,
    )


def _stuck(state: State, error: BaseException, failure: OSError | CudafitError) -> CudafitError:
    return CudafitError(
        f"the change of `{state.env}` failed, and it could not be brought back yet",
        cause=[*told_of(state.env, error), *told_of(state.env, failure)],
        hint=command_text("cudafit", "rollback", state.env),
    )


def told_of(env: str, error: BaseException) -> list[str]:
    """What went wrong, as the cause of an error."""
    if isinstance(error, CudafitError):
        return [error.what, *error.cause]
    if isinstance(error, OSError):
        return cause_of(error, env)
    return [f"{type(error).__name__}: {error}" if str(error) else type(error).__name__]
