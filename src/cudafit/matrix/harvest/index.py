"""What an index serves: the wheels of a package, by its simple page (HTML or JSON)."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin

import requests
from packaging.utils import InvalidWheelFilename
from packaging.version import Version
from pypi_simple import (
    PYPI_SIMPLE_ENDPOINT,
    NoSuchProjectError,
    PyPISimple,
    RepositoryPage,
    UnsupportedContentTypeError,
)

from cudafit import indexes
from cudafit.matrix.harvest.errors import HarvestError
from cudafit.model.wheel_names import wheel_parts
from cudafit.system.secrets import host_of

TIMEOUT_S = 60
Listed = tuple[str, str, str | None]  # name, address and sha256 of a file
# What a page raises that is none, or none of this format.
_NO_PAGE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
_BEGINS = re.compile(rb"<(?!br|meta|link|base|hr|img|input)[a-z]", re.I)  # those have no end
_MOST_OPEN = 200
_FILES = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".egg", ".exe", ".tgz", ".rpm", ".msi")
# A page without a file says of itself what it is: PEP 629's meta element, or the title that indexes give it.
_EMPTY = re.compile(rb"pypi:repository-version|<title>Links for ", re.I)


class _NotAnIndexError(Exception):
    """A page for people, as the one to log in on."""


# The word of a wheel's platform tag -> our platform names. Others (i686, armv7l, s390x, ...) are nobody's GPU machine.
_PLATFORMS = (
    (r"(?:many|musl)?linux.*_x86_64$", "linux-x86_64"),
    (r"(?:many|musl)?linux.*_aarch64$", "linux-aarch64"),
    (r"win_amd64$", "windows-x86_64"),
    (r"win_arm64$", "windows-aarch64"),
    (r"macosx.*_arm64$", "macos-aarch64"),
    (r"macosx.*_x86_64$", "macos-x86_64"),
    (r"macosx.*_universal2$", "macos-aarch64"),
    (r"any$", "any"),
)


@dataclass(frozen=True)
class WheelFile:
    """A wheel as its index lists it."""

    package: str
    version: Version
    name: str
    url: str
    sha256: str | None
    platform: str
    pythons: tuple[str, ...]
    tags: tuple[str, ...]
    build: tuple[int, str]

    @property
    def public(self) -> str:
        """The version without its local part: `2.15.0` of `2.15.0+cu132`."""
        return self.version.public


def default_index(environ: Mapping[str, str] = os.environ) -> str:
    """The address that pip or uv is configured with, or pypi-simple's own default; never spelt here."""
    return indexes.default_index(environ) or PYPI_SIMPLE_ENDPOINT


def shown(address: str) -> str:
    """An address that can be shown: its host alone, since user names, passwords and tokens may stand in the rest."""
    return host_of(address) or "the index"


def wheels(package: str, index: str, session: requests.Session, timeout_s: float = TIMEOUT_S) -> list[WheelFile]:
    """The wheels of a package, yanked and pre-release ones left out; raises HarvestError."""
    return wheels_of(package, files(package, index, session, timeout_s))


def wheels_of(package: str, listed: Iterable[Listed]) -> list[WheelFile]:
    """The wheels among the files of a package."""
    return [
        wheel for name, url, sha256 in listed if name.endswith(".whl") for wheel in _wheel(package, name, url, sha256)
    ]


def files(package: str, index: str, session: requests.Session, timeout_s: float = TIMEOUT_S) -> list[Listed]:
    """Name, address and sha256 of each file of a package that is not yanked; raises HarvestError."""
    with PyPISimple(index, session=session) as client:
        try:
            return list(_listed(client, package, timeout_s))
        except NoSuchProjectError:
            raise HarvestError(package, f"{shown(index)} has no such package") from None
        except _NotAnIndexError:
            raise HarvestError(
                package, f"{shown(index)} answers with a page that lists no file: a login page?"
            ) from None
        except (requests.RequestException, UnsupportedContentTypeError, *_NO_PAGE) as error:
            raise HarvestError(package, f"its page at {shown(index)} cannot be read: {type(error).__name__}") from None


