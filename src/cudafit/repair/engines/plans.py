"""What the plans of both engines are made of: the builds that are wished, the steps from what is there to what shall be
there, and whether it came so. Pure."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from cudafit.doctor.world import World
from cudafit.errors import CudafitError
from cudafit.model.finding import Wish
from cudafit.model.fit import CPU, Resolution
from cudafit.model.frozen import frozen
from cudafit.model.plan import INSTALL, REINSTALL, REMOVE, REPLACE, Step
from cudafit.render.resolve_rows import error_of
from cudafit.resolve.answer import resolve
from cudafit.resolve.request import Request


def fit_for(wish: Wish, request: Request, world: World) -> Resolution:
    """Raises CudafitError where nothing fits, or nothing that would use the GPU."""
    answer = resolve(request, [world.host], world.facts.book)
    if error := error_of(answer):
        raise error
    if answer.status == CPU and world.has_gpu and wish.change.choose:
        raise CudafitError("no build for the GPU fits this environment", cause=[answer.reason or ""])
    return answer


@frozen
class Coming:
    """A package as it shall be. `index` where that is not the default one; `stays`: it is there already."""

    version: str
    stays: bool
    index: str | None = None
    size: int | None = None


def steps_between(
    before: Mapping[str, str | None],
    after: Mapping[str, Coming],
    *,
    gone: Iterable[str],
    again: Collection[str],
    why: Callable[[str], str],
) -> Iterator[Step]:
    """`gone` are removed, `again` comes anew though it stays."""
    for name in sorted(gone):
        yield Step(REMOVE, name, before[name], None, why(name))
    for name, one in sorted(after.items()):
        if name not in before:
            yield Step(INSTALL, name, None, one.version, why(name), one.size, one.index)
        elif not one.stays:
            yield Step(REPLACE, name, before[name], one.version, why(name), one.size, one.index)
        elif name in again:
            yield Step(REINSTALL, name, before[name], one.version, why(name), one.size, one.index)


def not_as_planned(steps: Iterable[Step], there: Mapping[str, Sequence[str | None]]) -> list[str]:
    """What is not as it should be when all steps were done; `there` has each copy of a package."""
    found: list[str] = []
    for step in steps:
        have = there.get(step.package, ())
        if step.action == REMOVE and have:
            found.append(f"{step.package} {have[0]} is still there")
        elif step.action != REMOVE and list(have) != [step.after]:
            shown = " and ".join(str(one) for one in have) or "nothing"
            found.append(f"{step.package} should be {step.after}, and {shown} is there")
    return found
