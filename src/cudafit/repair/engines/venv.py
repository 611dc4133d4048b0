"""Venvs by uv, and what pip put into a conda prefix: filled from locks with a hash for each file."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from cudafit.atomic import write_text
from cudafit.doctor.whole import request_of
from cudafit.doctor.wish import has_frameworks, wish_of
from cudafit.doctor.world import World
from cudafit.errors import CudafitError
from cudafit.lock.formats.pylock import pylock_text
from cudafit.lock.order import PYTORCH, Order
from cudafit.lock.requirements_txt import entry, requirements_text
from cudafit.lock.sizes import sizes_of
from cudafit.lock.uv import Compiled, compiled
from cudafit.model.environment import CONDA, VENV, Environment
from cudafit.model.finding import Report, Wish
from cudafit.model.plan import HASHED, Checks, Made, Package, Plan
from cudafit.model.versions import major_minor
from cudafit.render.counts import counted
from cudafit.repair.distributions import installed_files, remove_broken
from cudafit.repair.engines.engine import Means, Prepared, unchecked
from cudafit.repair.engines.plans import fit_for, not_as_planned
from cudafit.repair.engines.uv import install, make_venv, uninstall
from cudafit.repair.engines.venv_locks import Lock, given_lock, interpreter_of
from cudafit.repair.engines.venv_plan import plan_of, preferred, versions_in
from cudafit.repair.links import Reach
from cudafit.repair.making import new_environment
from cudafit.repair.transaction import Underway
from cudafit.resolve.host import Host
from cudafit.system.commands import command_text, path_word
from cudafit.system.secrets import without_login

KEPT_LOCK = "pylock.cudafit.toml"


class VenvEngine:
    """Of one venv, or of pip's side of a conda prefix."""

    kind = VENV
    shop = "index"
    keeps_files = False

    def __init__(self, path: str) -> None:
        self.path = path

    def wish(self, report: Report, environment: Environment, _means: Means) -> Wish:
        wish = wish_of(report.findings, VENV)
        if not wish.empty and environment.kind == CONDA and has_frameworks(environment):
            raise CudafitError(
                f"`{environment.path}` has frameworks of conda, and the fix is one of pip's packages",
                hint=f"`{command_text('cudafit', 'doctor', '--env', path_word(environment.path))}` shows it",
            )
        return wish

    def plan(self, wish: Wish, world: World, environment: Environment, means: Means) -> Prepared[Lock]:
        facts = world.facts
        request = request_of(wish.change, environment, facts)
        answer = fit_for(wish, request, world)
        order = Order(resolution=answer, wanted=request.wanted, indexes=means.indexes)
        made = compiled(order, means.environ, preferred=preferred(environment, wish, facts), from_cache=True)
        elsewhere = {pick.name: pick.index_name for pick in answer.picks if pick.index_name.startswith(PYTORCH)}
        plan = plan_of(wish, environment, facts, {one.name: one.version for one in made.packages}, elsewhere)
        coming = {step.package for step in plan.coming}
        packages = [one for one in made.packages if one.name in coming]
        sizes = {} if made.remembered else sizes_of(packages, order)
        steps = tuple(replace(step, size=sizes.get(step.package)) for step in plan.steps)
        whole = replace(plan, steps=steps, warnings=(*answer.warnings, *_remembered(made)))
        text = "".join(entry(one, order) for one in packages)
        return Prepared(whole, Lock(text, offline=made.remembered is not None))

    def reach(self, prepared: Prepared[Lock]) -> Reach:
        changes = {step.package for step in prepared.plan.steps if step.before is not None}
        return reach_of_pip(self.path, changes, adds=bool(prepared.plan.coming))

    def apply(self, prepared: Prepared[Lock], change: Underway, means: Means) -> Sequence[str]:
        make_way(self.path, prepared.plan, change, means)
        if coming := prepared.plan.coming:
            means.say(f"installing {counted(len(coming), 'package')}")
            install_lock(self.path, prepared.source, means, change.lock)
        return ()

    def verify(self, prepared: Prepared[Lock], after: Environment) -> Sequence[str]:
        return not_as_planned(prepared.plan.steps, versions_in(after))

    def suited(self, host: Host, python: str | None, means: Means) -> Host:
        if python:
            interpreter_of(python, means.pythons)
        found = dict.fromkeys(major_minor(one.version) for one in means.pythons if one.version.startswith("3."))
        return replace(host, kind=replace(host.kind, pythons=tuple(found)))

    def solved(self, order: Order, means: Means, *, sizes: bool) -> Made[Lock]:
        made = compiled(order, means.environ, from_cache=True)
        known = sizes_of(made.packages, order) if sizes and not made.remembered else {}
        packages = tuple(Package(one.name, one.version, known.get(one.name)) for one in made.packages)
        picks = tuple(pick for pick in order.picks if pick.requested)
        kept = pylock_text(order, made)
        interpreter = interpreter_of(order.python, means.pythons)
        offline = made.remembered is not None
        lock = Lock(requirements_text(order, made), interpreter=interpreter, kept=kept, offline=offline)
        return Made(VENV, order.python, packages, lock, picks, notes=_remembered(made))

    def given(self, lock: str, _host: Host, python: str | None, means: Means, *, unhashed: bool) -> Made[Lock]:
        return _with_interpreter(given_lock(lock, python, unhashed=unhashed), means)

    def create(self, made: Made[Lock], means: Means, check: Callable[[], None] = unchecked) -> Made[Lock]:
        lock = made.source
        for note in made.notes:
            means.say(note)
        with new_environment(self.path, means.say) as (change, _):
            means.say(f"making {self.path} with Python {made.python}")
            make_venv(self.path, lock.interpreter or made.python, means.environ, lock=change.lock)
            means.say(f"installing {counted(len(made.packages), 'package')}")
            install_lock(self.path, lock, means, change.lock, checks=made.checks)
            if lock.kept:
                write_text(os.path.join(self.path, KEPT_LOCK), without_login(lock.kept))
            check()
        return made


