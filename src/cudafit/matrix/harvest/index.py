"""What an index serves: the wheels of a package."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import requests
from packaging.utils import InvalidWheelFilename
from packaging.version import Version

from cudafit import indexes
from cudafit.matrix.harvest.errors import HarvestError
from cudafit.model.wheel_names import wheel_parts
from cudafit.simple_index import NO_PAGE, NoSuchPackageError, NotAnIndexError, everybodys, files_of
from cudafit.system.secrets import host_of

TIMEOUT_S = 60
Listed = tuple[str, str, str | None]  # name, address and sha256 of a file
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
    """The address that pip or uv is configured with, or the one that everybody uses; empty where nobody tells it,
    which is no address to ask."""
    return indexes.default_index(environ) or everybodys() or ""


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
    try:
        listed = files_of(package, index, session, timeout_s)
    except NoSuchPackageError:
        raise HarvestError(package, f"{shown(index)} has no such package") from None
    except NotAnIndexError:
        raise HarvestError(package, f"{shown(index)} answers with a page that lists no file: a login page?") from None
    except (requests.RequestException, *NO_PAGE) as error:
        raise HarvestError(package, f"its page at {shown(index)} cannot be read: {type(error).__name__}") from None
    return [(one.name, one.url, one.sha256) for one in listed if not one.yanked]


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
