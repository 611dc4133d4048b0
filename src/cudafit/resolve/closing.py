"""What a request brings in of ours through packages that are not: "torch, because ultralytics needs torch>=1.8"."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from cudafit.errors import InputError
from cudafit.model.frameworks import LEADING
from cudafit.model.requirement import NEEDED_BY, Wanted, applies, wanted

_EXTRA = re.compile(r"""extra\s*==\s*["']([\w.-]+)["']""")
_OF_MAKERS = {"dev", "doc", "docs", "quality", "test", "testing", "tests"}
_FIRST = {one.name for one in LEADING}


class Needing(Protocol):
    """A package of the answer of the package solver."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def by(self) -> tuple[str, ...]: ...


def brought_in(
    nodes: Sequence[Needing],
    asked: Collection[str],
    ours: Callable[[str], bool],
    needs: Callable[[str, str], Sequence[str] | None],
    platform: str,
    python: str,
    standing: Sequence[Wanted] = (),
) -> tuple[Wanted, ...]:
    """The requirements on packages of ours that stand in others. What is asked for already is only limited by them, and
    so is what a package of ours brings along (torch its triton).

    `standing` are requirements of packages that were not asked of the solver themselves.
    """
    versions = {node.name: node.version for node in nodes}
    found: list[Wanted] = []
    for node in nodes:
        if not ours(node.name):
            continue
        said = [one for one in standing if one.name == node.name]
        for parent in node.by:
            if parent in versions and not ours(parent):
                told = needs(parent, versions[parent])
                said += stated(told or (), needed_by(parent, versions[parent]), platform, python, only=node.name) or [
                    Wanted(node.name, "", (), node.name, needed_by(parent, versions[parent]))
                ]
        limits_only = node.name in asked or (node.name not in _FIRST and any(map(ours, node.by)))
        found += [replace(one, constraint=limits_only) for one in said]
    return tuple(dict.fromkeys(found))


def needed_by(name: str, version: str) -> str:
    """The origin of what a package needs."""
    return f"{NEEDED_BY}{name} {version}"


def stated(
    told: Sequence[str],
    origin: str,
    platform: str,
    python: str,
    *,
    extras: Collection[str] | None = None,
    only: str | None = None,
) -> list[Wanted]:
    """What a package needs on this target: always, and with these extras of it, if it is known which were asked for."""
    plain, optional = [], []
    for want in _read(told, origin):
        if only not in (None, want.name):
            continue
        bare = replace(want, marker=None, text=want.text.partition(";")[0].strip())
        if "extra" not in (want.marker or ""):
            plain += [bare] if applies(want, platform, python) else []
        elif extras is None:
            optional.append(bare)
        else:
            plain += [bare] if any(applies(want, platform, python, extra) for extra in extras) else []
    # Where it is not known, nothing is said of the version unless all say the same.
    if not plain and len({one.specifier for one in optional}) == 1:
        plain = optional[:1]
    return plain


def _read(told: Sequence[str], origin: str) -> Iterator[Wanted]:
    for text in told:
        try:
            want = wanted(text, origin)
        except InputError:  # metadata may say anything
            continue
        if not want.url:
            yield want


def with_extra(told: Sequence[str], ours: Callable[[str], bool]) -> tuple[str, str] | None:
    """An extra of a package that brings one of ours, with that: the one of its name first."""
    found = [
        (match[1], want.name)
        for want in _read(told, "")
        if ours(want.name) and (match := _EXTRA.search(want.marker or "")) and match[1] not in _OF_MAKERS
    ]
    return min(found, key=lambda one: one[0] != one[1], default=None)


def because(asked: Sequence[Wanted]) -> tuple[str, ...]:
    """Who needs a package, in words."""
    return tuple(
        f"{want.origin.removeprefix(NEEDED_BY)} needs {want.text}"
        for want in asked
        if want.origin.startswith(NEEDED_BY)
    )


def with_public(wants: Sequence[Wanted], picks: Mapping[str, str]) -> tuple[Wanted, ...]:
    """The request with these versions as limits: what others must go along with."""
    return (*wants, *(wanted(f"{name}=={version}", "the fit", constraint=True) for name, version in picks.items()))