def install_lock(
    environment: str, lock: Lock, means: Means, held: int, *, checks: Checks = HASHED, prefix: str = ""
) -> None:
    """By uv; `held` is the descriptor of the transaction's lock."""
    install(
        environment,
        lock.text,
        means.indexes,
        means.environ,
        lock.name,
        checks=checks,
        prefix=prefix,
        offline=lock.offline,
        lock=held,
    )


def _remembered(made: Compiled) -> tuple[str, ...]:
    if made.remembered is None:
        return ()
    return (f"no index answers ({made.remembered}): what uv's cache knows of it is taken, and nothing newer",)


def make_way(environment: str, plan: Plan, change: Underway, means: Means) -> None:
    """Takes out what goes and what is replaced.

    What goes may fill the folder of a package that comes. What is replaced is told from what comes by more than its
    version (2.13.0+cpu is a 2.13.0 to uv), and an installer that is told to install anew what is there asks the index
    again and downloads again what its cache holds."""
    gone = [step.package for step in plan.steps if step.before is not None]
    broken = remove_broken(environment, gone)
    if rest := [name for name in gone if name not in broken]:
        means.say(f"removing {counted(len(rest), 'package')}")
        uninstall(environment, rest, means.environ, lock=change.lock)


def reach_of_pip(environment: str, changes: Iterable[str], *, adds: bool) -> Reach:
    """By the RECORDs of all that is installed; `changes` are names of packages that go or are replaced."""
    names = set(changes)
    touches, keeps = set[str](), set[str]()
    for name, paths in installed_files(environment):
        (touches if name in names else keeps).update(paths)
    return Reach(frozenset(touches), frozenset(keeps), adds)


def _with_interpreter(made: Made[Lock], means: Means) -> Made[Lock]:
    return replace(made, source=replace(made.source, interpreter=interpreter_of(made.python, means.pythons)))
