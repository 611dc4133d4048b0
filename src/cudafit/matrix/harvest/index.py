"""What an index serves: the wheels of a package, by its simple page (HTML or JSON)."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus

import requests
from packaging.utils import InvalidWheelFilename
from packaging.version import Version
from pypi_simple import PYPI_SIMPLE_ENDPOINT, NoSuchProjectError, ProjectPage, PyPISimple, UnsupportedContentTypeError

from cudafit import indexes
from cudafit.matrix.harvest.errors import HarvestError
from cudafit.model.wheel_names import wheel_parts
from cudafit.system.secrets import host_of

TIMEOUT_S = 60
_BEGINS = re.compile(rb"<(?!br|meta|link|base|hr|img|input)[a-z]", re.I)  # those have no end
_MOST_OPEN = 200
_LONG_WORD = re.compile(rb"[^\s\"'<>/?#&=]{2000}")

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


def wheels(package: str, index: str, session: requests.Session) -> list[WheelFile]:
    """The wheels of a package, yanked and pre-release ones left out; raises HarvestError."""
    with PyPISimple(index, session=session) as client:
        try:
            page = _page(client, package)
        except NoSuchProjectError:
            raise HarvestError(package, f"{shown(index)} has no such package") from None
        except (requests.RequestException, UnsupportedContentTypeError, ValueError) as error:
            raise HarvestError(package, f"its page at {shown(index)} cannot be read: {type(error).__name__}") from None
    found = []
    for file in page.packages:
        if file.package_type == "wheel" and not file.is_yanked:
            found += list(_wheel(package, file.filename, file.url, dict(file.digests)))
    return found


def _page(client: PyPISimple, package: str) -> ProjectPage:
    """As `get_project_page` has it, but for a page that no index has: what takes it apart takes time by the square of
    the length of a name, and of the depth of tags within tags."""
    address = client.get_project_url(package)
    response = client.s.get(address, timeout=TIMEOUT_S, headers={"Accept": client.accept})
    if response.status_code == HTTPStatus.NOT_FOUND:
        raise NoSuchProjectError(package, address)
    response.raise_for_status()
    page = response.content
    if _LONG_WORD.search(page) or len(_BEGINS.findall(page)) - page.count(b"</") > _MOST_OPEN:
        raise ValueError("it is no page of an index")
    return ProjectPage.from_response(response, package)


def _wheel(package: str, name: str, url: str, digests: Mapping[str, str]) -> Iterator[WheelFile]:
    try:
        _, version, build, tags = wheel_parts(name)
    except (InvalidWheelFilename, ValueError):
        return
    if version.is_prerelease:
        return
    platforms = tuple(sorted({tag.platform for tag in tags}))
    ours = {platform_of(word) for word in platforms} - {None}
    pythons = tuple(sorted({python for tag in tags if (python := _python(tag.interpreter, tag.abi))}))
    number = (build[0], build[1]) if build else (0, "")
    for platform in sorted(word for word in ours if word):
        yield WheelFile(package, version, name, url, digests.get("sha256"), platform, pythons, platforms, number)


def platform_of(tag: str) -> str | None:
    """`manylinux_2_28_x86_64` -> `linux-x86_64`; None for what we do not cover."""
    return next((name for pattern, name in _PLATFORMS if re.match(pattern, tag)), None)


def _python(interpreter: str, abi: str) -> str | None:
    """`cp312` -> `3.12`, free-threaded `cp313t` -> `3.13t`, `cp39-abi3` -> `3.9+`; `py3` says nothing, any will do."""
    match = re.fullmatch(r"cp(\d)(\d+)", interpreter)
    if match is None:
        return None
    version = f"{match.group(1)}.{match.group(2)}"
    if abi == "abi3":
        return f"{version}+"
    return f"{version}t" if re.fullmatch(r"cp\d+t", abi) else version
