"""A group of tests stays with one worker, so that what they share is made once."""

import pytest


@pytest.mark.xdist_group("one worker")
@pytest.mark.parametrize("word", ["plain", "with @ in it"])
def test_the_group_of_a_test_is_told_to_whoever_hands_it_out(request: pytest.FixtureRequest, word: str) -> None:
    told = request.node.nodeid.endswith(f"[{word}]@one worker")
    assert told == getattr(request.config.option, "loadgroup", False)
