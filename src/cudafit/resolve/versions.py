"""Versions and specifiers, parsed once each.

Most are numbers with dots between, and bounds of such. `packaging` is loaded with the first that is more, since that
takes longer than a simple answer does to find; a test compares the two.
"""

import operator
import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from cudafit.model.frozen import frozen
from cudafit.model.versions import is_sane

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

_RELEASE = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})*")
_BOUND = re.compile(r"([<>]=?|[=!]=|~=)([0-9]{1,9}(?:\.[0-9]{1,9})*)(\.\*)?")
_SHORT = 100
_COMPARE = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_NEEDED = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[([^\]]*)\])?([^;]*)(?:;extra=='([^']+)')?")


class Order(NamedTuple):
    """Where a version stands among others, by PEP 440."""

    epoch: int
    release: tuple[int, ...]  # without zeros at its end: 2.3 is 2.3.0
    pre: tuple[int | str, ...]
    post: int
    dev: tuple[int, ...]
    local: tuple[tuple[int, int, str], ...] = ()

    @property
    def is_prerelease(self) -> bool:
        return len(self.pre) > 1 or len(self.dev) > 1


_NO_PRE, _NO_POST, _NO_DEV = (2,), -1, (1,)  # after all that have one, before, after


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
def parsed(version: str) -> Order:
    """Raises InvalidVersion; the matrix holds none such, its linters see to that."""
    if _RELEASE.fullmatch(version):
        return Order(0, _stripped(_numbers(version)), _NO_PRE, _NO_POST, _NO_DEV)
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415

    if not is_sane(version):
        raise InvalidVersion(f"a version with a number of {len(version)} digits")
    full = Version(version)
    pre: tuple[int | str, ...] = _NO_PRE
    if full.pre is not None:
        pre = (1, *full.pre)
    elif full.post is None and full.dev is not None:
        pre = (0,)  # 1.0.dev1 comes before 1.0a1
    local = (full.local or "").split(".") if full.local else ()
    return Order(
        full.epoch,
        _stripped(full.release),
        pre,
        _NO_POST if full.post is None else full.post,
        _NO_DEV if full.dev is None else (0, full.dev),
        tuple((1, int(part), "") if part.isdecimal() else (0, 0, part) for part in local),
    )


def read(version: str) -> Order | None:
    """Of a version that stands in a file of somebody's; None for what is none."""
    if _RELEASE.fullmatch(version):
        return parsed(version)
    from packaging.version import InvalidVersion  # noqa: PLC0415

    try:
        return parsed(version)
    except InvalidVersion:
        return None


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.split(".")))


def _stripped(release: tuple[int, ...]) -> tuple[int, ...]:
    while len(release) > 1 and not release[-1]:
        release = release[:-1]
    return release


@cache
def admits(specifier: str, version: str) -> bool:
    """Pre-releases are admitted only by a specifier that names one."""
    if not specifier:
        return not parsed(version).is_prerelease
    if _RELEASE.fullmatch(version) and (bounds := _bounds(specifier)) is not None:
        return _within(version, bounds)
    return is_sane(version) and _set(specifier).contains(version, prereleases=bool(_set(specifier).prereleases))


@cache
def admits_any(specifier: str, version: str) -> bool:
    """As `admits`, for requirements between packages: there a pre-release that was chosen stays chosen."""
    if _RELEASE.fullmatch(version):
        if specifier == f"=={version}":
            return True
        if (bounds := _bounds(specifier)) is not None:
            return _within(version, bounds)
    return not specifier or (is_sane(version) and _set(specifier).contains(version, prereleases=True))


# A sign, the numbers, and how many of them alone are compared (`==2.*`); None: all, of which those that miss are 0.
_Bound = tuple[Callable[[Any, Any], Any], tuple[int, ...], int | None]


@cache
def _bounds(specifier: str) -> tuple[_Bound, ...] | None:
    """None for what is more than bounds of plain numbers."""
    found: list[_Bound] = []
    for part in specifier.split(",") if len(specifier) < _SHORT else ("",):
        match = _BOUND.fullmatch(part)
        if match is None:
            return None
        sign, release, star = match.groups()
        numbers = _numbers(release)
        if sign == "~=":
            if star or len(numbers) == 1:
                return None
            found.append((operator.ge, _stripped(numbers), None))
            found.append((operator.eq, numbers[:-1], len(numbers) - 1))
        elif star:
            if sign not in ("==", "!="):
                return None
            found.append((_COMPARE[sign], numbers, len(numbers)))
        else:
            found.append((_COMPARE[sign], _stripped(numbers), None))
    return tuple(found)


def _within(version: str, bounds: tuple[_Bound, ...]) -> bool:
    release = _numbers(version)
    whole = _stripped(release)
    return all(
        compare(whole if first is None else (release + (0,) * first)[:first], limit) for compare, limit, first in bounds
    )


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
