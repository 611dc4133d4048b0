"""A new conda prefix, from a fit or from a lock: made whole, or not at all. No conda is needed."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence

from cudafit.conda.solver import Question, Record, solve
from cudafit.errors import CudafitError
from cudafit.lock.conda_held import locked_records, notes_on
from cudafit.lock.conda_names import conda_platform
from cudafit.lock.conda_solve import virtual_packages
from cudafit.lock.conda_virtual import overridden
from cudafit.lock.order import CONDA, Order
from cudafit.lock.specs import all_specifications
from cudafit.model.fit import Pick
from cudafit.model.frozen import frozen
from cudafit.model.plan import Made, Package
from cudafit.render.counts import counted
from cudafit.repair.conda_engine import Linked, link
from cudafit.repair.conda_lists import complete, register
from cudafit.repair.state import state_of
from cudafit.repair.transaction import transaction
from cudafit.system.commands import joined

_TRIED = 6


@frozen
class CondaMade:
    """What a new prefix is made from. `told` are the lines to show: variables that were honoured."""

    platform: str
    records: tuple[Record, ...]
    specs: tuple[str, ...] = ()
    virtual: tuple[tuple[str, str], ...] = ()
    told: tuple[str, ...] = ()
    picks: tuple[Pick, ...] = ()

    @property
    def shown(self) -> Made:
        """As a new environment is shown."""
        packages = tuple(Package(one.name, one.version, one.size) for one in self.records)
        python = next((one.version for one in self.records if one.name == "python"), "")
        return Made(python, "", "conda", packages, self.picks, notes=self.told)


def solved_for(order: Order, environ: Mapping[str, str]) -> CondaMade:
    """Raises CudafitError: with the requirement in the way, where there is no solution."""
    target = order.target
    virtual, told = overridden(virtual_packages(order, target), environ)
    specs = tuple(all_specifications(order))
    question = Question((order.indexes.of(CONDA, CONDA),), conda_platform(target.platform), specs, virtual)
    records = solved_or_nearest(question)
    picks = tuple(pick for pick in order.picks if pick.requested)
    return CondaMade(question.platform, records, specs, virtual, told, picks)


def solved_or_nearest(question: Question) -> tuple[Record, ...]:
    """What the solver finds; where it finds nothing, which one requirement is in the way of all the others."""
    try:
        (records,) = solve([question])
    except CudafitError as error:
        if "do not go together" not in error.what:
            raise
        raise CudafitError(error.what, cause=error.cause, hint=_nearest(question) or error.hint) from None
    return tuple(sorted(records, key=lambda one: one.name))


def _nearest(question: Question) -> str | None:
    for number in range(len(question.specs) - 1, -1, -1)[:_TRIED]:
        name, _, limit = question.specs[number].partition(" ")
        rest = (*question.specs[:number], *question.specs[number + 1 :])
        for instead in (name, None) if limit else (None,):
            specs = (*rest, instead) if instead else rest
            try:
                (records,) = solve([Question(question.channels, question.platform, specs, question.virtual)])
            except CudafitError:
                continue
            if instead is None:
                return f"without `{question.specs[number]}` there is a solution"
            found = next(one for one in records if one.name == name)
            return f"with `{name}` {found.version} {found.build} in place of `{question.specs[number]}` it is solved"
    return None


def from_lock(path: str, platform: str) -> CondaMade:
    """Raises InputError."""
    records = locked_records(path, platform)
    return CondaMade(platform, records, told=tuple(notes_on(records)))


def create_conda(
    path: str,
    made: CondaMade,
    environ: Mapping[str, str],
    say: Callable[[str], None],
    command: Sequence[str] = (),
) -> Linked:
    """Raises RolledBack where it did not succeed, and CudafitError before anything was done."""
    there = os.path.isdir(path)
    if there and not os.listdir(path):
        os.rmdir(path)
        there = False
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with transaction(path, reason="create", new=not there, say=say) as change:
        state = state_of(path)
        if there:
            _empty(state.env)
        say(f"installing {counted(len(made.records), 'package')}")
        linked = link(
            state.env, made.records, work=state.discarded, platform=made.platform, environ=environ, lock=change.lock
        )
        complete(state.env, linked.records, (), made.specs, joined(command) or "cudafit create")
    register(state.env, environ)
    return linked


def _empty(folder: str) -> None:
    with os.scandir(folder) as found:
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)
