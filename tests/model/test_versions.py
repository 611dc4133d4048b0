"""Versions as NVIDIA writes them."""

import pytest

from cudafit.model.versions import cuda_from_number, dotted_version, is_version, natural_key, number, numbers


@pytest.mark.parametrize("text", ["550.54.15", "580.65.06", "555.58", "35.3.1", "12.4", "12.4.5.8", "0.0"])
def test_a_version_is_kept_as_it_is_written(text: str) -> None:
    assert dotted_version(text) == text


@pytest.mark.parametrize(
    "value",
    [
        "",
        "550",
        "N/A",
        "[Not Supported]",
        "550.",
        ".54",
        "550..54",
        " 550.54",
        "550.54\n",
        "550.54.15-1",
        "v12.4",
        None,
        12.4,
    ],
)
def test_what_stands_in_its_place_is_none(value: object) -> None:
    assert dotted_version(value) is None


@pytest.mark.parametrize(
    ("number", "version"),
    [(12040, "12.4"), (11080, "11.8"), (10010, "10.1"), (9020, "9.2"), (13030, "13.3"), (12100, "12.10"), (0, "0.0")],
)
def test_cuda_from_its_number(number: int, version: str) -> None:
    assert cuda_from_number(number) == version


@pytest.mark.parametrize(
    "names",
    [
        ["cuda", "cuda-9.2", "cuda-11.8", "cuda-12.9", "cuda-12.10"],
        ["3.9", "3.10", "3.10.14", "3.11"],
        ["535.183.01", "550.54.15", "550.54.16", "550.144.03"],
        ["", "1", "10", "a"],
    ],
)
def test_sorted_as_people_read_them(names: list[str]) -> None:
    assert sorted([names[-1], *names[:-1]], key=natural_key) == names


def test_a_raised_digit_is_a_letter() -> None:
    assert natural_key("cuda-12.4\N{SUPERSCRIPT TWO}") > natural_key("cuda-12.4")


def test_a_number_of_thousands_of_digits_is_larger_than_all() -> None:
    assert number("0" * 3 + "7") == 7
    assert number("9" * 18) == 10**18 - 1
    assert number("9" * 5000) == number("1" + "0" * 19) > number("9" * 18)
    assert numbers("12." + "9" * 5000) > numbers("12.9")
    assert numbers("\u0662.3") == (3,), "a number of another script is none of a version's"
    assert dotted_version("\u0662.\u0663") is None


def test_what_may_be_a_version() -> None:
    for text in ("2.9.0", "v1", "0!1", "2024a", "1.0+" + "9" * 40):
        assert is_version(text)
    for text in ("", "=", "x1", "9" * 600, "1." + "9" * 600, "\u0662"):
        assert not is_version(text)
