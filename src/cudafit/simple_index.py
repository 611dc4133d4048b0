"""The simple index of Python packages (PEP 503, 592, 691): what it lists of a package, as JSON or as a page of HTML.

What indexes serve is not trusted: pages for people, pages without an end, files with any name. Names are not taken
apart here; that takes time by the third power of their length with some of them.
"""

import re
from collections.abc import Iterator
from email.message import Message
from functools import cache
from html.parser import HTMLParser
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from cudafit.model.frozen import frozen
from cudafit.process import run, uv_program

if TYPE_CHECKING:
    import requests

JSON = "application/vnd.pypi.simple.v1+json"
HTML = ("application/vnd.pypi.simple.v1+html", "text/html")
ACCEPT = f"{JSON}, {HTML[0]};q=0.2, {HTML[1]};q=0.01"
# What a page raises that is none, or none of this format.
NO_PAGE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
_BEGINS = re.compile(rb"<(?!br|meta|link|base|hr|img|input)[a-z]", re.I)  # those have no end
_MOST_OPEN = 200
_FILES = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".egg", ".exe", ".tgz", ".rpm", ".msi")
# A page without a file says of itself what it is: PEP 629's meta element, or the title that indexes give it.
_EMPTY = re.compile(rb"pypi:repository-version|<title>Links for ", re.I)
_VERSION = re.compile(r"<meta\s[^>]{0,200}pypi:repository-version[^>]{0,200}>", re.I)
_CONTENT = re.compile(r"content\s{0,9}=\s{0,9}[\"']?\s{0,9}(\d{1,9})", re.I)
_UV_SAYS = re.compile(r"default package index \(by default: <(https://[^\s>]{1,200})>\)|default: <?(https://[^\s>\]]+)")


class NoSuchPackageError(Exception):
    """The index has no such package."""


class NotAnIndexError(ValueError):
    """A page for people, as the one to log in on."""


class UnknownTypeError(ValueError):
    """Neither JSON nor HTML of an index."""


@frozen
class ListedFile:
    """A file as its index lists it."""

    name: str
    url: str
    sha256: str | None
    yanked: bool


def files_of(package: str, index: str, session: "requests.Session", timeout_s: float) -> list[ListedFile]:
    """All files of a package. Raises NoSuchPackageError, NotAnIndexError, one of NO_PAGE, RequestException."""
    response = session.get(address_of(package, index), timeout=timeout_s, headers={"Accept": ACCEPT})
    if response.status_code == HTTPStatus.NOT_FOUND:
        raise NoSuchPackageError
    response.raise_for_status()
    header = Message()
    header["Content-Type"] = response.headers.get("Content-Type") or "text/html"
    kind = header.get_content_type()
    if kind == JSON:
        return list(of_json(response.json(), response.url))
    if kind in HTML:
        charset = header.get_param("charset")
        return list(of_html(response.content, response.url, charset if isinstance(charset, str) else None))
    raise UnknownTypeError(kind)


def address_of(package: str, index: str) -> str:
    return f"{index.rstrip('/')}/{re.sub(r'[-_.]+', '-', package).lower()}/"


def of_json(page: Any, address: str) -> Iterator[ListedFile]:
    """Source: PEP 691; `yanked` may be the reason."""
    if not str(page["meta"]["api-version"]).startswith("1."):
        raise ValueError("another version of the format")
    for file in page["files"]:
        sha256 = file["hashes"].get("sha256")
        yield ListedFile(
            str(file["filename"]),
            urljoin(address, file["url"]),
            sha256 if isinstance(sha256, str) else None,
            file.get("yanked", False) is not False,
        )


def of_html(page: bytes, address: str, charset: str | None) -> Iterator[ListedFile]:
    """Source: PEP 503, 592 and 629. What is begun again and again without an end takes time by the square of its
    length, so that is refused."""
    unclosed = len(_BEGINS.findall(page)) - page.count(b"</")
    unended = page.count(b"<", page.rfind(b">") + 1)
    comments = page.count(b"<!--", page.rfind(b"-->") + 1)
    if max(unclosed, unended, comments) > _MOST_OPEN:
        raise ValueError("its tags have no end")
    try:
        text = page.decode(charset or "utf-8", "replace")
    except LookupError:
        text = page.decode("utf-8", "replace")
    told = _VERSION.search(text)
    version = _CONTENT.search(told[0]) if told else None
    if version and int(version[1]) != 1:
        raise ValueError("another version of the format")
    links = _Links(address)
    links.feed(text)
    links.close()
    if not any(one.name.endswith(_FILES) for one in links.found) and not _EMPTY.search(page):
        raise NotAnIndexError
    yield from links.found


class _Links(HTMLParser):
    """The links of a page, each with its text; the first `<base>` says where they lead from."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.found: list[ListedFile] = []
        self._address = address
        self._based = False
        self._open: tuple[str, bool] | None = None
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        href = told.get("href")
        if tag == "base" and href and not self._based:
            self._address, self._based = urljoin(self._address, href), True
        elif tag == "a":
            self._end()
            self._open = (href, "data-yanked" in told) if href is not None else None

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._end()

    def close(self) -> None:
        super().close()
        self._end()

    def _end(self) -> None:
        if self._open is not None:
            href, yanked = self._open
            url, _, fragment = urljoin(self._address, href).partition("#")
            name, _, digest = fragment.partition("=")
            self.found.append(
                ListedFile("".join(self._text).strip(), url, digest if name == "sha256" else None, yanked)
            )
        self._open, self._text = None, []


@cache
def everybodys() -> str | None:
    """The address of the index that installers use where nothing is configured, as uv tells it: it is spelt nowhere
    here. None where uv does not tell; raises ModuleNotFoundError where there is none."""
    try:
        told = run([uv_program(), "pip", "compile", "--help"], timeout_s=20).stdout
    except OSError:
        return None
    found = _UV_SAYS.search(" ".join(told.split()))
    return (found[1] or found[2]) if found else None


def is_everybodys(url: str) -> bool:
    """Whether an address is on the host of that index."""
    try:
        own = everybodys()
    except ModuleNotFoundError:
        return False
    return own is not None and urlsplit(url).hostname == urlsplit(own).hostname