def _listed(client: PyPISimple, package: str, timeout_s: float) -> Iterator[tuple[str, str, str | None]]:
    """Name, address and sha256 of each file that is not yanked.

    `get_project_page` would take the names apart too, in time by the third power of their length.
    """
    address = client.get_project_url(package)
    response = client.s.get(address, timeout=timeout_s, headers={"Accept": client.accept})
    if response.status_code == HTTPStatus.NOT_FOUND:
        raise NoSuchProjectError(package, address)
    response.raise_for_status()
    header = Message()
    header["Content-Type"] = response.headers.get("Content-Type") or "text/html"
    kind = header.get_content_type()
    if kind == "application/vnd.pypi.simple.v1+json":
        yield from _of_json(response.json(), response.url)
    elif kind in ("application/vnd.pypi.simple.v1+html", "text/html"):
        charset = header.get_param("charset")
        yield from _of_html(response.content, response.url, charset if isinstance(charset, str) else None)
    else:
        raise UnsupportedContentTypeError(address, kind)


def _of_json(page: Any, address: str) -> Iterator[tuple[str, str, str | None]]:
    """Source: PEP 691; `yanked` may be the reason."""
    if not str(page["meta"]["api-version"]).startswith("1."):
        raise ValueError("another version of the format")
    for file in page["files"]:
        if file.get("yanked", False) is False:
            sha256 = file["hashes"].get("sha256")
            yield str(file["filename"]), urljoin(address, file["url"]), sha256 if isinstance(sha256, str) else None


def _of_html(page: bytes, address: str, charset: str | None) -> Iterator[tuple[str, str, str | None]]:
    """Source: PEP 503 and 592. Tags within tags take time by the square of their depth, and so does what is begun again
    and again without an end."""
    unclosed = len(_BEGINS.findall(page)) - page.count(b"</")
    unended = page.count(b"<", page.rfind(b">") + 1)
    comments = page.count(b"<!--", page.rfind(b"-->") + 1)
    if max(unclosed, unended, comments) > _MOST_OPEN:
        raise ValueError("its tags have no end")
    links = RepositoryPage.from_html(page, address, charset).links
    if not any(link.text.endswith(_FILES) for link in links) and not _EMPTY.search(page):
        raise _NotAnIndexError
    for link in links:
        if "data-yanked" not in (link.attrs or {}):
            url, _, fragment = link.url.partition("#")
            name, _, digest = fragment.partition("=")
            yield link.text, url, digest if name == "sha256" else None


def _wheel(package: str, name: str, url: str, sha256: str | None) -> Iterator[WheelFile]:
    try:
        _, version, build, tags = wheel_parts(name)
    except (InvalidWheelFilename, ValueError):
        return
    if version.is_prerelease:
        return
    platforms = tuple(sorted({tag.platform for tag in tags}))
    ours = {platform_of(word) for word in platforms} - {None}
    pythons = tuple(sorted({python for tag in tags if (python := python_of(tag.interpreter, tag.abi))}))
    number = (build[0], build[1]) if build else (0, "")
    for platform in sorted(word for word in ours if word):
        yield WheelFile(package, version, name, url, sha256, platform, pythons, platforms, number)


def platform_of(tag: str) -> str | None:
    """`manylinux_2_28_x86_64` -> `linux-x86_64`; None for what we do not cover."""
    return next((name for pattern, name in _PLATFORMS if re.match(pattern, tag)), None)


def libc_floor(tags: Iterable[str]) -> tuple[str, int]:
    """The oldest glibc or musl that a wheel is for: `("", 228)` of manylinux_2_28; musl's sort before glibc's."""
    found = [("", 0)]
    for tag in tags:
        if match := re.match(r"(many|musl)linux_(\d+)_(\d+)_", tag):
            found.append(("" if match[1] == "many" else "musl", int(match[2]) * 100 + int(match[3])))
        elif match := re.match(r"manylinux(1|2010|2014)_", tag):
            found.append(("", {"1": 205, "2010": 212, "2014": 217}[match[1]]))
    return min(found[1:], default=found[0])


def python_of(interpreter: str, abi: str) -> str | None:
    """`cp312` -> `3.12`, free-threaded `cp313t` -> `3.13t`, `cp39-abi3` -> `3.9+`; `py3` says nothing, any will do."""
    match = re.fullmatch(r"cp(\d)(\d+)", interpreter)
    if match is None:
        return None
    version = f"{match.group(1)}.{match.group(2)}"
    if abi == "abi3":
        return f"{version}+"
    return f"{version}t" if re.fullmatch(r"cp\d+t", abi) else version
