"""A project of uv's, Poetry's or PDM's: declaration, lock and environment change together, by the manager itself.

The plan is its answer for a copy of the project with the declaration changed; what is shown is what it would write.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from cudafit.doctor.whole import request_of
from cudafit.doctor.wish import wish_of
from cudafit.doctor.world import World
from cudafit.errors import CudafitError, InputError
from cudafit.indexes import Indexes
from cudafit.lock.keepers import KEEPERS, Choice, Keeper, program_of, without_active
from cudafit.lock.order import PYTORCH, Order
from cudafit.lock.project_copy import DECLARATION, Target, copy_of, packages_of, project_environ, run_for_project
from cudafit.lock.sizes import file_of
from cudafit.model.environment import VENV, Environment
from cudafit.model.finding import Owner, Report, Wish
from cudafit.model.fit import Pick, Resolution
from cudafit.model.frozen import frozen
from cudafit.model.plan import FileChange, Plan, Step
from cudafit.model.requirement import Need, wanted
from cudafit.render.counts import counted
from cudafit.repair.beside import is_of
from cudafit.repair.engines.engine import Means, Prepared, StaleError
from cudafit.repair.engines.plans import fit_for, not_as_planned
from cudafit.repair.engines.venv import make_way, reach_of_pip
from cudafit.repair.engines.venv_plan import plan_of, versions_in
from cudafit.repair.links import Reach
from cudafit.repair.state import state_of
from cudafit.repair.transaction import Underway
from cudafit.system.diffs import difference, lines_of
from cudafit.system.reading import read_bytes
from cudafit.system.toml import TomlError, read_toml

_LIMIT = 64 << 20


@frozen
class Project:
    """The files as they are and as they shall be, and which extras and groups are installed."""

    folder: str
    before: Mapping[str, bytes]
    after: Mapping[str, bytes]
    choice: Choice


def changes_with(path: str, owner: Owner, environ: Mapping[str, str]) -> bool:
    """Whether the manager is here, and keeps the environment beside its files; else those are left to it."""
    keeper = KEEPERS.get(owner.manager or "")
    if keeper is None or not owner.lock or not owner.project:
        return keeper is not None and keeper.manager == "uv"
    beside = os.path.realpath(owner.project) == state_of(path).parent or _is_poetrys(path, owner)
    outside = project_environ(environ, outside=owner.project)
    return keeper.manager == "uv" or (beside and keeper.program(outside) is not None)


class ProjectEngine:
    """Of one environment that a manager keeps for a project."""

    kind = VENV
    shop = "index"
    keeps_files = True

    def __init__(self, path: str, owner: Owner) -> None:
        self.path = path
        self.owner = owner
        self.keeper: Keeper = KEEPERS[owner.manager or ""]

    def wish(self, report: Report, _environment: Environment, _means: Means) -> Wish:
        return wish_of(report.findings, VENV)

    def plan(self, wish: Wish, world: World, environment: Environment, means: Means) -> Prepared[Project]:
        folder = self._folder()
        request = request_of(wish.change, environment, world.facts)
        answer = fit_for(wish, request, world)
        order = Order(resolution=answer, wanted=request.wanted, indexes=means.indexes)
        needs = list(needs_of(wish, answer, environment, self.owner, means.indexes))
        before = {name: _bytes(folder, name) for name in (DECLARATION, self.keeper.lock)}
        target = Target(answer.targets[0].platform, environment.python or answer.python)
        versions = versions_in(environment)
        with copy_of(self.keeper, folder, _left_out(self.path), means.environ) as copy:
            text = before[DECLARATION].decode("utf-8")
            choice = copy.chosen(_read(text), versions, target)
            was = copy.versions(choice, target)
            constraints = [one.requirement for one in answer.constraints]
            path = os.path.join(folder, DECLARATION)
            asked = [one for one in needs if "==" in one.requirement or _has_bound(one)]
            new = self.keeper.change(text, path, asked, constraints=constraints, remove=wish.change.remove)
            copy.write(new)
            lock = copy.lock(target.python, [one.name for one in needs if one not in asked])
            now = copy.versions(choice, target)
        _check(now, answer, wish, self.keeper)
        after = {DECLARATION: new.encode("utf-8"), self.keeper.lock: lock.encode("utf-8")}
        elsewhere = {pick.name: pick.index_name for pick in answer.picks if pick.index_name.startswith(PYTORCH)}
        gone = {name for name in was if name not in now and name in versions}
        plan = plan_of(wish, environment, world.facts, now, elsewhere, gone=gone)
        plan = replace(
            plan,
            steps=tuple(_sized(plan, lock, order)),
            warnings=(*answer.warnings, *_extraneous(versions, was, plan, self.keeper)),
            files=tuple(_differences(folder, before, after)),
        )
        elsewhere_at = "" if folder == state_of(self.path).parent else folder
        files = (DECLARATION, self.keeper.lock)
        return Prepared(plan, Project(folder, before, after, choice), beside=files, project=elsewhere_at)

    def reach(self, prepared: Prepared[Project]) -> Reach:
        changes = {step.package for step in prepared.plan.steps if step.before is not None}
        return reach_of_pip(self.path, changes, adds=bool(prepared.plan.coming))

    def apply(self, prepared: Prepared[Project], change: Underway, means: Means) -> Sequence[str]:
        project = prepared.source
        for name, data in project.before.items():
            if _bytes(project.folder, name) != data:
                raise StaleError(f"`{name}` was changed meanwhile, so this plan may not fit any more")
        for name, data in project.after.items():
            if data != project.before[name]:
                means.say(f"writing {name}")
                change.put(name, data)
        make_way(self.path, prepared.plan, change, means)
        means.say(f"{self.keeper.manager}: installing {counted(len(prepared.plan.coming), 'package')}")
        environ = project_environ(means.environ, outside=project.folder)
        program = program_of(self.keeper, environ)
        environ = without_active(environ) if self.keeper.needs_python else environ
        environ |= self.keeper.variables(self.path)
        for words in self.keeper.install_words(project.folder, self.path, project.choice):
            run_for_project([program, *words], environ, [change.lock], of=self.keeper.manager)
        return ()

    def verify(self, prepared: Prepared[Project], after: Environment) -> Sequence[str]:
        return not_as_planned(prepared.plan.steps, versions_in(after))

    def _folder(self) -> str:
        """Raises InputError for a project that is not around its environment: its files would not come back with it."""
        state, project = state_of(self.path), self.owner.project or ""
        if _is_poetrys(self.path, self.owner):
            return os.path.realpath(project)
        if os.path.realpath(project) != state.parent:
            raise InputError(
                f"`{self.path}` belongs to the project in `{project}`, which lies elsewhere",
                cause=["cudafit changes a project's files only together with an environment that lies beside them"],
                hint="unset UV_PROJECT_ENVIRONMENT, or change the project by the commands that `cudafit doctor` names",
            )
        return state.parent


def _is_poetrys(path: str, owner: Owner) -> bool:
    """Whether it lies in Poetry's own folder, under the name that this project alone gives."""
    return owner.manager == "poetry" and bool(owner.project) and is_of(state_of(path).env, owner.project or "")


