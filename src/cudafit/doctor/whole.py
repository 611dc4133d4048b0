"""All packages of an environment as one question to resolve: what is to change, and what stands beside it."""

import re
from collections.abc import Iterator

from cudafit.errors import InputError
from cudafit.model.environment import SYSTEM, Distribution, Environment, by_real_name, is_of_distribution
from cudafit.model.finding import Change
from cudafit.model.frameworks import TWINS
from cudafit.model.requirement import Wanted, wanted
from cudafit.resolve.problem import Library
from cudafit.resolve.request import INSTALLED, Request

# Parts of frameworks: they come and go with the build that needs them. nvidia-ml-py is a tool of its own.
PART = re.compile(
    r"nvidia-(?!ml-py\b|modelopt|dali|nvimgcodec|cuda-nvcc).*|(pytorch-)?triton(-(rocm|xpu|windows))?|jaxlib"
    r"|jax-cuda\d+-(plugin|pjrt)|tensorflow-(intel|io-gcs-filesystem|estimator)|cuda-toolkit"
)
_OF_USER = re.compile(r"/\.local/lib/python3\.\d+t?/site-packages$")
_TOOLS = ("pip", "setuptools", "wheel", "uv")


def request_of(change: Change, environment: Environment, library: Library) -> Request:
    """The builds to choose, the other packages beside them, everything as near to what is installed as can be."""
    match = re.match(r"3\.\d+", environment.python or "")
    if match is None:
        raise InputError(f"the Python of `{environment.path}` is not known", hint="make a new one: `cudafit create`")
    asked = [wanted(name) for name in change.choose if library.knows(name)]
    asked += [wanted(text) for text in change.install]
    gone = {*change.remove, *(twin for name in (one.name for one in asked) for twin in TWINS.get(name, ()))}
    taken = {*gone, *(one.name for one in asked)}
    held: list[Wanted] = []
    for one in distributions_in(environment):
        if one.name in taken or PART.fullmatch(one.name) or one.name in _TOOLS:
            continue
        if stays(one, library):
            held += [need for need in _needs(one) if need.name not in taken and not library.knows(need.name)]
        elif one.name in library.book.packages:
            asked.append(wanted(one.name))
        else:
            held.append(wanted(one.name))
    installed = by_real_name(environment.distributions)
    return Request(wanted=tuple(asked + held), python=match.group(), prefer=INSTALLED, installed=installed)


def distributions_in(environment: Environment) -> Iterator[Distribution]:
    """Each once, and only those of the environment itself: what it shares with another Python is not ours to change."""
    seen: set[str] = set()
    for one in environment.distributions:
        if one.name not in seen and is_inside(one, environment):
            seen.add(one.name)
            yield one


def is_inside(one: Distribution, environment: Environment) -> bool:
    if is_of_distribution(one):
        return False
    if environment.kind == SYSTEM and _OF_USER.search(one.place):
        return True  # what its user installed for himself goes before what is there for all
    return one.place.startswith(environment.path.rstrip("/") + "/")


def stays(one: Distribution, library: Library) -> bool:
    """Whether it is left as it is: no index has it, its name misleads, or the matrix knows nothing of this version."""
    if one.editable or one.origin is not None or one.version is None or library.means(one.name, "wrong"):
        return True
    known = library.builds(one.name) if one.name in library.book.packages else ()
    return bool(known) and all(build.version != public(one.version) for build in known)


def _needs(one: Distribution) -> Iterator[Wanted]:
    for text in one.requires:
        if "extra" in text.partition(";")[2]:
            continue
        try:
            yield wanted(text, origin=one.name)
        except InputError:
            continue


def public(version: str | None) -> str:
    return (version or "").partition("+")[0]
