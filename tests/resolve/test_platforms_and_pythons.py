"""Which wheels suit a C library and a Python."""

import pytest

from cudafit.model.matrix import Build
from cudafit.resolve.platforms import libc_needed
from cudafit.resolve.pythons import described, has_wheel


@pytest.mark.parametrize(
    ("tags", "libc", "needed"),
    [
        (("manylinux_2_28_x86_64",), "glibc 2.28", None),
        (("manylinux_2_28_x86_64",), "glibc 2.17", "glibc 2.28 or newer"),
        (("manylinux2014_x86_64",), "glibc 2.17", None),
        (("manylinux1_x86_64",), "glibc 2.5", None),
        (("manylinux_2_28_x86_64",), "musl 1.2.5", "glibc 2.28 or newer"),
        (("musllinux_1_2_x86_64",), "musl 1.2.5", None),
        (("musllinux_1_2_x86_64", "manylinux_2_34_x86_64"), "glibc 2.28", "glibc 2.34 or newer"),
        (("linux_x86_64",), "glibc 2.17", None),  # promises nothing
        (("any",), "glibc 2.17", None),
        (("manylinux_2_28_x86_64",), None, None),  # unknown is not too old
        (("manylinux_2_28_x86_64",), "musl", "glibc 2.28 or newer"),
        (("manylinux_2_28_x86_64",), "glibc", None),
        ((), "glibc 2.17", None),
    ],
)
def test_libc(tags: tuple[str, ...], libc: str | None, needed: str | None) -> None:
    assert libc_needed(tags, libc) == needed


@pytest.mark.parametrize(
    ("pythons", "requires", "python", "suits"),
    [
        (("3.11", "3.12"), None, "3.12", True),
        (("3.11", "3.12"), None, "3.13", False),
        (("3.13", "3.13t"), None, "3.13t", True),
        (("3.13",), None, "3.13t", False),
        (("3.11",), None, "3.11.9", True),
        ((), ">=3.10", "3.12", True),
        ((), ">=3.10", "3.9", False),
        ((), ">=3.10,<3.13", "3.13", False),
        ((), None, "3.12", True),  # nothing is known of it
    ],
)
def test_pythons(pythons: tuple[str, ...], requires: str | None, python: str, suits: bool) -> None:
    assert has_wheel(pythons, requires, python) == suits


def test_what_a_build_needs_in_words() -> None:
    build = Build("x", "1", "any", "any", "pypi", pythons=("3.11", "3.12"))
    assert described(build) == "Python 3.11, 3.12"
