"""From what is there to what shall be there, package by package, and whether it came so. Pure."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from cudafit.model.frozen import frozen
from cudafit.model.plan import INSTALL, REINSTALL, REMOVE, REPLACE, Step


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
