"""What a project's own words say of its Python."""

from collections.abc import Sequence

from cudafit.errors import InputError
from cudafit.model.declaration import Bound
from cudafit.model.requirement import is_specifier
from cudafit.resolve.versions import admits_any

# Those that anything in the facts is for, the one that is meant without a word first.
KNOWN = ("3.12", "3.13", "3.11", "3.14", "3.10", "3.9", "3.8", "3.7", "3.6", "3.15")
_LAST = 99  # `3.12` stands for its releases


def is_bound(python: str, bounds: Sequence[Bound]) -> bool:
    """Whether all of them admit it. What is no specifier admits any: it is told where it is read."""
    return all(_admits(one.specifier, python) for one in bounds)


def _admits(specifier: str, python: str) -> bool:
    if not is_specifier(specifier):
        return True
    version = python.rstrip("t")
    releases = [version] if version.count(".") > 1 else [f"{version}.{patch}" for patch in (0, 12, _LAST)]
    # `>=3.7.12` admits some releases of 3.7, `<3.11` some of 3.10, and `==3.5.5.*` one of 3.5.
    exact = specifier.removeprefix("==").removesuffix(".*")
    if specifier.startswith("==") and exact.replace(".", "").isdigit():
        return exact.split(".")[:2] == version.split(".")[:2]
    return any(admits_any(specifier, one) for one in releases)


def within(bounds: Sequence[Bound]) -> tuple[str, ...]:
    """The nearest Pythons that they admit; raises InputError where they admit none."""
    found = tuple(one for one in KNOWN if is_bound(one, bounds))
    if not found:
        told = [f"{one.specifier} ({one.origin})" for one in bounds]
        raise InputError("no Python fits what this project asks for", cause=told)
    return found[:1]


def lowest(bounds: Sequence[Bound]) -> str | None:
    """What a file must hold for that is for all of them."""
    found = sorted((one for one in KNOWN if is_bound(one, bounds)), key=lambda one: int(one.partition(".")[2]))
    return found[0] if found else None
