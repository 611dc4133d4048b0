"""The floor of the coverage rises and never falls."""

import pytest

from tests.floor import PYPROJECT, floor_in, judged

TEXT = "[tool.coverage.report]\nfail_under = 90\n"
HISTORY = "+fail_under = 90\n-fail_under = 88\n+fail_under = 88\n"


def test_it_is_raised_by_whole_points() -> None:
    assert judged(TEXT, 92.7, HISTORY) == (TEXT.replace("90", "92"), None)
    assert judged(TEXT, 90.9, HISTORY) == (TEXT, None)


@pytest.mark.parametrize(
    ("text", "measured", "told"),
    [
        (TEXT, 89.99, "89.99 % of the code was run, and the floor is 90 %"),
        (TEXT.replace("90", "89"), 95.0, "the floor was 90 % and is 89 %"),
        (TEXT.replace("fail_under = 90", ""), 95.0, "the floor was 90 % and is 0 %"),
    ],
)
def test_below_it_or_lowered_it_is_an_error(text: str, measured: float, told: str) -> None:
    after, wrong = judged(text, measured, HISTORY)
    assert after == text
    assert wrong
    assert told in wrong


def test_there_is_one() -> None:
    assert floor_in(PYPROJECT.read_text(encoding="utf-8")) > 0
