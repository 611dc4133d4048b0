"""The pages "Which PyTorch for my GPU and driver" say what `cudafit resolve` answers."""

import json
import random
import re

import pytest

from cudafit.matrix.load import open_matrix
from tests.conftest import Run
from tests.pages.which import CARDS, DOCS, PAGES, Title, anchor, drivers, page, words

CELLS = [
    (title.package, gpu, driver, cards.platform)
    for title in PAGES
    for cards in CARDS
    for gpu in cards.names
    for driver in drivers()
]


def _holds(run: Run, cell: tuple[str, str, str, str]) -> None:
    """Read from the page as a person reads it, and asked of the command for this very GPU."""
    package, gpu, driver, platform = cell
    text = (DOCS / f"which-{package}.md").read_text(encoding="utf-8")
    done = run(*words(package, gpu, driver, platform), "--offline", "--json")
    answer = json.loads(done.stdout)
    dropped = [one for one in answer["warnings"] if "the last branch for" in one]
    column = drivers().index(driver) + 1
    head = next(cards.names[0] for cards in CARDS if gpu in cards.names and cards.platform == platform)
    row = next(line for line in text.splitlines() if line.startswith(f"| [{head}]("))
    shown = [one.strip() for one in row.strip("|").split("|")][column]
    section = next(part for part in text.split("\n## ") if re.match(rf"Which \w+ for an? {re.escape(head)}\n", part))
    assert gpu == head or f" {gpu}," in section or f" {gpu}." in section
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    line = [one for one in lines if driver in one[0].split(", ")]
    if dropped:
        last = re.findall(r"is (\d+) \(source", dropped[0])[0]
        assert shown == f"{last} at most"
        assert not line
        assert f"| above {last} | none |" in section
        return
    if answer["status"] == "no-fit":
        assert done.returncode == 1
        assert (shown, line[0][1]) == ("none", "none")
        return
    pick = answer["picks"][0]
    assert shown.startswith(pick["version"])
    assert (pick["variant"] in shown) == pick["variant"].startswith("cu")
    assert line[0][1] == shown
    installed = re.findall(r"`(.*)`", line[0][2])[0].replace("'", "").split()
    assert installed == answer["command"]


@pytest.mark.parametrize("cell", random.Random("few").sample(CELLS, 6), ids=" ".join)
def test_a_few_cells_are_what_the_command_answers(cell: tuple[str, str, str, str], cudafit: Run) -> None:
    _holds(cudafit, cell)


@pytest.mark.slow
def test_two_hundred_cells_are_what_the_command_answers(cudafit: Run) -> None:
    for cell in random.SystemRandom().sample(CELLS, 200):
        try:
            _holds(cudafit, cell)
        except (AssertionError, IndexError, StopIteration) as error:
            raise AssertionError(f"{' '.join(cell)}: run `make pages`") from error


@pytest.mark.slow
@pytest.mark.parametrize("title", PAGES, ids=lambda title: title.package)
def test_the_page_is_current(title: Title) -> None:
    assert title.path.read_text(encoding="utf-8") == page(title), "run `make pages`"


def test_the_names_of_a_row_are_one_capability_and_every_capability_of_a_pc_has_a_row() -> None:
    shown = {cards.capability for cards in CARDS}
    boards = {"3.2", "5.3", "6.2", "7.2", "8.7", "11.0"}  # Jetsons, whose builds are others
    without_driver = {"10.7"}  # no driver that has been released knows Rubin
    assert {row.compute_capability for row in open_matrix().facts("gpus").gpus} == shown | boards | without_driver


def test_what_the_table_links_to_is_a_heading() -> None:
    for title in PAGES:
        text = title.path.read_text(encoding="utf-8")
        headings = {anchor(line) for line in re.findall(r"^## (.*)", text, re.MULTILINE)}
        assert set(re.findall(r"\]\(#(.*?)\)", text)) == headings
        assert len(headings) == len(CARDS)
