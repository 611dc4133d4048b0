"""The site as it is built: nothing is loaded from elsewhere, and a piece of an error text finds its page."""

import functools
import http.server
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.pages.blocks import TOP

pytestmark = pytest.mark.slow

# What somebody copies out of a terminal, and the page that answers it.
SEARCHED = {
    "Torch not compiled with CUDA enabled": "torch.cpu_wheel",
    "no kernel image is available for execution": "torch.arch_unsupported",
    "Driver/library version mismatch": "driver.lib_kernel_mismatch",
    "Could not load dynamic library": "tf.cuda_libs",
    "Cannot dlopen some GPU libraries": "tf.cuda_libs",
    "unsupported GNU version": "build.host_compiler_too_new",
    "cannot find -lcuda": "build.libcuda_not_linkable",
    "CUDA_HOME environment variable is not set": "build.no_nvcc",
    "mismatches the version that was used to compile PyTorch": "build.nvcc_torch_mismatch",
    "Cannot re-initialize CUDA in forked subprocess": "code.cuda_in_fork",
    "device-side assert triggered": "code.device_assert",
    "could not select device driver": "container.toolkit_missing",
    "Unsupported gpu architecture 'compute_120'": "build.nvcc_too_old",
    "CUDA driver version is insufficient": "driver.too_old_for_runtime",
    "numpy.dtype size changed": "numpy.abi_mismatch",
    "GPU has fallen off the bus": "gpu.fallen_off_bus",
    "CUDA out of memory": "gpu.out_of_memory",
    "Found no NVIDIA driver on your system": "errors",
    "externally-managed-environment": "pip.externally_managed",
    "Unable to register cuDNN factory": "errors",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if importlib.util.find_spec("material") is None:
        pytest.skip("mkdocs-material is not installed: `make docs`")
    folder = tmp_path_factory.mktemp("site") / "site"
    words = ["-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run([sys.executable, *words], cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


class _Loaded(HTMLParser):
    """What a browser fetches for a page without being asked."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("script", "img", "iframe", "source", "video", "audio", "embed"):
            self.found.append(given.get("src") or "")
        if tag == "link" and given.get("rel") not in ("canonical", "prev", "next"):
            self.found.append(given.get("href") or "")


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 200
    for path in pages:
        parser = _Loaded()
        parser.feed(path.read_text(encoding="utf-8"))
        assert parser.found
        assert [one for one in parser.found if re.match(r"(?:\w+:)?//", one)] == [], path.name
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"(?:url\(|@import )[\"']?(?:https?:)?//[^)]*", styles) == []


def _plain(words: str) -> str:
    return re.sub(r"\W+", " ", re.sub(r"<[^>]+>|&\w+;|&#\d+;", " ", words)).lower().strip()


def _index(site: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))[
        "docs"
    ]
    return found


@pytest.mark.parametrize("text", SEARCHED)
def test_a_piece_of_an_error_text_is_in_the_search(site: Path, text: str) -> None:
    places = [one["location"] for one in _index(site) if _plain(text) in _plain(f"{one['title']} {one['text']}")]
    assert any(SEARCHED[text] in place for place in places), places
    assert any(place.startswith("errors.html#") for place in places), places


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_in_a_browser_the_search_finds_it_and_nobody_else_is_asked(address: str) -> None:
    browsers = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: `make docs`")
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium here")
    asked: list[str] = []
    with browsers.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for width in (400, 1400):
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.on("request", lambda request: asked.append(request.url))
            for name in ("index.html", "which-torch.html", "errors.html", "schemas.html", "tasks/broken.html"):
                page.goto(address + name)
                wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                assert wide <= 0, f"{name} is {wide} pixels wider than {width}"
        found = [text for text in SEARCHED if _plain(text) in _first(page, address, text)]
        browser.close()
    assert [one for one in asked if not one.startswith((address, "data:", "blob:"))] == []
    assert len(found) >= 19, set(SEARCHED) - set(found)


def _first(page: Any, address: str, text: str) -> str:
    """What the first page among the results says, with the pieces of it that the search shows."""
    page.goto(address)
    page.fill(".md-search__input", text)
    page.wait_for_selector(".md-search-result__item", timeout=20_000)
    page.wait_for_timeout(500)
    return _plain(page.locator(".md-search-result__item").first.inner_text())
