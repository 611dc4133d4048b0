"""Plain versions and bounds are compared by number: quicker than what reads any specifier, and the same answer."""

from itertools import product

import pytest
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from cudafit.resolve.versions import admits, admits_any, parsed, read

NUMBERS = ("0", "1", "2.3", "2.3.0", "2.03", "2.10", "2.3.0.1", "2024.1", "999999999")
OTHERS = ("2.3rc1", "2.3.post1", "2.3+cu126", "1!2.3", "2.3.dev1")
MORE = (
    "2.3a1",
    "2.3b2.dev3",
    "2.3rc1.post4",
    "2.3.post1.dev2",
    "2.3+cu126.5",
    "2.3+5",
    "2.3+cu9",
    "2.3-1",
    "v2.3",
    "0!2.3",
)


def test_a_bound_admits_what_the_standard_says() -> None:
    plain = [sign + number for sign, number in product(("<", "<=", ">", ">=", "==", "!="), NUMBERS)]
    plain += [f"~={number}" for number in NUMBERS if "." in number]
    plain += [f"{sign}{number}.*" for sign, number in product(("==", "!="), NUMBERS)]
    bounds = [*plain, *(f"{one},{other}" for one, other in product(plain[::2], plain[::5]))]
    for bound in bounds:
        standard = SpecifierSet(bound)
        for version in (*NUMBERS, *OTHERS):
            assert admits_any(bound, version) == standard.contains(version, prereleases=True), (bound, version)
    for bound, version in product(plain, (*NUMBERS, *OTHERS)):
        standard = SpecifierSet(bound)
        told = standard.contains(version, prereleases=bool(standard.prereleases))
        assert admits(bound, version) == told, (bound, version)


@pytest.mark.parametrize("text", ["~=2", ">=2.*", "~=2.3.*", "=2.3", "2.3", ">=2.3,,<3"])
def test_what_is_no_bound_is_told_as_the_standard_does(text: str) -> None:
    try:
        told = SpecifierSet(text).contains("2.3")
    except InvalidSpecifier:
        with pytest.raises(InvalidSpecifier):
            admits(text, "2.3")
    else:
        assert admits(text, "2.3") == told


def test_versions_stand_as_the_standard_orders_them() -> None:
    every = (*NUMBERS, *OTHERS, *MORE)
    for one, other in product(every, every):
        mine, theirs = (parsed(one), parsed(other)), (Version(one), Version(other))
        assert (mine[0] < mine[1], mine[0] == mine[1]) == (theirs[0] < theirs[1], theirs[0] == theirs[1]), (one, other)
    assert [parsed(one).is_prerelease for one in every] == [Version(one).is_prerelease for one in every]


@pytest.mark.parametrize("text", ["", "2.", "latest", "2.3 beta x", "\u0662.3", "9" * 600])
def test_what_is_no_version(text: str) -> None:
    assert read(text) is None
    with pytest.raises(InvalidVersion):
        parsed(text)
