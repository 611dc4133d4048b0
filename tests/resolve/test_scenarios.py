"""Every scenario: a machine and a request, and what must come out."""

from pathlib import Path

import pytest

from tests.scenarios import NAMES, answer, differences, read


@pytest.mark.parametrize("name", NAMES)
def test_scenario(name: str, tmp_path: Path) -> None:
    scenario = read(name)
    found = answer(scenario, tmp_path)
    wrong = differences(scenario["expect"], found)
    assert not wrong, "\n".join([scenario["description"], *wrong])


def test_there_are_enough_and_each_says_where_it_follows_from() -> None:
    assert len(NAMES) >= 80
    for name in NAMES:
        scenario = read(name)
        assert scenario["description"], name
        assert scenario["source"], name
        assert scenario["expect"], name
