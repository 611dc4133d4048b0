"""From a wish to steps for a venv. Pure: what resolve, the index and uv say is given."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from cudafit.doctor.whole import PART, distributions_in, is_inside, stays
from cudafit.model.environment import Environment
from cudafit.model.finding import Wish
from cudafit.model.frameworks import TWINS
from cudafit.model.plan import Plan
from cudafit.model.requirement import name_in, wanted
from cudafit.repair.engines.plans import Coming, steps_between
from cudafit.resolve.problem import Library


def preferred(environment: Environment, wish: Wish, library: Library) -> dict[str, str]:
    """The versions to stay at where that can be."""
    return {
        one.name: one.version
        for one in distributions_in(environment)
        if one.version
        and not stays(one, library)
        and one.name not in wish.change.remove
        and one.name not in wish.change.choose
    }


def plan_of(
    wish: Wish,
    environment: Environment,
    library: Library,
    locked: Mapping[str, str],
    elsewhere: Mapping[str, str],
    *,
    gone: Collection[str] = (),
) -> Plan:
    """The steps from what is installed to what is locked; `elsewhere` has the index of those not from the default, and
    `gone` what a lock named before."""
    before: dict[str, str | None] = {}
    for one in distributions_in(environment):
        before.setdefault(one.name, one.version)
    torch = environment.torch
    if torch and torch.version and "torch" in before:
        before["torch"] = torch.version  # METADATA does not tell a build for the CPU
    removed = set(wish.change.remove) & before.keys()
    leftovers = set(_left_over(environment, locked, wish)) - removed
    twins = {twin for name in locked for twin in TWINS.get(name, ()) if twin in before}
    going = (removed | leftovers | twins | set(gone)) - locked.keys()
    # The folder that two of them filled holds a mixture.
    mixed = {name for name in locked if _shares_place(name, removed | leftovers)}

    def why(name: str) -> str:
        if name in going:
            return wish.why.get(name, "asked for") if name in removed else "nothing needs it any more"
        return _why(name, wish, environment)

    after = {}
    for name, version in locked.items():
        same = _same(before.get(name), version, from_default=name not in elsewhere)
        after[name] = Coming(version, same, elsewhere.get(name))
    again = {*wish.change.choose, *removed, *mixed, *(wanted(text).name for text in wish.change.install)}
    steps = tuple(steps_between(before, after, gone=going, again=again, why=why))
    staying = (one.name for one in distributions_in(environment) if stays(one, library))
    untouched = tuple(name for name in staying if name not in locked)
    return Plan(environment.path, environment.python or "", steps, wish.answers, wish.by_hand, untouched)


def _same(have: str | None, want: str, *, from_default: bool) -> bool:
    """`2.14.1+cu126` is not `2.14.1`: the latter is whatever the default index has, which is no `+cu126`."""
    if have == want:
        return True
    # torch/version.py of the default index's build says `2.15.0+cu132`, its name `2.15.0`.
    return from_default and have is not None and have.partition("+")[0] == want and "+cpu" not in have


def _left_over(environment: Environment, locked: Mapping[str, str], wish: Wish) -> Iterator[str]:
    """Parts that only what is replaced needed: no package that stays names them, not even in an extra."""
    installed = {one.name: one for one in distributions_in(environment)}
    staying = [
        one for name, one in installed.items() if name not in wish.change.choose and name not in wish.change.remove
    ]
    staying = [one for one in staying if not PART.fullmatch(one.name) or one.name in locked]
    mentioned = {name_in(text) for one in staying for text in one.requires}
    former = [installed[name] for name in (*wish.change.choose, *wish.change.remove) if name in installed]
    reached: set[str] = set()
    while former:
        for text in former.pop().requires:
            name = name_in(text)
            if name in installed and name not in reached and PART.fullmatch(name):
                reached.add(name)
                former.append(installed[name])
    yield from (name for name in reached if name not in locked and name not in mentioned)


def _shares_place(name: str, removed: Collection[str]) -> bool:
    """nvidia-cudnn-cu12 and nvidia-cudnn-cu13 fill one folder; so do the builds of ONNX Runtime."""
    stem = re.sub(r"-cu\d\d$", "", name)
    alike = {re.sub(r"-cu\d\d$", "", one) for one in removed if one != name}
    return (name.startswith("nvidia-") and stem in alike) or any(twin in removed for twin in TWINS.get(name, ()))


def _why(name: str, wish: Wish, environment: Environment) -> str:
    if name in wish.why:
        return wish.why[name]
    if PART.fullmatch(name):
        return "part of the build"
    frameworks = [*wish.change.choose, *(wanted(text).name for text in wish.change.install)]
    goes = f"goes with {', '.join(dict.fromkeys(frameworks))}" if frameworks else "needed"
    return goes if environment.distribution(name) is None else f"must move: {goes}"


def versions_in(environment: Environment) -> Mapping[str, Sequence[str | None]]:
    """Each copy of the packages that are in the environment itself."""
    found: dict[str, list[str | None]] = {}
    for one in environment.distributions:
        if is_inside(one, environment):
            found.setdefault(one.name, []).append(one.version)
    return found
