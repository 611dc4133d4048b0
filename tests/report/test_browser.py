"""The page in a real browser, from the file system."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.report import MARKUP, ROOM, room

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
Cudafit = Callable[..., Any]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no chromium here (Debian: apt install chromium)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def file(cudafit: Cudafit, tmp_path: Path) -> Path:
    cudafit("report", str(room(tmp_path / "lab 3")), "-o", str(tmp_path / "the room.html"))
    return tmp_path / "the room.html"


class Seen:
    """A page, with what it said and asked for."""

    def __init__(self, browser: Any, file: Path, **look: Any) -> None:
        self.context = browser.new_context(**look)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file.as_uri())

    def rows(self) -> list[str]:
        found: list[str] = self.page.eval_on_selector_all(
            "#all tbody tr:not([hidden]) th", "cells => cells.map(one => one.textContent)"
        )
        return found


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_says_nothing_loads_nothing_and_is_no_wider_than_the_screen(
    chromium: Any, file: Path, width: int, scheme: str
) -> None:
    seen = Seen(chromium, file, viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert seen.said == []
    assert seen.asked == [file.as_uri()]
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    assert seen.page.evaluate("document.images.length") == 0, "the name of a machine is text"
    assert seen.rows() == sorted(ROOM)
    seen.context.close()


def test_it_filters_and_sorts(chromium: Any, file: Path) -> None:
    seen = Seen(chromium, file)
    page = seen.page
    page.get_by_label("Filter by words").fill("4090 cpu_wheel")
    assert seen.rows() == ["ws01", "ws02"]
    assert page.locator("#told").text_content() == "2 of 10 shown"
    page.get_by_role("button", name="Show all").click()
    page.locator("#state").select_option("error")
    assert seen.rows() == ["driverless", "ws01", "ws02"]
    page.get_by_role("button", name="Show all").click()
    page.locator("#map button", has_text="✕").first.click()
    assert seen.rows() == ["driverless"]
    page.get_by_role("button", name="Show all").click()
    page.locator("#all thead button", has_text="Driver").click()
    order = [page.locator("#all tbody tr td:nth-child(3)").nth(place).text_content() for place in range(4)]
    assert [one.split(".")[0].strip() for one in order] == ["535", "535", "550", "550"]
    assert page.locator("th[aria-sort=ascending]").count() == 1
    page.locator("#all thead button", has_text="Driver").click()
    assert page.locator("th[aria-sort=descending]").count() == 1
    assert page.locator("#all tbody tr td:nth-child(3)").first.text_content().strip() == "none"
    assert seen.said == []
    seen.context.close()


def test_without_script_all_is_there(chromium: Any, file: Path) -> None:
    seen = Seen(chromium, file, java_script_enabled=False)
    assert seen.page.locator("#all tbody tr").count() == len(ROOM)
    assert not seen.page.locator(".controls").is_visible()
    seen.context.close()


def test_a_script_that_comes_with_a_name_could_not_run(chromium: Any, file: Path) -> None:
    """Even where a name were not escaped."""
    text = file.read_text(encoding="utf-8").replace(
        "&lt;img src=x onerror=alert(1)&gt;", "<script>document.title='x'</script>"
    )
    file.write_text(text, encoding="utf-8")
    seen = Seen(chromium, file)
    assert seen.page.title().startswith("cudafit report")
    assert any("Content Security Policy" in one for one in seen.said)
    seen.context.close()


def test_a_screen_reader_finds_names_for_everything(chromium: Any, file: Path) -> None:
    seen = Seen(chromium, file)
    tree = seen.page.locator("body").aria_snapshot()
    assert 'searchbox "Filter by words"' in tree
    assert 'combobox "State"' in tree
    assert 'table "Every machine; a column\'s name sorts by it"' in tree
    assert 'img "140 TFLOP/s, 85% of 165"' in tree
    assert f'rowheader "{MARKUP}"' in tree
    assert seen.page.locator("table:not(:has(caption))").count() == 0
    assert seen.page.locator("th:not([scope])").count() == 0
    assert not re.search(r"^\s*- (button|img|region|searchbox|combobox)\s*(:|$)", tree, re.MULTILINE)
    seen.context.close()


def test_on_paper_all_is_there(chromium: Any, file: Path, tmp_path: Path) -> None:
    seen = Seen(chromium, file, color_scheme="dark")
    seen.page.emulate_media(media="print")
    assert not seen.page.locator(".controls").is_visible()
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    seen.page.pdf(path=str(tmp_path / "room.pdf"))
    assert seen.page.locator("details:not([open])").count() == 0, "what is folded is printed too"
    seen.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_axe_finds_nothing(chromium: Any, file: Path, width: int, scheme: str) -> None:
    """Contrast, labels and roles by axe-core's rules; its own script needs the policy out of the way."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    look = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    seen = Seen(chromium, file, bypass_csp=True, **look)
    told = axe.Axe().run(seen.page).response
    assert {"color-contrast", "label", "empty-table-header"} <= {one["id"] for one in told["passes"]}
    assert [(one["id"], one["nodes"][0]["html"]) for one in told["violations"]] == []
    seen.context.close()
