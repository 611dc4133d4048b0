"""The remedy of each finding, tried on paper before it is shown: what does not help gives way to what does.

A change of packages is applied to the inventory, and all checks are run on the result. The first candidate without a
drawback is shown; where none is left, that is said, with what stands in the way.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from cudafit.doctor.fixes import of_answer, plainly, python_of
from cudafit.doctor.paper import PLANNED, changed
from cudafit.doctor.remedy import drawbacks
from cudafit.doctor.whole import PART, request_of
from cudafit.doctor.world import World
from cudafit.errors import CudafitError
from cudafit.model.environment import Environment, by_real_name
from cudafit.model.finding import Finding, Fix
from cudafit.model.fit import CPU, NO_FIT, Resolution
from cudafit.model.requirement import Wanted, name_in, wanted
from cudafit.resolve.answer import resolve
from cudafit.resolve.request import INSTALLED, Request

Look = Callable[[World], Sequence[Finding]]
_NEXT = 6  # fits that are tried one after the other


def remedied(world: World, findings: Sequence[Finding], look: Look) -> list[Finding]:
    """`findings` with remedies that were tried; `look` runs the checks."""
    return [_with_remedy(world, one, findings, look) if _is_tried(one) else one for one in findings]


def _is_tried(one: Finding) -> bool:
    return bool(one.fix and one.fix.automatic and one.fix.change and one.explained_by is None)


def _with_remedy(world: World, finding: Finding, findings: Sequence[Finding], look: Look) -> Finding:
    first: list[str] = []
    for fix, now in _candidates(world, finding):
        against = drawbacks(finding, findings, world, look(now), now)
        if not against:
            return replace(finding, fix=fix)
        first = first or against
    return replace(finding, fix=_none(world, finding, first))


def _candidates(world: World, finding: Finding) -> Iterator[tuple[Fix, World]]:
    """Each with the world as it would leave it."""
    fix = finding.fix
    if fix is None or world.environment is None:
        return
    yield from _with_what_is_left(world, fix)
    for answer, names in _wholes(world, fix):
        remove = (*(fix.change.remove if fix.change else ()), *_under_other_names(world, answer))
        made = of_answer(world, answer, names, remove=tuple(dict.fromkeys(remove)))
        if made.exact:
            yield from _with_what_is_left(world, made)


def _with_what_is_left(world: World, fix: Fix) -> Iterator[tuple[Fix, World]]:
    """A fix; and the same with what it leaves over taken out."""
    now = _applied(world, fix)
    yield fix, now
    for cleared in _cleared(world, fix, now):
        yield cleared, _applied(world, cleared)


def _applied(world: World, fix: Fix) -> World:
    return changed(world, fix.exact, fix.change.remove if fix.change else ())


def _under_other_names(world: World, answer: Resolution) -> Iterator[str]:
    """cupy-cuda13x, where cupy-cuda12x comes in its place."""
    there = {one.name for one in world.environment.distributions} if world.environment else set()
    for pick in answer.picks:
        for row in world.facts.facts.names:
            if row.kind == "stand-in" and pick.name in row.means:
                yield from (name for name in row.means if name in there and name != pick.name)


def _by_stand_ins(world: World, request: Request) -> Request:
    """With packages that are called after their CUDA under the name that stands for all of them."""
    of = {name: row.name for row in world.facts.facts.names if row.kind == "stand-in" for name in row.means}
    return replace(
        request,
        wanted=tuple(
            wanted(of.get(one.name, one.text), one.origin) if one.name in of else one for one in request.wanted
        ),
    )


def _cleared(world: World, fix: Fix, after: World) -> Iterator[Fix]:
    """The same, with the parts taken out that only the builds before it needed: they may fill the same folders."""
    environment, now = world.environment, after.environment
    if environment is None or now is None or fix.change is None or fix.edits:
        return
    if gone := left_over(environment, now):
        remove = (*fix.change.remove, *gone)
        yield plainly(world, fix, remove)


def left_over(before: Environment, after: Environment) -> tuple[str, ...]:
    """Parts of frameworks that somebody needed, and nobody needs any more."""
    needed = {name_in(text) for one in before.distributions for text in one.requires}
    still = {name_in(text) for one in after.distributions for text in one.requires}
    planned = {one.name for one in after.distributions if one.metadata == PLANNED}
    kept = {one.name for one in after.distributions if one.metadata != PLANNED}
    plugins = {name for name in kept if name.startswith("jax-cuda")}
    found = {name for name in kept if PART.fullmatch(name) and name in needed and name not in still}
    if any(name.startswith("jax-cuda") for name in planned):
        found |= plugins - planned - still
    return tuple(sorted(found))


def _wholes(world: World, fix: Fix) -> Iterator[tuple[Resolution, tuple[str, ...]]]:
    """What fits together with all that is installed, and of one package the fits that come after."""
    environment, change = world.environment, fix.change
    if environment is None or change is None:
        return
    freed = tuple(dict.fromkeys((*change.choose, *(name_in(text) for text in change.install))))
    names = tuple(name for name in freed if world.facts.knows(name))
    if not names:
        return
    try:
        whole = request_of(replace(change, choose=names, install=()), environment, world.facts)
    except CudafitError:
        return
    bounds = tuple(_bounds(world, environment, names))
    whole = replace(whole, wanted=(*whole.wanted, *bounds))
    tried: list[str] = []
    for _ in range(_NEXT):
        not_those = tuple(wanted(f"{names[0]}!={version}") for version in tried)
        asked = replace(whole, wanted=(*not_those, *whole.wanted))
        answer = _answer(world, asked) or _answer(world, _by_stand_ins(world, asked))
        if answer is None and not tried:
            answer = _answer(world, _alone(environment, names))
        if answer is None:
            return
        yield answer, names
        version = next((pick.version for pick in answer.picks if pick.name == names[0]), None)
        if version is None or version in tried:
            return
        tried.append(version)


def _alone(environment: Environment, names: Sequence[str]) -> Request:
    installed = by_real_name(environment.distributions)
    asked = tuple(wanted(name) for name in names)
    return Request(wanted=asked, python=python_of(environment), prefer=INSTALLED, installed=installed)


def _bounds(world: World, environment: Environment, names: Sequence[str]) -> Iterator[Wanted]:
    """What packages that the matrices do not know leave of those that they know."""
    for one in environment.distributions:
        if one.name in world.facts.book.packages or PART.fullmatch(one.name):
            continue
        for text in one.requires:
            plain, _, marker = text.partition(";")
            name = name_in(plain)
            if marker or name not in world.facts.book.packages or name in names:
                continue
            try:
                yield wanted(plain.replace("(", "").replace(")", ""), one.name, constraint=True)
            except CudafitError:
                continue


def _answer(world: World, request: Request) -> Resolution | None:
    try:
        answer = resolve(request, [world.host], world.facts.book)
    except CudafitError:
        return None
    if answer.status == NO_FIT or (answer.status == CPU and world.has_gpu):
        return None
    return answer


def _none(world: World, finding: Finding, against: Sequence[str]) -> Fix:
    """No change of packages helps: why, and what would."""
    change = finding.fix.change if finding.fix else None
    names = [*(change.choose if change else ()), *(name_in(text) for text in (change.install if change else ()))]
    known = [name for name in dict.fromkeys(names) if world.facts.knows(name)]
    why = f" (doctor would then find {against[0]})" if against else ""
    said = f"no change of packages in this environment helps{why}"
    if not known:
        return Fix(said)
    alone = _answer(world, Request(wanted=tuple(wanted(name) for name in known)))
    if alone is not None:
        command = ("cudafit", "create", "NEW", *known)
        return Fix(f"{said}; an environment of its own does", (command,))
    return Fix(f"{said}; this says what would", (("cudafit", "resolve", *known),))
