"""Extras that a package does not have: installers pass over them, and install less than was meant."""

import re
from collections.abc import Iterator, Sequence

from cudafit.indexes import configured
from cudafit.model.fit import Resolution
from cudafit.model.frameworks import LEADING_BUILDS
from cudafit.model.requirement import Wanted, normalised
from cudafit.resolve.closing import with_extra
from cudafit.resolve.pins import every_name
from cudafit.resolve.problem import Library
from cudafit.resolve.request import Request
from cudafit.resolve.words import is_cuda_extra
from cudafit.system.secrets import redacted

_EXTRA = re.compile(r"""\bextra\s*==\s*["']([\w.-]+)["']""")
_SHOWN = 12
_KINDS = ("cpu", "tpu")  # jax's words for a kind of build: what they bring, or that they bring nothing, is known


def has_extras(request: Request) -> bool:
    """Whether any package of the fit is asked for with an extra that is not its word for CUDA."""
    return any(_plain(want) for want in request.wanted)


def absent_extras(request: Request, answer: Resolution, *, offline: bool = False) -> Iterator[str]:
    """By what the index says of the version that was chosen; one that it does not have is not judged."""
    from cudafit.matrix.harvest.released import Released  # noqa: PLC0415 - speaks with an index

    versions = {pick.name: pick.version for pick in answer.picks}
    released = None if offline else Released(configured().default)
    for want in request.wanted:
        extras = _plain(want)
        if not extras or want.name not in versions:
            continue
        version = versions[want.name]
        told = released.of(want.name, version) if released else None
        if told is None:
            why = "`--offline` asks no index" if offline else f"the index does not tell of {want.name} {version}"
            yield f"whether there is a `{redacted(_shown(want, extras))}` was not looked at: {why}"
            continue
        there = sorted({normalised(extra) for text in told.requires for extra in _EXTRA.findall(text)})
        if absent := [extra for extra in extras if normalised(extra) not in there]:
            has = f"it has {', '.join(there[:_SHOWN])}" if there else "it has none"
            yield f"`{redacted(_shown(want, absent))}`: nothing comes with that extra of {want.name} {version}; {has}"


def framework_by_extra(answer: Resolution, library: Library, *, offline: bool = False) -> Iterator[str]:
    """Of a package that needs a framework in other versions, and in the chosen one only with an extra."""
    if offline or any(pick.name in LEADING_BUILDS for pick in answer.picks):
        return
    from cudafit.matrix.harvest.released import Released  # noqa: PLC0415 - as above

    for pick in answer.picks:
        needed = {name for build in library.builds(pick.name) for name in every_name(build)} & LEADING_BUILDS
        if not pick.requested or not needed:
            continue
        told = Released(configured().default).of(pick.name, pick.version)
        first = sorted(needed)[0]
        note = f"{pick.name} {pick.version} brings no {first}, which other versions of it need"
        option = with_extra(told.requires, lambda name: name in LEADING_BUILDS) if told else None
        yield f"{note}; with `{pick.name}[{option[0]}]` it would be {option[1]}" if option else note


def _plain(want: Wanted) -> list[str]:
    if want.url or want.constraint:
        return []
    return [extra for extra in want.extras if extra not in _KINDS and not is_cuda_extra(want.name, extra)]


def _shown(want: Wanted, extras: Sequence[str]) -> str:
    return f"{want.name}[{','.join(extras)}]"
