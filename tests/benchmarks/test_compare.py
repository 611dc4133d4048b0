"""Two versions side by side, and the history of ratios."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import compare
from benchmarks.growth import CUDAFIT
from benchmarks.measures import Command


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits of a package `cudafit`: the second one costs more, and knows a word that the first does not."""
    top = tmp_path / "top"
    package = top / "src" / "cudafit"
    package.mkdir(parents=True)
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(name, "someone@example.org")
    monkeypatch.setattr(compare, "TOP", top)
    subprocess.run(["git", "init", "--quiet", str(top)], check=True)
    (package / "__init__.py").write_text("")
    for text in (
        "import sys\nif 'new' in sys.argv: raise SystemExit(2)\n",
        "import time\nwhile time.process_time() < 0.3: pass\n",
    ):
        (package / "__main__.py").write_text(text)
        compare.git("add", "src")
        compare.git("commit", "--quiet", "-m", "one")
    return top


@pytest.mark.slow
def test_both_versions_are_run_and_an_older_one_may_not_know_a_command(repository: Path) -> None:
    cases = {"old": Command(CUDAFIT), "new": Command((*CUDAFIT, "new"))}
    with compare.checkout("HEAD~1") as then:
        ratios = dict(compare.side_by_side(cases, str(repository), then, 1))
    assert ratios["old"] is not None
    assert ratios["old"] > 2
    assert ratios["new"] is None


def test_nothing_is_left_of_a_checkout(repository: Path) -> None:
    with compare.checkout("HEAD~1") as then:
        assert "argv" in Path(then, "src", "cudafit", "__main__.py").read_text()
    assert not Path(then).exists()
    assert len(compare.git("worktree", "list").splitlines()) == 1


def test_a_revision_that_is_an_option_or_nothing_is_refused(repository: Path) -> None:
    for word in ("--force", "nowhere"):
        with pytest.raises(SystemExit), compare.checkout(word):
            pytest.fail("it was checked out")


def test_another_cudafit_than_that_of_the_checkout_is_not_measured(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="would be measured"):
        compare.check_origin(str(tmp_path))


def test_the_history_holds_ratios_one_line_a_commit(tmp_path: Path) -> None:
    history = tmp_path / "results" / "ratios.jsonl"
    compare.record(history, "a" * 40, "2026-01-01", {"--help": 1.234})
    compare.record(history, "b" * 40, "2026-01-02", {"--help": 1.1})
    compare.record(history, "a" * 40, "2026-01-01", {"--help": 1.5})
    assert [json.loads(line) for line in history.read_text().splitlines()] == [
        {"commit": name * 40, "date": date, "python": f"3.{sys.version_info[1]}", "by_import_click": {"--help": value}}
        for name, date, value in (("b", "2026-01-02", 1.1), ("a", "2026-01-01", 1.5))
    ]


def test_what_no_commit_holds_is_not_recorded(repository: Path) -> None:
    (repository / "src" / "cudafit" / "__init__.py").write_text("changed = True\n")
    with pytest.raises(SystemExit, match="nothing is recorded"):
        compare.main(["--record"])


def test_a_comparison_is_not_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        compare.main(["HEAD", "--record"])
    assert "without a revision" in capsys.readouterr().err