def needs_of(
    wish: Wish, answer: Resolution, environment: Environment, owner: Owner, indexes: Indexes
) -> Iterator[Need]:
    """What the declaration has to say: the builds that are wished for; what moves along, where it is declared or comes
    from an index of its own; and requirements as they are. The rest uv finds by itself."""
    declared = {one.name for one in owner.asks}
    wished = {*wish.change.choose, *(wanted(text).name for text in wish.change.install)}
    picked = {pick.name for pick in answer.picks}
    for pick in answer.picks:
        elsewhere = pick.index_name.startswith(PYTORCH)
        along = pick.requested and (elsewhere or pick.name in declared) and _moves(pick, environment)
        if pick.name in wished or along:
            index = indexes.of(pick.index_name, pick.index) if elsewhere else None
            yield Need(pick.requirement, pick.index_name if elsewhere else None, index)
    yield from (Need(text) for text in wish.change.install if wanted(text).name not in picked)


def _moves(pick: Pick, environment: Environment) -> bool:
    have = environment.torch.version if environment.torch and pick.name == "torch" else environment.version(pick.name)
    local = pick.requirement.partition("==")[2]
    return have is not None and have not in (local, pick.version)


def _has_bound(need: Need) -> bool:
    return bool(wanted(need.requirement).specifier)


def _check(now: Mapping[str, str], answer: Resolution, wish: Wish, keeper: Keeper) -> None:
    """Raises CudafitError where the project says otherwise: an override, or a package that needs what is to go."""
    wrong = []
    for pick in answer.picks:
        if pick.name in wish.change.choose and now.get(pick.name) != pick.requirement.partition("==")[2]:
            wrong.append(f"{pick.name} would be {now.get(pick.name, 'left out')}, and {pick.requirement} is what works")
    wrong += [f"{name} would come back: something in the lock needs it" for name in wish.change.remove if name in now]
    if wrong:
        raise CudafitError(
            f"{keeper.manager} locks the project otherwise than this machine needs it, so nothing was changed",
            cause=wrong,
            hint=keeper.wanted,
        )


def _sized(plan: Plan, lock: str, order: Order) -> Iterator[Step]:
    """The steps with the bytes that the lock tells."""
    packages, sizes = packages_of(lock)
    for step in plan.steps:
        package = packages.get((step.package, step.after or ""))
        file = file_of(package, order) if package else None
        yield replace(step, size=sizes.get(file.url)) if file else step


def _extraneous(versions: Mapping[str, object], was: Mapping[str, str], plan: Plan, keeper: Keeper) -> Iterator[str]:
    """What no lock named before: it stays, and it is the manager that would take it out."""
    changing = {step.package for step in plan.steps}
    names = sorted(name for name in versions if name not in was and name not in changing and name not in plan.untouched)
    if names := [name for name in names if name not in ("pip", "setuptools", "wheel", "uv")]:
        sync = f"{keeper.manager} sync{' --clean' if keeper.manager == 'pdm' else ''}"
        yield f"not in {keeper.lock}, so that `{sync}` takes it out: {', '.join(names)}"


def _differences(folder: str, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Iterator[FileChange]:
    for name, data in after.items():
        if data != before[name]:
            old, new = (lines_of(one.decode("utf-8", "replace")) for one in (before[name], data))
            yield FileChange(os.path.join(folder, name), "".join(difference(old, new, f"a/{name}", f"b/{name}")))


def _left_out(path: str) -> Sequence[str]:
    state = state_of(path)
    return (state.name, os.path.basename(state.folder))


def _bytes(folder: str, name: str) -> bytes:
    path = os.path.join(folder, name)
    try:
        return read_bytes(path, _LIMIT)
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror or error}") from None


def _read(text: str) -> dict[str, object]:
    try:
        return read_toml(text)
    except TomlError as error:
        raise InputError(f"`{DECLARATION}` is not TOML: {error}") from None
