"""What the benchmarks compute of what they measured."""

import sys
from functools import partial
from pathlib import Path

import pytest

from benchmarks.growth import ROWS, line
from benchmarks.measures import LIMIT, Command, cpu_seconds, fitted, growth, in_turns, ratio


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 1.5, 2.0])
def test_an_exponent_is_found_again(power: float) -> None:
    works = [3.0, 30.0, 300.0, 500.0]
    assert fitted(works, [0.2 * work**power for work in works]) == pytest.approx(power)


def test_least_squares_lie_between_points_that_disagree() -> None:
    assert fitted([1, 10, 100], [1, 30, 100]) == pytest.approx(1.0)
    assert fitted([1, 10], [1, 30]) == pytest.approx(1.477, abs=0.001)


@pytest.mark.parametrize(("power", "finding"), [(0.9, False), (1.0, False), (1.05, False), (1.2, True), (2.0, True)])
def test_a_start_does_not_hide_how_the_rest_grows(power: float, finding: bool) -> None:
    told = growth([1 + 0.1 * work**power for work in (1, 10, 100)])
    assert told.above == pytest.approx(power)
    assert told.finding is finding


def test_what_only_shows_at_a_hundred_times_is_not_called_an_exponent() -> None:
    told = growth([1.0, 1.04, 1.5])
    assert told.above is None
    assert not told.finding


def test_a_cost_that_falls_again_has_no_exponent_above_its_start() -> None:
    assert growth([1.0, 1.5, 1.4]).above is None


def test_the_whole_alone_is_enough_for_a_finding() -> None:
    assert growth([1.0, 1.1, 1000.0]).finding
    assert growth([1.0, 1.1, 1000.0]).whole > LIMIT


def test_a_ratio_is_taken_round_by_round() -> None:
    assert ratio([2.0, 40.0, 9.0], [1.0, 20.0, 3.0]) == 2.0


def test_the_line_of_a_finding_says_so() -> None:
    quiet = line(ROWS[0], growth([1.0, 2.0, 12.0]), [3.0, 1.0, 2.0, 12.0])
    loud = line(ROWS[0], growth([1.0, 2.0, 102.0]), [3.0, 1.0, 2.0, 102.0])
    assert "FINDING" not in quiet
    assert "FINDING: grows faster than the work" in loud


def test_the_time_of_what_a_command_starts_counts(tmp_path: Path) -> None:
    burn = "import time\nwhile time.process_time() < 0.15: pass"
    (tmp_path / "outer.py").write_text(f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])")
    assert cpu_seconds(Command((sys.executable, str(tmp_path / "outer.py")))) > 0.15


def test_rounds_take_turns_and_the_first_is_not_counted(tmp_path: Path) -> None:
    seen: list[str] = []
    one, two = (Command((sys.executable, "-S", "-c", ""), before=partial(seen.append, name)) for name in "ab")
    assert [len(costs) for costs in in_turns([one, two], 2)] == [2, 2]
    assert seen == ["a", "b"] * 3


def test_a_command_that_fails_is_not_measured() -> None:
    with pytest.raises(SystemExit, match="exit code 7"):
        cpu_seconds(Command((sys.executable, "-c", "raise SystemExit(7)")))
