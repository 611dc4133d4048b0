"""conda prefixes by py-rattler; conda itself need not be installed."""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

from cudafit.conda.nearest import solved_or_nearest
from cudafit.conda.solver import Question, Record
from cudafit.doctor.wish import wish_of
from cudafit.doctor.world import World
from cudafit.env.conda_meta import Meta, damage, read_meta
from cudafit.env.conda_side import is_compared
from cudafit.errors import InputError
from cudafit.files import Files
from cudafit.lock.conda_held import is_conda_lock, locked_records, notes_on
from cudafit.lock.conda_names import conda_platform
from cudafit.lock.conda_solve import virtual_packages
from cudafit.lock.conda_virtual import overridden
from cudafit.lock.order import CONDA as FORGE
from cudafit.lock.order import Order
from cudafit.lock.specs import all_specifications, caps, spaced
from cudafit.model.environment import CONDA, Doubled, Environment
from cudafit.model.finding import Report, Wish
from cudafit.model.frozen import frozen
from cudafit.model.plan import REINSTALL, Made, Package
from cudafit.render.counts import counted
from cudafit.repair.distributions import remove_distribution
from cudafit.repair.engines.conda_link import link
from cudafit.repair.engines.conda_lists import complete, pin, register
from cudafit.repair.engines.conda_plan import (
    PIP,
    conda_plan,
    not_as_conda_planned,
    pips,
    with_damage,
)
from cudafit.repair.engines.conda_solution import as_it_is, solution_for
from cudafit.repair.engines.engine import Means, Prepared, unchecked
from cudafit.repair.engines.venv import reach_of_pip
from cudafit.repair.links import Reach
from cudafit.repair.making import new_environment
from cudafit.repair.state import state_of
from cudafit.repair.transaction import Underway
from cudafit.resolve.conda import kept_limits
from cudafit.resolve.host import Host
from cudafit.system.commands import command_text, path_word


@frozen
class Packages:
    """What is linked into a prefix: `records` come in, of what is there `keep` stays and `reinstall` comes again. For
    `specs` it was solved, within `limits`."""

    platform: str
    records: tuple[Record, ...] = ()
    keep: tuple[str, ...] = ()
    reinstall: tuple[str, ...] = ()
    specs: tuple[str, ...] = ()
    over: tuple[Doubled, ...] = ()  # what pip put over conda's, and is taken out
    limits: tuple[str, ...] = ()


