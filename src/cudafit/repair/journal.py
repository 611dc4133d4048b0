"""What is under way, written down before it is done: the one file that tells a later cudafit how to end it.

`snapshot`: the environment has not been touched. `apply`: it may be half changed, and the generation named is whole.
`exchange`: the environment becomes generation `replaced`, and generation `generation` becomes the environment.

A journal names a step and numbers, never a place: every path follows from the environment's own. So a journal that
somebody else wrote, or that came along in an archive, leads nowhere.
"""

import json
from dataclasses import replace

from cudafit.errors import CudafitError
from cudafit.model.frozen import frozen
from cudafit.model.record import RecordError, from_plain, to_plain
from cudafit.repair.lock import holder, this_process
from cudafit.repair.state import ID, Held, State, check_trusted, state_of
from cudafit.system.commands import command_text
from cudafit.system.durable import write_durably
from cudafit.system.folders import read_own
from cudafit.system.secrets import redacted

NAME = "journal.json"
SCHEMA = "cudafit.journal/1"
STEPS = ("snapshot", "apply", "exchange")
_LIMIT = 1 << 16


@frozen
class Journal:
    schema: str
    step: str
    environment: str  # the folder's name: a journal copied along with its folder to another environment is found out
    new: bool  # there was no environment before
    generation: str
    replaced: str | None
    reason: str
    started: str
    pid: int
    host: str
    command: str


def begin(
    held: Held, step: str, reason: str, *, generation: str, new: bool = False, replaced: str | None = None
) -> Journal:
    """Write the journal's first step; raises OSError."""
    me = this_process()
    journal = Journal(SCHEMA, step, held.name, new, generation, replaced, reason, me.since, me.pid, me.host, me.command)
    _write(held, journal)
    return journal


def advance(held: Held, journal: Journal, step: str) -> Journal:
    """Write the next step; raises OSError."""
    further = replace(journal, step=step)
    _write(held, further)
    return further


def _write(held: Held, journal: Journal) -> None:
    write_durably(NAME, json.dumps(to_plain(journal), indent=1).encode(), held.at_folder)


def read(state: State) -> Journal | None:
    """The journal of an unfinished change, if there is one; raises CudafitError for one that cannot be believed."""
    try:
        data = read_own(state.journal, _LIMIT)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _broken(state, f"{error.strerror}") from error
    try:
        journal = from_plain(Journal, json.loads(data))
    except RecordError as error:
        raise _broken(state, str(error)) from error
    except (ValueError, RecursionError):
        raise _broken(state, "it is not JSON") from None
    fault = _fault(state, journal)
    if fault:
        raise _broken(state, fault)
    return replace(journal, reason=redacted(journal.reason), command=redacted(journal.command))


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
    found = read(state)
    if found is None:
        return None
    return Interrupted(
        state.env, found.step, found.reason, found.started, found.pid, found.host, found.command, running
    )


def _fault(state: State, journal: Journal) -> str | None:
    if journal.schema != SCHEMA:
        return f"its schema is `{journal.schema[:40]}`, and this cudafit writes `{SCHEMA}`"
    if journal.environment != state.name:
        return f"it speaks of an environment named `{journal.environment[:80]}`"
    if journal.step not in STEPS:
        return f"it names a step `{journal.step[:40]}` that there is not"
    if any(name is not None and not ID.fullmatch(name) for name in (journal.generation, journal.replaced)):
        return "it names a generation that cannot be one"
    if journal.new and journal.step != "apply":
        return f"it speaks of a new environment in the step `{journal.step}`"
    return None


def _broken(state: State, cause: str) -> CudafitError:
    listed = command_text("cudafit", "rollback", state.env, "--list")
    return CudafitError(
        f"the journal `{state.journal}` is broken, or was not written by this cudafit",
        cause=[cause, "so it is not known what state the environment is in; nothing was changed"],
        hint=f"look at it and at `{listed}`; remove that file to take the environment as it is now",
    )
