"""From a wish to steps for a venv. Pure: what resolve, the index and uv say is given."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from cudafit.errors import InputError
from cudafit.model.environment import Distribution, Environment, by_real_name
from cudafit.model.finding import Wish
from cudafit.model.frameworks import TWINS
from cudafit.model.plan import Plan
from cudafit.model.requirement import Wanted, name_in, wanted
from cudafit.repair.engines.plans import Coming, steps_between
from cudafit.resolve.problem import Library
from cudafit.resolve.request import INSTALLED, Request

# Parts of frameworks: they come and go with the build that needs them. nvidia-ml-py is a tool of its own.
_PART = re.compile(
    r"nvidia-(?!ml-py\b|modelopt|dali|nvimgcodec|cuda-nvcc).*|(pytorch-)?triton(-(rocm|xpu|windows))?|jaxlib"
    r"|jax-cuda\d+-(plugin|pjrt)|tensorflow-(intel|io-gcs-filesystem|estimator)|cuda-toolkit"
)
_TOOLS = ("pip", "setuptools", "wheel", "uv")


def request_of(wish: Wish, environment: Environment, library: Library) -> Request:
    """The builds to choose, the other packages beside them, everything as near to what is installed as can be."""
    match = re.match(r"3\.\d+", environment.python or "")
    if match is None:
        raise InputError(f"the Python of `{environment.path}` is not known", hint="make a new one: `cudafit create`")
    asked = [wanted(name) for name in wish.change.choose if library.knows(name)]
    asked += [wanted(text) for text in wish.change.install]
    gone = {*wish.change.remove, *(twin for name in (one.name for one in asked) for twin in TWINS.get(name, ()))}
    taken = {*gone, *(one.name for one in asked)}
    held: list[Wanted] = []
    for one in _distributions(environment):
        if one.name in taken or _PART.fullmatch(one.name) or one.name in _TOOLS:
            continue
        if stays(one, library):
            held += [need for need in _needs(one) if need.name not in taken and not library.knows(need.name)]
        elif one.name in library.book.packages:
            asked.append(wanted(one.name))
        else:
            held.append(wanted(one.name))
    installed = by_real_name(environment.distributions)
    return Request(wanted=tuple(asked + held), python=match.group(), prefer=INSTALLED, installed=installed)


def _distributions(environment: Environment) -> Iterator[Distribution]:
    """Each once, and only those of the environment itself: what it shares with another Python is not ours to change."""
    seen: set[str] = set()
    for one in environment.distributions:
        if one.name not in seen and _is_inside(one, environment):
            seen.add(one.name)
            yield one


def _is_inside(one: Distribution, environment: Environment) -> bool:
    return one.place.startswith(environment.path.rstrip("/") + "/")


def stays(one: Distribution, library: Library) -> bool:
    """Whether it is left as it is: no index has it, its name misleads, or the matrix knows nothing of this version."""
    if one.editable or one.origin is not None or one.version is None or library.means(one.name, "wrong"):
        return True
    known = library.builds(one.name) if one.name in library.book.packages else ()
    return bool(known) and all(build.version != _public(one.version) for build in known)


def _needs(one: Distribution) -> Iterator[Wanted]:
    for text in one.requires:
        if "extra" in text.partition(";")[2]:
            continue
        try:
            yield wanted(text, origin=one.name)
        except InputError:
            continue


def _public(version: str | None) -> str:
    return (version or "").partition("+")[0]


def preferred(environment: Environment, wish: Wish, library: Library) -> dict[str, str]:
    """The versions to stay at where that can be."""
    return {
        one.name: one.version
        for one in _distributions(environment)
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
    for one in _distributions(environment):
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
    staying = (one.name for one in _distributions(environment) if stays(one, library))
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
    installed = {one.name: one for one in _distributions(environment)}
    staying = [
        one for name, one in installed.items() if name not in wish.change.choose and name not in wish.change.remove
    ]
    staying = [one for one in staying if not _PART.fullmatch(one.name) or one.name in locked]
    mentioned = {name_in(text) for one in staying for text in one.requires}
    former = [installed[name] for name in (*wish.change.choose, *wish.change.remove) if name in installed]
    reached: set[str] = set()
    while former:
        for text in former.pop().requires:
            name = name_in(text)
            if name in installed and name not in reached and _PART.fullmatch(name):
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
    if _PART.fullmatch(name):
        return "part of the build"
    frameworks = [*wish.change.choose, *(wanted(text).name for text in wish.change.install)]
    goes = f"goes with {', '.join(dict.fromkeys(frameworks))}" if frameworks else "needed"
    return goes if environment.distribution(name) is None else f"must move: {goes}"


def versions_in(environment: Environment) -> Mapping[str, Sequence[str | None]]:
    """Each copy of the packages that are in the environment itself."""
    found: dict[str, list[str | None]] = {}
    for one in environment.distributions:
        if _is_inside(one, environment):
            found.setdefault(one.name, []).append(one.version)
    return found
