"""Versions and specifiers, parsed once each.

Specifiers are loaded with the first one that there is: they take longer to import than a simple answer does to find.
"""

import operator
import re
from functools import cache
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from cudafit.model.frozen import frozen
from cudafit.model.versions import is_sane, numbers

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

_RELEASE = re.compile(r"\d{1,9}(?:\.\d{1,9})*")
_BOUNDS = re.compile(r"[<>]=?\d{1,9}(?:\.\d{1,9})*(?:,[<>]=?\d{1,9}(?:\.\d{1,9})*)*")
_SHORT = 100
_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_NEEDED = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[([^\]]*)\])?([^;]*)(?:;extra=='([^']+)')?")


@frozen
class Needed:
    """A requirement of a build, as the matrix writes it: `jax-cuda12-plugin[with-cuda]<=0.10.2,>=0.10.1`."""

    name: str
    extras: tuple[str, ...]
    specifier: str
    for_extra: str | None = None  # it holds only where this extra of the build is wanted


@cache
def needed(text: str) -> Needed:
    match = _NEEDED.fullmatch(text)
    if match is None:
        raise ValueError(f"not a requirement: {text!r}")
    name, extras, specifier, for_extra = match.groups()
    return Needed(name, tuple(extras.split(",")) if extras else (), specifier, for_extra)


@cache
def parsed(version: str) -> Version:
    """Raises InvalidVersion; the matrix holds none such, its linters see to that."""
    if not is_sane(version):
        raise InvalidVersion(f"a version with a number of {len(version)} digits")
    return Version(version)


def read(version: str) -> Version | None:
    """Of a version that stands in a file of somebody's; None for what is none."""
    try:
        return parsed(version)
    except InvalidVersion:
        return None


@cache
def admits(specifier: str, version: str) -> bool:
    """Pre-releases are admitted only by a specifier that names one."""
    if not specifier:
        return not parsed(version).is_prerelease
    return is_sane(version) and _set(specifier).contains(version, prereleases=bool(_set(specifier).prereleases))


@cache
def admits_any(specifier: str, version: str) -> bool:
    """As `admits`, for requirements between packages: there a pre-release that was chosen stays chosen."""
    if _RELEASE.fullmatch(version):
        if specifier == f"=={version}":
            return True
        if len(specifier) < _SHORT and _BOUNDS.fullmatch(specifier):
            return all(_keeps(one, version) for one in specifier.split(","))
    return not specifier or (is_sane(version) and _set(specifier).contains(version, prereleases=True))


def _keeps(bound: str, release: str) -> bool:
    """Of plain numbers on both sides nothing is asked but which is larger; 2.3 is 2.3.0."""
    sign = bound.rstrip("0123456789.")
    limit, value = numbers(bound), numbers(release)
    longer = max(len(limit), len(value))
    limit, value = (one + (0,) * (longer - len(one)) for one in (limit, value))
    return bool(_COMPARE[sign](value, limit))


@cache
def disjoint(one: str, other: str) -> bool:
    """Whether no version satisfies both specifiers."""
    if not one or not other or one == other:
        return False
    for exact, rest in ((one, other), (other, one)):
        if (version := exact.removeprefix("==")) != exact and version[0].isdigit() and version.isascii():
            if "," in version or version.endswith("*"):
                break
            return not admits_any(rest, version)
    return (_set(one) & _set(other)).is_unsatisfiable()


@cache
def _set(specifier: str) -> "SpecifierSet":
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415

    return SpecifierSet(specifier)
