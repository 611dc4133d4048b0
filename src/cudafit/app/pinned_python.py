"""The Python that pins allow: a version of years ago has wheels for the Pythons of its time alone."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from cudafit.matrix.harvest.released import Released
from cudafit.model.declaration import Bound
from cudafit.resolve.bounds import KNOWN, is_bound
from cudafit.resolve.pythons import has_wheel
from cudafit.resolve.request import Request


def bound_by_pins(
    request: Request, unread: Collection[str], released: Released, platform: str, python: str
) -> Request | None:
    """The request bound to the Pythons for which what it pins has wheels; None where that says nothing new.

    `unread` are the packages that have no wheel for this Python. A Python that was typed is left as it is.
    """
    if request.python:
        return None
    bounds: list[Bound] = []
    for want in request.wanted:
        version = want.specifier.removeprefix("==")
        if want.name not in unread or not want.specifier.startswith("==") or "*" in version or "," in version:
            continue
        allowed = [one for one in KNOWN if has_wheel(released.pythons_of(want.name, version, platform), None, one)]
        if not allowed or python in allowed:
            continue
        bound = Bound(_span(allowed), f"`{want.text}`, {want.origin}: it has wheels for no other")
        if bound not in request.pythons and any(is_bound(one, [*request.pythons, *bounds, bound]) for one in KNOWN):
            bounds.append(bound)
    if not bounds:
        return None
    told = ", ".join(f"{one.specifier} ({one.origin})" for one in bounds)
    return replace(
        request, pythons=(*request.pythons, *bounds), notes=(*request.notes, f"what is pinned needs Python {told}")
    )


def _span(pythons: Sequence[str]) -> str:
    minors = sorted(int(one.partition(".")[2]) for one in pythons)
    return f">=3.{minors[0]},<3.{minors[-1] + 1}"