class CondaEngine:
    """Of one prefix."""

    kind = CONDA
    shop = "channel"
    keeps_files = False

    def __init__(self, path: str) -> None:
        self.path = path

    @cached_property
    def meta(self) -> Meta:
        """As it was before. Raises InputError where a record is broken: what is not known cannot be kept."""
        meta = read_meta(Files(), self.path)
        if meta.problems:
            listing = command_text("conda", "list", "--prefix", path_word(self.path))
            raise InputError(
                f"conda's records of `{self.path}` are broken",
                cause=[problem.error for problem in meta.problems[:5]],
                hint=f"make it anew from what it lists: `{listing}`",
            )
        return meta

    def wish(self, report: Report, environment: Environment, means: Means) -> Wish:
        """Also the packages of which a file is missing, or has another hash than conda-meta tells."""
        over = {one.conda for one in environment.doubled}
        records = [
            one for one in self.meta.records if one.name not in over and (means.every_file or is_compared(one.name))
        ]
        found = damage(self.path, records, hashes=True)
        return with_damage(wish_of(report.findings, CONDA), [one.package for one in found])

    def plan(self, wish: Wish, world: World, environment: Environment, means: Means) -> Prepared[Packages]:
        change, meta = wish.change, self.meta
        if change.choose or change.free or change.remove:
            solution = solution_for(wish, world, environment, meta, means)
        else:
            solution = as_it_is(meta, world)
        plan = conda_plan(wish, environment, meta, solution.records, solution.keep)
        again = tuple(step.package for step in plan.steps if step.action == REINSTALL)
        source = Packages(
            solution.platform,
            tuple(one for one in solution.records if one.name not in solution.keep),
            tuple(name for name in solution.keep if name not in again),
            again,
            solution.specs,
            tuple(one for one in environment.doubled if one.name in change.uninstall),
        )
        return Prepared(replace(plan, warnings=solution.warnings), source)

    def reach(self, prepared: Prepared[Packages]) -> Reach:
        """By conda's records, and by pip's for what pip put over them."""
        plan = prepared.plan
        pip, adds = pips(plan), bool(plan.coming)
        conda = {step.package for step in plan.steps if step.index != PIP}
        reach = reach_of_pip(self.path, pip, adds=adds)
        files = {one.name: {file.path for file in one.files} for one in self.meta.records}
        touches = frozenset[str]().union(*(paths for name, paths in files.items() if name in conda))
        keeps = frozenset[str]().union(*(paths for name, paths in files.items() if name not in conda))
        # What pip lists is listed by conda too, where it is conda's.
        return Reach(reach.touches | touches, (reach.keeps | keeps) - touches, adds)

    def apply(self, prepared: Prepared[Packages], change: Underway, means: Means) -> Sequence[str]:
        plan, source, meta = prepared.plan, prepared.source, self.meta
        for one in source.over:
            means.say(f"removing pip's {one.name} {one.version}")
            remove_distribution(change.env, one.metadata)
        means.say(f"installing {counted(len(plan.coming), 'package')}")
        linked = link(
            change.env,
            source.records,
            work=state_of(change.env).discarded,
            platform=source.platform,
            environ=means.environ,
            lock=change.lock,
            keep=source.keep,
            reinstall=source.reinstall,
        )
        touched = {step.package for step in plan.steps if step.index != PIP}
        went = [one for one in meta.records if one.name in touched]
        complete(change.env, linked.records, went, _requested(source, meta), "cudafit repair")
        return [_not_run(linked.scripts)] if linked.scripts else []

    def verify(self, prepared: Prepared[Packages], after: Environment) -> Sequence[str]:
        now = read_meta(Files(), self.path)
        came = {step.package for step in prepared.plan.coming}
        left = damage(self.path, [one for one in now.records if one.name in came], hashes=True)
        return [
            *(f"files of {one.package} are not as they should be" for one in left),
            *not_as_conda_planned(prepared.plan, now, after),
        ]

    def suited(self, host: Host, _python: str | None, _means: Means) -> Host:
        """Its Python comes from the channel."""
        return host

    def solved(self, order: Order, means: Means, *, sizes: bool) -> Made[Packages]:
        del sizes  # the channel tells them in any case
        target = order.target
        virtual, told = overridden(virtual_packages(order, target), means.environ)
        for line in told:
            means.say(line)
        if virtual:
            means.say("virtual packages: " + ", ".join(f"{name} {version}" for name, version in sorted(virtual)))
        specs, limits = tuple(all_specifications(order)), caps(order.resolution.constraints)
        question = Question(
            (order.indexes.of(FORGE, FORGE),), conda_platform(target.platform), specs, virtual, constraints=limits
        )
        source = Packages(question.platform, solved_or_nearest(question), specs=specs, limits=limits)
        made = _made(source, told)
        return replace(made, picks=tuple(pick for pick in order.picks if pick.requested))

    def given(
        self, lock: str, host: Host, _python: str | None, means: Means, *, unhashed: bool = False
    ) -> Made[Packages]:
        if unhashed:
            raise InputError("`--allow-unhashed` has no meaning for conda: each package of a lock needs its hash")
        if not is_conda_lock(lock):
            raise InputError(
                f"`{lock}` is not called like a conda lock",
                cause=["known names are `conda-lock.yml`, `explicit.txt` and `pixi.lock`"],
            )
        platform = conda_platform(host.kind.platform)
        records = locked_records(lock, platform)
        notes = tuple(notes_on(records))
        for note in notes:
            means.say(note)
        limits = spaced(kept_limits({one.name: one.version for one in records}, means.limits))
        return _made(Packages(platform, records, limits=limits), notes)

    def create(self, made: Made[Packages], means: Means, check: Callable[[], None] = unchecked) -> Made[Packages]:
        source = made.source
        os.makedirs(os.path.dirname(os.path.abspath(self.path)), exist_ok=True)
        with new_environment(self.path, means.say) as (change, there):
            if there:
                _empty(change.env)
            means.say(f"installing {counted(len(source.records), 'package')}")
            linked = link(
                change.env,
                source.records,
                work=state_of(change.env).discarded,
                platform=source.platform,
                environ=means.environ,
                lock=change.lock,
            )
            complete(change.env, linked.records, (), source.specs, means.command or "cudafit create")
            pin(change.env, source.limits)
            check()
        register(change.env, means.environ)
        if linked.scripts:
            means.say(_not_run(linked.scripts))
        return replace(_made(replace(source, records=linked.records), made.notes), picks=made.picks)


def _made(source: Packages, notes: tuple[str, ...]) -> Made[Packages]:
    packages = tuple(Package(one.name, one.version, one.size) for one in source.records)
    python = next((one.version for one in source.records if one.name == "python"), "")
    return Made(CONDA, python, packages, source, notes=notes)


def _requested(source: Packages, meta: Meta) -> list[str]:
    """The specifications of what came in, as conda keeps to them at its next update; of the others what they had."""
    names = {one.name for one in source.records}
    found = [spec for spec in source.specs if spec.partition(" ")[0] in names]
    again = (meta.record(name) for name in source.reinstall)
    return found + [spec for record in again if record for spec in record.requested]


def _not_run(scripts: Sequence[str]) -> str:
    return f"warning: the scripts that {', '.join(scripts)} bring along were not run"


def _empty(folder: str) -> None:
    with os.scandir(folder) as found:
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)
