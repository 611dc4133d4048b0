"""A repair of a conda prefix: its plan with the packages that bring it about, carried out within a transaction."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from cudafit.conda.solver import Question, Record
from cudafit.doctor.world import World
from cudafit.env.conda_meta import Meta, asked_for, damage, pinned, read_meta
from cudafit.env.conda_side import is_compared
from cudafit.errors import CudafitError, InputError
from cudafit.files import Files
from cudafit.indexes import Indexes
from cudafit.lock.conda_names import conda_platform
from cudafit.lock.conda_solve import virtual_of
from cudafit.lock.conda_virtual import overridden
from cudafit.lock.order import CONDA
from cudafit.model.environment import Environment
from cudafit.model.finding import Report
from cudafit.model.fit import CPU, Resolution
from cudafit.model.frozen import frozen
from cudafit.model.plan import REINSTALL, REMOVE, Plan
from cudafit.model.requirement import wanted
from cudafit.model.versions import major_minor
from cudafit.render.counts import counted
from cudafit.render.resolve_rows import error_of
from cudafit.repair.carry_out import Look, StaleError
from cudafit.repair.conda_create import solved_or_nearest
from cudafit.repair.conda_engine import link
from cudafit.repair.conda_lists import complete
from cudafit.repair.conda_plan import (
    PIP,
    CondaWish,
    conda_plan,
    freed,
    not_as_planned,
    specifications,
    unchanged,
    with_damage,
)
from cudafit.repair.links import Reach, check_links, venv_reach
from cudafit.repair.pip_over_conda import remove_distribution
from cudafit.repair.state import state_of
from cudafit.repair.transaction import transaction
from cudafit.repair.walk import Walk
from cudafit.resolve.answer import resolve
from cudafit.resolve.request import INSTALLED, Request
from cudafit.resolve.targets import targets_of
from cudafit.system.commands import command_text, path_word


@frozen
class CondaPrepared:
    """A plan, and what brings it about."""

    plan: Plan
    platform: str
    records: tuple[Record, ...] = ()
    keep: tuple[str, ...] = ()
    reinstall: tuple[str, ...] = ()
    specs: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


def meta_of(environment: Environment) -> Meta:
    """Raises InputError where a record is broken: what is not known cannot be kept."""
    meta = read_meta(Files(), environment.path)
    if meta.problems:
        raise InputError(
            f"conda's records of `{environment.path}` are broken",
            cause=[problem.error for problem in meta.problems[:5]],
            hint=f"make it anew from what it lists: `{_listing(environment.path)}`",
        )
    return meta


def _listing(path: str) -> str:
    return command_text("conda", "list", "--prefix", path_word(path))


def with_hashes(wish: CondaWish, environment: Environment, meta: Meta, *, every: bool) -> CondaWish:
    """The wish with the packages of which a file is missing, or has another hash than conda-meta tells.

    Without `every` those of frameworks and what they load.
    """
    over = {one.conda for one in environment.doubled}
    records = [one for one in meta.records if one.name not in over and (every or is_compared(one.name))]
    found = damage(environment.path, records, hashes=True)
    return with_damage(wish, [one.package for one in found])


def prepare_conda(
    wish: CondaWish,
    world: World,
    environment: Environment,
    meta: Meta,
    indexes: Indexes,
    environ: Mapping[str, str],
) -> CondaPrepared:
    """Raises CudafitError where nothing fits, the packages do not go together, or the channel does not answer."""
    change = wish.change
    platform = next((one.subdir for one in meta.records if one.subdir not in ("", "noarch")), "")
    if not (change.choose or change.free or change.remove):
        kept = tuple(one.name for one in meta.records if one.name not in change.reinstall)
        again = tuple(name for name in change.reinstall if meta.record(name))
        plan = conda_plan(wish, environment, meta, [_as_record(meta, one.name) for one in meta.records], _all(meta))
        return CondaPrepared(plan, platform or conda_platform(world.host.kind.platform), (), kept, again)
    answer = _answer(wish, world, environment, meta)
    picks = [pick for pick in answer.picks if pick.requested] if answer else []
    python = _python(environment)
    specs = specifications(wish, meta, asked_for(Files(), environment.path), picks, python)
    free = freed(wish, meta, picks)
    (target,) = targets_of([world.host], world.facts.drivers, Request(()))
    virtual, told = overridden(virtual_of(target), environ)
    question = Question(
        _channels(indexes, answer),
        conda_platform(world.host.kind.platform),
        specs,
        virtual,
        prefix=environment.path,
        free=free,
        constraints=pinned(Files(), environment.path),
    )
    solved = solved_or_nearest(question)
    keep = unchanged(meta, solved, free)
    plan = conda_plan(wish, environment, meta, solved, keep)
    again = tuple(step.package for step in plan.steps if step.action == REINSTALL)
    records = tuple(one for one in solved if one.name not in keep)
    kept = tuple(name for name in keep if name not in again)
    warned = replace(plan, warnings=answer.warnings if answer else ())
    return CondaPrepared(warned, question.platform, records, kept, again, specs, told)


def _answer(wish: CondaWish, world: World, environment: Environment, meta: Meta) -> Resolution | None:
    if not wish.change.choose:
        return None
    installed = {"torch" if one.name == "pytorch" else one.name: one.version for one in meta.records}
    request = Request(
        wanted=tuple(wanted(name) for name in wish.change.choose),
        python=_python(environment),
        prefer=INSTALLED,
        installed=installed,
        conda=True,
    )
    answer = resolve(request, [world.host], world.facts.book)
    if error := error_of(answer):
        raise error
    if answer.status == CPU and world.has_gpu:
        raise CudafitError("no build for the GPU fits this environment", cause=[answer.reason or ""])
    return answer


def _channels(indexes: Indexes, answer: Resolution | None) -> tuple[str, ...]:
    """conda-forge, or the user's mirror of it."""
    picks = answer.picks if answer else ()
    default = next((pick.index for pick in picks if pick.index_name == CONDA), CONDA)
    return (indexes.of(CONDA, default),)


