"""What shall be in a conda prefix: by its solver, or as it is."""

from cudafit.conda.nearest import solved_or_nearest
from cudafit.conda.solver import Question, Record
from cudafit.doctor.world import World
from cudafit.env.conda_meta import Meta, asked_for, pinned
from cudafit.env.conda_side import python_name
from cudafit.errors import InputError
from cudafit.files import Files
from cudafit.lock.conda_names import conda_platform
from cudafit.lock.conda_solve import virtual_of
from cudafit.lock.conda_virtual import overridden
from cudafit.lock.order import CONDA as FORGE
from cudafit.lock.specs import caps
from cudafit.model.environment import Environment
from cudafit.model.finding import Wish
from cudafit.model.fit import Resolution
from cudafit.model.frozen import frozen
from cudafit.model.requirement import wanted
from cudafit.model.versions import major_minor
from cudafit.repair.engines.conda_plan import (
    freed,
    specifications,
    unchanged,
)
from cudafit.repair.engines.engine import Means
from cudafit.repair.engines.plans import fit_for
from cudafit.resolve.request import INSTALLED, Request
from cudafit.resolve.targets import targets_of


@frozen
class Solution:
    """All that shall be in a prefix, and which of it stays as it is."""

    platform: str
    records: tuple[Record, ...]
    keep: tuple[str, ...]
    specs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def solution_for(wish: Wish, world: World, environment: Environment, meta: Meta, means: Means) -> Solution:
    """What conda's solver makes of a wish. Raises CudafitError."""
    answer = _answer(wish, world, environment, meta)
    picks = [pick for pick in answer.picks if pick.requested] if answer else []
    free = freed(wish, meta, picks)
    (target,) = targets_of([world.host], world.facts.drivers, Request(()))
    virtual, told = overridden(virtual_of(target), means.environ)
    for line in told:
        means.say(line)
    default = next((pick.index for pick in answer.picks if pick.index_name == FORGE), FORGE) if answer else FORGE
    question = Question(
        (means.indexes.of(FORGE, default),),  # conda-forge, or the user's mirror of it
        conda_platform(world.host.kind.platform),
        specifications(wish, meta, asked_for(Files(), environment.path), picks, _python(environment)),
        virtual,
        prefix=environment.path,
        free=free,
        constraints=(*pinned(Files(), environment.path), *caps(answer.constraints if answer else ())),
    )
    records = solved_or_nearest(question)
    keep = unchanged(meta, records, free)
    return Solution(question.platform, records, keep, question.specs, answer.warnings if answer else ())


def as_it_is(meta: Meta, world: World) -> Solution:
    """Each package that is there: what is to come again is linked from the archive of its record."""
    platform = next((one.subdir for one in meta.records if one.subdir not in ("", "noarch")), "")
    records = tuple(
        Record(
            one.name, one.version, one.build, 0, one.subdir, one.url, "", one.channel, one.sha256, one.md5, one.size, ()
        )
        for one in meta.records
    )
    keep = tuple(one.name for one in records)
    return Solution(platform or conda_platform(world.host.kind.platform), records, keep)


def _answer(wish: Wish, world: World, environment: Environment, meta: Meta) -> Resolution | None:
    if not wish.change.choose:
        return None
    installed = {python_name(one.name): one.version for one in meta.records}
    asked = tuple(wanted(name) for name in wish.change.choose)
    request = Request(asked, python=_python(environment), prefer=INSTALLED, installed=installed, conda=True)
    return fit_for(wish, request, world)


def _python(environment: Environment) -> str:
    if not environment.python:
        raise InputError(f"the Python of `{environment.path}` is not known", hint="make a new one: `cudafit create`")
    return major_minor(environment.python)
