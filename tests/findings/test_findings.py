"""The list of findings and their pages are the catalogue's own."""

import re

from cudafit.model.kinds import KINDS
from tests.findings import PAGE, page
from tests.findings.errors import FINDINGS, errors_page, page_with_texts, texts_of_findings
from tests.findings.errors import PAGE as ERRORS


def test_the_list_follows_from_the_catalogue() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make findings`"


def test_the_list_of_error_texts_follows_from_the_rules() -> None:
    assert ERRORS.read_text(encoding="utf-8") == errors_page(), "run `make findings`"


def test_each_page_shows_the_texts_that_mean_it() -> None:
    texts = texts_of_findings()
    for path in sorted(FINDINGS.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        assert text == page_with_texts(path.stem, text, texts), "run `make findings`"


def test_every_finding_has_a_page_of_one_shape_and_every_page_a_finding() -> None:
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (PAGE.parent / "findings").glob("*.md")}
    assert pages.keys() == KINDS.keys()
    for name, text in pages.items():
        assert re.match(rf"# {re.escape(name)}\n\n\S", text), name
        assert re.findall(r"^## .*", text, re.MULTILINE)[:2] == ["## How it is detected", "## What to do by hand"], name


# How many pages say how to confirm the fix, and how many name public threads: the numbers only rise.
_CONFIRMED, _WITH_SOURCES = 158, 103


def test_no_page_loses_what_it_has() -> None:
    confirmed, with_sources = 0, 0
    for path in (PAGE.parent / "findings").glob("*.md"):
        text = path.read_text(encoding="utf-8")
        parts = dict(zip(*[iter(re.split(r"^## (.*)\n", text, flags=re.MULTILINE)[1:])] * 2, strict=True))
        assert all(part.strip() for part in parts.values()), path.stem
        confirmed += "How to confirm" in parts
        with_sources += bool(re.search(r"^ *<https://\S+>$", parts.get("Sources", ""), re.MULTILINE))
    assert confirmed >= _CONFIRMED
    assert with_sources >= _WITH_SOURCES