def _python(environment: Environment) -> str:
    if not environment.python:
        raise InputError(f"the Python of `{environment.path}` is not known", hint="make a new one: `cudafit create`")
    return major_minor(environment.python)


def _all(meta: Meta) -> tuple[str, ...]:
    return tuple(one.name for one in meta.records)


def _as_record(meta: Meta, name: str) -> Record:
    one = meta.record(name)
    assert one is not None  # noqa: S101 - it is one of them
    return Record(
        one.name, one.version, one.build, 0, one.subdir, one.url, "", one.channel, one.sha256, one.md5, one.size, ()
    )


def carry_out_conda(
    prepared: CondaPrepared,
    before: Report,
    look: Look,
    *,
    environment: Environment,
    meta: Meta,
    environ: Mapping[str, str],
    wait_s: float,
    say: Callable[[str], None],
) -> Report:
    """What doctor says afterwards. Raises RolledBack where a step failed or the result is not what was planned."""
    plan = prepared.plan
    reason = f"repair: {', '.join(plan.answers)}"

    def check(found: Walk) -> None:
        check_links(plan.environment, found, lambda: _reach(plan, meta))

    with transaction(plan.environment, reason=reason, wait_s=wait_s, say=say, check=check) as change:
        if change.waited:
            raise StaleError("another cudafit changed the environment first, so this plan may not fit any more")
        going = {step.package for step in plan.steps if step.index == PIP}
        for one in environment.doubled:
            if one.name in going:
                say(f"removing pip's {one.name} {one.version}")
                remove_distribution(change.env, one.metadata)
        coming = [step for step in plan.steps if step.action != REMOVE]
        say(f"installing {counted(len(coming), 'package')}")
        linked = link(
            change.env,
            prepared.records,
            work=state_of(change.env).discarded,
            platform=prepared.platform,
            environ=environ,
            lock=change.lock,
            keep=prepared.keep,
            reinstall=prepared.reinstall,
        )
        came = {one.name for one in linked.records}
        gone = {step.package for step in plan.steps if step.action == REMOVE and step.index != PIP}
        went = [one for one in meta.records if one.name in came or one.name in gone]
        complete(change.env, linked.records, went, _asked(prepared, meta), "cudafit repair")
        say("looking at the result")
        after, report = look()
        now = read_meta(Files(), change.env)
        left = damage(change.env, [one for one in now.records if one.name in came], hashes=True)
        wrong = [f"files of {one.package} are not as they should be" for one in left]
        wrong += not_as_planned(plan, now, after, report, before)
        if wrong:
            raise CudafitError("the environment is not as planned", cause=wrong)
    if linked.scripts:
        say(f"warning: the scripts that {', '.join(linked.scripts)} bring along were not run")
    return report


def _reach(plan: Plan, meta: Meta) -> Reach:
    """By conda's records, and by pip's for what pip put over them."""
    conda = {step.package for step in plan.steps if step.index != PIP}
    pip = {step.package for step in plan.steps if step.index == PIP}
    adds = any(step.action != REMOVE for step in plan.steps)
    reach = venv_reach(plan.environment, pip, adds=adds)
    files = {one.name: {file.path for file in one.files} for one in meta.records}
    touches = frozenset[str]().union(*(paths for name, paths in files.items() if name in conda))
    keeps = frozenset[str]().union(*(paths for name, paths in files.items() if name not in conda))
    # What pip lists is listed by conda too, where it is conda's.
    return Reach(reach.touches | touches, (reach.keeps | keeps) - touches, adds)


def _asked(prepared: CondaPrepared, meta: Meta) -> list[str]:
    """The specifications of what came in, as conda keeps to them at its next update; of the others what they had."""
    names = {one.name for one in prepared.records}
    found = [spec for spec in prepared.specs if spec.partition(" ")[0] in names]
    again = (meta.record(name) for name in prepared.reinstall)
    return found + [spec for record in again if record for spec in record.requested]
