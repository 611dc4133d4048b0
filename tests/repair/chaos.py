"""Kills cudafit while it changes an environment, and looks at what is there afterwards.

A program of its own: each victim is a fork of it. `kill -9` comes either before the Nth call that changes the file
system, for every N there is, or at a random moment. The victims are ordinary cudafit code; the counting is put into
`os` in the fork alone.

It prints one line for each kind of trial, `name: trials, old, new`, and stops with an error at the first tree that is
neither.
"""

import itertools
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cudafit.repair.journal import interrupted
from cudafit.repair.rollback import generations, recover, roll_back
from cudafit.repair.transaction import transaction
from tests.repair.trees import Reading, beside, change_env, make_env, reading

Act = Callable[[], object]

CALLS = (
    *("mkdir", "rmdir", "rename", "replace", "link", "symlink", "unlink", "chmod", "fchmod", "utime"),
    *("open", "write", "pwrite", "ftruncate", "fsync", "scandir", "posix_fallocate"),
)


def silent(_text: str) -> None:
    pass


def killed(act: Act, *, at: int | None = None, after_s: float | None = None) -> bool:
    """Whether the victim was killed before it came to its end."""
    victim = os.fork()
    if victim == 0:
        try:
            if at is not None:
                count_down(at)
            act()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    if after_s is not None:
        time.sleep(after_s)
        os.kill(victim, signal.SIGKILL)
    status = os.waitpid(victim, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        sys.exit("a victim failed by itself")
    return os.WIFSIGNALED(status)


def count_down(number: int) -> None:
    """This process is killed before its Nth call."""
    calls = itertools.count(1)

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if next(calls) == number:  # counts in one step, whichever thread calls
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return call

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))


class World:
    """An environment before, the same after the change, and how often each was found."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = 0
        self.env = folder
        self.found: Counter[str] = Counter()
        self.old = reading(self.make())
        change_env(self.env)
        self.new = reading(self.env)

    def next(self) -> None:
        shutil.rmtree(self.folder / str(self.number), ignore_errors=True)
        self.number += 1

    def make(self) -> Path:
        self.next()
        self.env = make_env(self.folder / str(self.number) / ".venv")
        return self.env

    def change(self) -> None:
        with transaction(str(self.env), reason="repair", say=silent):
            change_env(self.env)

    def create(self) -> None:
        with transaction(str(self.env), reason="create", new=True, say=silent):
            make_env(self.env)

    def bring_back(self) -> None:
        if self.number % 2:
            recover(str(self.env), say=silent)
        else:
            roll_back(str(self.env), say=silent)

    def check(self, *, whole: tuple[Reading | None, ...], what: str) -> Reading | None:
        """The tree is one of these; and what is beside it holds nothing half-made, also not later."""
        names = {id(self.old): "old", id(self.new): "new", id(None): "none"}  # for the report
        found = reading(self.env) if os.path.lexists(self.env) else None
        match = [tree for tree in whole if tree == found]
        if not match:
            sys.exit(f"{what}: the tree is neither old nor new: {difference(found or {}, self.old)}")
        if interrupted(str(self.env)) is not None:
            sys.exit(f"{what}: a journal is left")
        recover(str(self.env), say=silent)  # clears away what the victim left
        kept = [one.id for one in generations(str(self.env))]
        if kept and sorted(os.listdir(beside(self.env) / "generations")) != sorted(kept):
            sys.exit(f"{what}: generations {kept}, and {os.listdir(beside(self.env) / 'generations')}")
        if kept and os.listdir(beside(self.env) / "discarded") != ["README"]:
            sys.exit(f"{what}: something is left in discarded")
        self.found[names[id(match[0])]] += 1
        return match[0]

    def report(self, name: str) -> None:
        trials = sum(self.found.values())
        sys.stdout.write(f"{name}: {trials} trials, {self.found['old']} old, {self.found['new']} new\n")
        self.found.clear()


def difference(one: Reading, other: Reading) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))[:10]


def every_step_of_a_change(world: World) -> None:
    """After a kill with a journal, the old tree comes back; without one, it is the old or the new tree."""
    at = 0
    while True:
        at += 1
        world.make()
        if not killed(world.change, at=at):
            break
        if interrupted(str(world.env)) is not None:
            world.bring_back()
            world.check(whole=(world.old,), what=f"change killed at call {at}")
        elif world.check(whole=(world.old, world.new), what=f"change killed at call {at}") is world.new:
            roll_back(str(world.env), say=silent)
            world.check(whole=(world.old,), what=f"change killed at call {at}, rolled back")
    world.report("every step of a change")


def every_step_of_a_creation(world: World) -> None:
    at = 0
    while True:
        at += 1
        world.next()
        world.env = world.folder / str(world.number) / "env"
        world.env.parent.mkdir()
        if not killed(world.create, at=at):
            break
        if interrupted(str(world.env)) is not None:
            world.bring_back()
            world.check(whole=(None,), what=f"creation killed at call {at}")
        else:
            world.check(whole=(None, world.old), what=f"creation killed at call {at}")
    world.report("every step of a creation")


def every_step_of_a_roll_back(world: World) -> None:
    """Nothing is lost: the tree that is not there can be brought back."""
    at = 0
    while True:
        at += 1
        world.make()
        world.change()
        if not killed(lambda: roll_back(str(world.env), say=silent), at=at):
            break
        if interrupted(str(world.env)) is not None:
            world.bring_back()
            there = world.check(whole=(world.old,), what=f"roll back killed at call {at}")
        else:
            there = world.check(whole=(world.old, world.new), what=f"roll back killed at call {at}")
        roll_back(str(world.env), say=silent)
        world.check(
            whole=(world.new if there is world.old else world.old,), what=f"roll back killed at {at}, and again"
        )
    world.report("every step of a roll back")


def every_step_of_a_recovery(world: World) -> None:
    """A change is killed when all is changed but nothing is committed; its recovery is killed; then it is recovered."""

    def change_all() -> None:
        with transaction(str(world.env), reason="repair", say=silent):
            change_env(world.env)
            os.kill(os.getpid(), signal.SIGKILL)

    at = 0
    while True:
        at += 1
        world.make()
        killed(change_all)
        if not killed(world.bring_back, at=at):
            break
        if interrupted(str(world.env)) is not None:
            recover(str(world.env), say=silent)
        world.check(whole=(world.old,), what=f"recovery killed at call {at}")
    world.report("every step of a recovery")


def random_moments(world: World, trials: int) -> None:
    """The change, and then its recovery until one is quick enough, are killed whenever it may be."""
    world.make()
    start = time.perf_counter()
    killed(world.change)
    whole_s = time.perf_counter() - start
    for trial in range(trials):
        world.make()
        killed(world.change, after_s=random.uniform(0, 1.1 * whole_s))
        pending = interrupted(str(world.env)) is not None
        while interrupted(str(world.env)) is not None and killed(
            world.bring_back, after_s=random.uniform(0, 0.7 * whole_s)
        ):
            pass
        world.check(whole=(world.old,) if pending else (world.old, world.new), what=f"random moment {trial}")
    world.report("random moments")


def main() -> None:
    world = World(Path(sys.argv[1]))
    every_step_of_a_change(world)
    every_step_of_a_creation(world)
    every_step_of_a_roll_back(world)
    every_step_of_a_recovery(world)
    random_moments(world, int(sys.argv[2]))


if __name__ == "__main__":
    main()
