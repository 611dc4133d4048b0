"""One page that needs nothing and lets nothing in."""

import re
from html.parser import HTMLParser

from cudafit.model import kinds
from cudafit.model.finding import LAYERS, Evidence, Finding, Fix, NotChecked, Report
from cudafit.render.doctor_html import page

_VOID = {"meta", "rect", "line", "br"}
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\x1b[31m"


class Tags(HTMLParser):
    """The tags of a page, which must close as they opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self.open.pop() == tag


def report(*found: Finding, cause: str | None = None) -> Report:
    skipped = (NotChecked("gpu", EVIL),)
    return Report("error", cause, found, skipped, EVIL, (EVIL,), 3, ("cudafit", "repair", f"/x/{EVIL}"))


def whole() -> str:
    fix = Fix(EVIL, (("unset", EVIL),), root=True, reboot=True)
    bad = kinds.env.cvd_empty.found(EVIL, (Evidence(EVIL, EVIL),), fix)
    return page(report(bad, kinds.torch.cpu_wheel.found("t", (Evidence("a", "b"),)), cause=bad.id), EVIL)


def test_what_is_foreign_stays_a_text() -> None:
    tags = Tags(whole())
    assert tags.open == []
    assert not {"script", "img", "iframe", "object", "link", "form"} & set(tags.names)
    assert not [name for name, _ in tags.attributes if name.startswith("on")]
    assert "\x1b" not in whole()


def test_nothing_is_loaded_and_the_browser_is_told_so() -> None:
    text = whole()
    assert "default-src 'none'" in text
    named = {value for name, value in Tags(text).attributes if name in ("src", "href", "srcset", "action", "data")}
    assert named == set()
    assert not re.search(r"url\(|@import|https?://", text)


def test_the_broken_layer_is_marked_once_and_the_cause_comes_first() -> None:
    text = whole()
    assert text.count("broken here") == 1
    assert text.index(">variables<") < text.index("broken here") < text.index(">toolkit<")
    assert text.index("env.cvd_empty</code></summary>") < text.index("torch.cpu_wheel</code></summary>")
    assert "prefers-color-scheme:dark" in text


def test_every_layer_has_its_place() -> None:
    found = [
        next(kind for kind in kinds.KINDS.values() if kind.layer == layer).found("t", (Evidence("a", "b"),))
        for layer in LAYERS
    ]
    text = page(report(*found), "1")
    places = [text.index(f">{layer}</text>") for layer in LAYERS]
    assert places == sorted(places, reverse=True), "what stands on something is drawn above it"
