"""A new environment: in a transaction, and plainly on Windows, which lacks what a transaction needs.

Plainly is: in its place, and removed where that fails. What is there is never replaced so, and nothing can be lost. A
mark beside the environment stays locked while it is being made; a mark that nobody holds tells of one that a killed
process left behind.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cudafit.errors import CudafitError, InputError
from cudafit.repair.transaction import RolledBack, Underway, told_of, transaction
from cudafit.system.commands import command_text
from cudafit.system.interrupts import held_off, stoppable
from cudafit.system.posix import lock_file, posix


def plainly() -> bool:
    return os.name == "nt"


@contextmanager
def new_environment(env: str, say: Callable[[str], None]) -> Iterator[tuple[Underway, bool]]:
    """An environment is made inside, where none is or in place of one; tells whether there is one. Raises as
    `transaction` does."""
    there = os.path.isdir(env)
    if there and not os.listdir(env):
        os.rmdir(env)
        there = False
    if plainly():
        with made_plainly(env, say) as change:
            yield change, False
        return
    with transaction(env, reason="create", new=not there, say=say) as change:
        yield change, there


def is_left_over(path: str) -> bool:
    """Whether a `create` has begun it and has not come to its end."""
    return os.path.lexists(_mark_of(os.path.realpath(path)))


@contextmanager
def made_plainly(path: str, say: Callable[[str], None]) -> Iterator[Underway]:
    """Raises InputError and CudafitError before anything is made; RolledBack when it failed, and was removed."""
    env = os.path.realpath(path)
    parent = os.path.dirname(env)
    if not os.path.isdir(parent):
        raise InputError(f"there is no folder `{parent}`", hint=command_text("mkdir", parent))
    with stoppable():
        if os.path.lexists(env) and not is_left_over(path):
            raise InputError(
                f"there is an environment in `{path}`, and on Windows none is replaced",
                hint="remove its folder, or name another one",
            )
        mark = _taken(env)
        try:
            if os.path.lexists(env):
                say(f"removing what an earlier `create` left of `{path}`")
                shutil.rmtree(env)
            yield Underway(env, None, "create", False, mark, _no_files)
        except BaseException as error:
            with held_off(lambda: say("removing what was made: one moment")):
                shutil.rmtree(env, ignore_errors=True)
                _let_go(mark, env, keep=os.path.lexists(env))
            if not isinstance(error, Exception):
                raise
            raise _rolled_back(env, error) from error
        _let_go(mark, env)


def _no_files(_name: str, _data: bytes) -> None:
    """A new environment is made beside a project, and changes none."""


def _mark_of(env: str) -> str:
    parent, name = os.path.split(env)
    return os.path.join(parent, f".cudafit-{name}.unfinished")


def _taken(env: str) -> int:
    descriptor = os.open(_mark_of(env), os.O_RDWR | os.O_CREAT | posix.O_NOFOLLOW | posix.O_CLOEXEC, 0o600)
    try:
        lock_file(descriptor, shared=False)
    except BlockingIOError:
        os.close(descriptor)
        raise CudafitError(f"`{env}` is being made by another cudafit", hint="wait for it to end") from None
    return descriptor


def _let_go(mark: int, env: str, *, keep: bool = False) -> None:
    os.close(mark)  # first: Windows removes no file that is open
    if not keep:
        with contextlib.suppress(OSError):
            os.unlink(_mark_of(env))


def _rolled_back(env: str, error: Exception) -> RolledBack:
    there = os.path.lexists(env)
    after = "could not be removed: the next `cudafit create` there does it" if there else "was removed again"
    hint = error.hint if isinstance(error, CudafitError) else None
    return RolledBack(f"create failed, and `{env}` {after}", cause=told_of(env, error), hint=hint)
