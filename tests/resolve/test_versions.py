"""Plain bounds are compared by number: quicker than what reads any specifier, and the same answer."""

from itertools import product

from packaging.specifiers import SpecifierSet

from cudafit.resolve.versions import admits_any

NUMBERS = ("0", "1", "2.3", "2.3.0", "2.03", "2.10", "2.3.0.1", "2024.1", "999999999")
OTHERS = ("2.3rc1", "2.3.post1", "2.3+cu126", "1!2.3", "2.3.dev1")


def test_a_bound_admits_what_the_standard_says() -> None:
    bounds = [sign + number for sign, number in product(("<", "<=", ">", ">="), NUMBERS)]
    bounds += [f"{one},{other}" for one, other in product(bounds, bounds[::5])]
    for bound, version in product(bounds, (*NUMBERS, *OTHERS)):
        assert admits_any(bound, version) == SpecifierSet(bound).contains(version, prereleases=True), (bound, version)
