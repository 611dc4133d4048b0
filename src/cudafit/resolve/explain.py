"""Why the other builds lost, what a newer driver would unlock, and the smallest set of reasons when nothing fits."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from cudafit.model.fit import Constraint, Rejection, Upgrade
from cudafit.model.matrix import Build
from cudafit.model.requirement import Wanted
from cudafit.model.versions import numbers
from cudafit.resolve.candidates import Candidate, Field, Lost
from cudafit.resolve.conda import library_text
from cudafit.resolve.drivers import at_least
from cudafit.resolve.host import NO_GPU, Host, Kind
from cudafit.resolve.kernels import sm
from cudafit.resolve.pins import Clash, is_gpu, label, requirements
from cudafit.resolve.problem import Problem
from cudafit.resolve.search import Combination
from cudafit.resolve.told import listed
from cudafit.resolve.versions import admits_any, disjoint, parsed
from cudafit.system.secrets import redacted

_UPGRADES_TRIED = 6
_PLACE = re.compile(r":\d+\b|, cell \d")


def rejections_of(problem: Problem, combination: Combination | None, hosts: Sequence[Host]) -> Iterator[Rejection]:
    """One for each reason of each build that was asked for and lost."""
    for number, name in enumerate(problem.asked()):
        field = problem.field(name)
        for lost in field.lost:
            yield _rejection(lost, problem, hosts)
        pick = combination.picks[number] if combination else None
        for candidate in field.candidates:
            if candidate is not pick:
                yield _outdone(candidate, pick, combination, problem)


def _rejection(lost: Lost, problem: Problem, hosts: Sequence[Host]) -> Rejection:
    build, obstacle = lost.build, lost.obstacle
    host = next((host for host in hosts if lost.kind is not None and host.kind == problem.kinds[lost.kind]), None)
    return Rejection(
        name=build.name,
        version=build.version,
        variant=build.variant,
        rule=obstacle.rule,
        need=obstacle.need,
        have=_with_card(obstacle.have, host),
        source=obstacle.source or (build.sources[0] if build.sources else None),
        index=build.index,
        machine=host.label if host and len(hosts) > 1 else None,
        driver=obstacle.driver,
    )


def _with_card(have: str, host: Host | None) -> str:
    """`sm_61` -> `sm_61 (GPU 0)`."""
    if host is None or not have.startswith("sm_"):
        return have
    cards = [card.index for card in host.cards if card.capability and sm(card.capability) == have]
    return f"{have} (GPU {listed([str(index) for index in cards])})" if cards else have


def _outdone(
    candidate: Candidate, pick: Candidate | None, combination: Combination | None, problem: Problem
) -> Rejection:
    """A build that fits by itself: it clashes with what was picked, or comes later in the order."""
    build = candidate.build
    rule, need, have, source = "order", "to come first", label(build), build.sources[0] if build.sources else None
    if pick and combination:
        clash = _clash_with_picks(candidate, pick, combination, problem)
        if clash:
            rule, need, have = clash.rule, clash.need, clash.have
            source = clash.source or source
        else:
            need = f"to come before {label(pick.build)}"
    return Rejection(build.name, build.version, build.variant, rule, need, have, source, build.index)


def _clash_with_picks(
    candidate: Candidate, pick: Candidate, combination: Combination, problem: Problem
) -> Clash | None:
    if (candidate.level, candidate.tie) > (pick.level, pick.tie):
        return None
    for other in (*combination.picks, *combination.along):
        if other is not pick and (clash := problem.clash(candidate.build, other.build, frozenset(), frozenset())):
            return clash
    return None


def upgrades_of(problem: Problem, combination: Combination | None) -> Iterator[Upgrade]:
    """Each newer driver that would bring a better answer, by asking the same question as if it were installed."""
    if problem.request.cpu:
        return
    best = combination
    for driver in _drivers_in_the_way(problem, combination)[:_UPGRADES_TRIED]:
        kinds = [with_driver(kind, driver) for kind in problem.kinds]
        if any(not _supports(problem, kind, driver) for kind in kinds):
            return
        better = problem.again(kinds=kinds).solve()
        if better and (best is None or _versions(better) < _versions(best)):
            yield Upgrade(driver, _unlocked(better, best))
            best = better


def _versions(combination: Combination) -> tuple[object, ...]:
    return tuple(candidate.level for candidate in combination.picks)


def _unlocked(better: Combination, than: Combination | None) -> str:
    """`torch 2.15.0 (cu132)`."""
    before = {candidate.build.name: candidate.build.version for candidate in than.picks} if than else {}
    return ", ".join(
        label(candidate.build)
        for candidate in better.picks
        if before.get(candidate.build.name) != candidate.build.version
    )


def _drivers_in_the_way(problem: Problem, combination: Combination | None) -> list[str]:
    """The drivers that the builds before the picks ask for, oldest first."""
    found = set()
    for number, name in enumerate(problem.asked()):
        pick = combination.picks[number] if combination else None
        newest = pick.build.version if pick else None
        for lost in problem.field(name).lost:
            if lost.obstacle.driver and (newest is None or lost.build.version != newest):
                found.add(lost.obstacle.driver)
    return sorted(found, key=numbers)


def with_driver(kind: Kind, driver: str) -> Kind:
    """The kind of machine with at least this driver."""
    if kind.state == NO_GPU or (kind.driver and at_least(kind.driver, driver)):
        return kind
    return replace(kind, state="gpu", driver=driver, cuda=None)


def _supports(problem: Problem, kind: Kind, driver: str) -> bool:
    """Whether that branch still drives all of the cards."""
    last = last_branch(problem, kind)
    return last is None or numbers(driver)[0] <= int(last)


def last_branch(problem: Problem, kind: Kind) -> str | None:
    """The last driver branch for the oldest of the cards; None where the newest still drives them all."""
    told = [
        row.last_branch
        for row in problem.library.facts.architectures
        for gpu in kind.capabilities
        if row.last_branch and f"{gpu[0]}.{gpu[1]}" in row.capabilities
    ]
    return min(told, key=int, default=None)


def constraints_of(problem: Problem, combination: Combination) -> tuple[Constraint, ...]:
    """What must be installed with the picks, since a package installer would take the newest."""
    gpus = ", ".join(sm(gpu) for gpu in problem.capabilities)
    index = combination.picks[0].build.index if combination.picks else ""
    found = [(library_text(cap.requirement, index), cap) for cap in combination.caps]
    caps = [
        Constraint(
            text,
            f"{text.partition('<')[0]} {cap.first_without} and newer have no kernels for {gpus}",
            cap.source,
        )
        for text, cap in found
    ]
    return (*caps, *_agreed(problem, combination))


def _agreed(problem: Problem, combination: Combination) -> Iterator[Constraint]:
    """Of packages that are not ours: what goes along with the picks, among what was asked for or must agree."""
    if problem.request.conda:
        return
    said = set()
    agreements = problem.library.agreements
    for build in (one.build for one in (*combination.picks, *combination.along)):
        for row, text in agreements.kept_back(build):
            wants = problem.words.get(row.package, ())
            kept = any(disjoint(want.specifier, row.versions) for want in wants)
            if wants and not kept and row.package not in said:  # the first row is the narrowest bound
                said.add(row.package)
                why = f"{row.package}{row.versions} wants {row.other}{row.admits}, and {row.why}"
                yield Constraint(text, why, row.sources[0] if row.sources else None)
    for build in (one.build for one in (*combination.picks, *combination.along)):
        for row in problem.library.agreements.of_build(build):
            text = f"{row.other}{row.admits}"
            if text in build.requires and not problem.is_ours(row.other) and text not in said:
                said.add(text)
                yield Constraint(text, f"{label(build)} {row.why}", row.sources[0] if row.sources else None)


def causes_of(problem: Problem, hosts: Sequence[Host]) -> tuple[str, ...]:
    """The smallest set of reasons that rules out every build that was asked for."""
    for name in problem.asked():
        field = problem.field(name)
        if not field.candidates:
            told = tuple(_smallest(field, problem, hosts))
            return (*told, *_places(problem, (name,), told))
    names = _clashing(problem)
    if not names:
        brought = tuple(told for name in problem.asked() for told in _not_to_be_had(problem, name))
        return brought or ("each package fits by itself, but what they bring along does not fit together",)
    told = tuple(list(dict.fromkeys(_reasons(problem, names)))[:3])
    return (*told, *_places(problem, names, told))


def _not_to_be_had(problem: Problem, name: str) -> Iterator[str]:
    """What the best of a package needs by name, and why there is none of that."""
    build = problem.field(name).candidates[0].build
    for item in requirements(build):
        field = problem.along(item.name)
        if field is None or any(admits_any(item.specifier, one.build.version) for one in field.candidates):
            continue
        here = {"any", *(kind.platform for kind in problem.kinds)}
        those = (one for one in field.lost if admits_any(item.specifier, one.build.version))
        lost = next((one for one in those if one.build.platform in here), None)
        why = lost.obstacle.have if lost else "the matrix holds none of it for this platform"
        yield f"{label(build)} needs {item.name}{item.specifier}: {why}"


def _places(problem: Problem, names: Iterable[str], told: Sequence[str]) -> Iterator[str]:
    """Which file says what stands in the way, and in which line; that of what was typed is known."""
    said = dict.fromkeys(want for name in names for want in problem.words[name])
    for want in said:
        in_file = _PLACE.search(want.origin)  # and no package that says so
        if in_file and want.specifier and not any(f"({want.origin})" in one for one in told):
            yield f"`{redacted(want.text)}` stands in {want.origin}"


def _smallest(field: Field, problem: Problem, hosts: Sequence[Host]) -> Iterator[str]:
    """Per build the rules that it breaks; then the fewest rules of which every build breaks one."""
    platforms = {"any", *(kind.platform for kind in problem.kinds)}
    here = [lost for lost in field.lost if lost.build.platform in platforms]
    asked = [lost for lost in here if lost.obstacle.rule != "request"]
    if here and not asked:
        yield from _no_such_version(here, problem.words[field.name], min(platforms - {"any"}))
        return
    on_gpu = [lost for lost in asked if is_gpu(lost.build)]
    considered = on_gpu or asked or list(field.lost)
    if not considered:
        yield f"the matrix holds no build of {field.name}"
        return
    by_build: dict[int, list[Lost]] = {}
    for lost in considered:
        by_build.setdefault(id(lost.build), []).append(lost)
    reasons = sorted(
        {_reason(lost) for lost in considered},
        key=lambda reason: (_RULE_ORDER.index(reason[0]), len(reason[1]), reason),
    )
    chosen = next(
        some
        for size in range(1, len(reasons) + 1)
        for some in combinations(reasons, size)
        if all(any(_reason(lost) in some for lost in losts) for losts in by_build.values())
    )
    for reason in chosen:
        yield _told(reason[0], [lost for lost in considered if _reason(lost) == reason], problem, hosts)


def _reason(lost: Lost) -> tuple[str, str]:
    """The rule, and the card where kernels lack: what two builds have in common that lose for the same reason."""
    rule = lost.obstacle.rule
    return rule, lost.obstacle.have if rule == "kernels" else ""


# The order in which a reason is preferred as *the* reason, where several are as good.
_RULE_ORDER = ["kernels", "driver", "libraries", "cpu", "platform", "python", "request"]


def _told(rule: str, losts: Sequence[Lost], problem: Problem, hosts: Sequence[Host]) -> str:
    """One reason in one line: the builds it rules out, what they need, what is here."""
    newest = max(losts, key=lambda lost: parsed(lost.build.version))
    rejection = _rejection(newest, problem, hosts)
    builds = list(dict.fromkeys(short(lost.build) for lost in reversed(losts)))
    need, have = rejection.need, rejection.have
    where = f" on {rejection.machine}" if rejection.machine else ""
    what = listed([f"`{build}`" for build in builds])
    verb = "needs" if len(builds) == 1 else "need"
    if rule == "kernels" and have.startswith("sm_"):
        has = "has" if len(builds) == 1 else "have"
        return f"{what} {has} no kernels for {have}{where}: {need} (source: {rejection.source})"
    if rule == "cpu":
        return f"{what}: {have}{where}"
    if rule == "platform":
        return f"{what} {verb} {need}, and this is {have}{where}"
    if rule == "python":
        return f"{what} {verb} {need}, and {have} is wanted"
    return f"{what} {verb} {_least(rule, losts, need)}; here is {have}{where} (source: {rejection.source})"


def _least(rule: str, losts: Sequence[Lost], need: str) -> str:
    """Where builds need different drivers: the oldest that one of them would do with, and the newest."""
    drivers = {lost.obstacle.driver for lost in losts if lost.obstacle.driver}
    if rule != "driver" or len(drivers) < _SEVERAL:
        return need
    return f"driver {min(drivers, key=numbers)} or newer, the newest of them {max(drivers, key=numbers)}"


_SEVERAL = 2


def short(build: Build) -> str:
    variant = f"+{build.variant}" if build.variant not in ("any", "cpu") else ""
    return f"{build.name} {build.version}{variant}"


def _no_such_version(losts: Sequence[Lost], wants: Sequence[Wanted], platform: str) -> Iterator[str]:
    """Every build for the platform breaks the user's own words."""
    for one, other in combinations(wants, 2):
        if disjoint(one.specifier, other.specifier):
            yield f"`{one.text}` ({one.origin}) and `{other.text}` ({other.origin}) contradict each other"
            return
    words = list(dict.fromkeys(lost.obstacle.need for lost in losts))
    newest = max((lost.build for lost in losts), key=lambda build: parsed(build.version))
    count = len({lost.build.version for lost in losts})
    yield f"none of the {count} versions of {newest.name} for {platform} is {listed(words)}"
    yield f"the newest that the matrix holds is {newest.version}"
    told = dict.fromkeys(
        f"{lost.obstacle.have} (source: {lost.obstacle.source})" for lost in losts[::-1] if lost.obstacle.source
    )
    yield from list(told)[:1]


def _clashing(problem: Problem) -> tuple[str, ...]:
    """The fewest packages that have no combination."""
    names = problem.asked()
    sizes = range(2, len(names) + 1)
    return next((some for size in sizes for some in combinations(names, size) if not _possible(problem, some)), ())


def _possible(problem: Problem, names: Sequence[str]) -> bool:
    request = replace(
        problem.request,
        wanted=tuple(want for want in problem.request.wanted if want.name in names or not problem.is_ours(want.name)),
    )
    return problem.again(request=request).solve() is not None


def _reasons(problem: Problem, names: Iterable[str]) -> Iterator[str]:
    """Between the best candidates, the clashes that stand in the way."""
    for one, other in combinations(names, 2):
        best, others = problem.field(one).candidates, problem.field(other).candidates
        for candidate in best[:1]:
            for against in others[:3]:
                clash = problem.clash(candidate.build, against.build, frozenset(), frozenset())
                if clash:
                    yield f"{clash.need}; {clash.have} (source: {clash.source})"
                    break
