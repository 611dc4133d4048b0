import pytest

from cudafit.project.placeholders import filled

LONG = {"A": "b" * 8000, "B": "c", "C": None}


@pytest.mark.parametrize(
    ("text", "made", "known"),
    [
        ("a$B ${B} ${X:-d} ${B:+e} $$", "ac c d e $$", True),
        ("$X ${C}", "$X ${C}", False),
        ("no place", "no place", True),
        ("$A", "b" * 8000, True),
    ],
)
def test_what_is_known_is_put_in(text: str, made: str, known: bool) -> None:
    assert filled(text, LONG) == (made, known)


@pytest.mark.parametrize("text", ["$A$A", "$A" * 500_000, "x" * 100 + "$A" * 2000])
def test_what_grows_without_end_is_left_as_it_is_written(text: str) -> None:
    """Half a million places of 8 kB each would be 4 GB."""
    assert filled(text, LONG) == (text, False)
