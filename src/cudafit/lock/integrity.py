"""What a lock tells of its files: hashes, addresses, and where else it would look. Each format reads its own."""

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from cudafit.lock.hashes import strong_hash
from cudafit.model.frozen import frozen

_SHOWN = 5


@frozen
class Named:
    """A file that a lock names, or a pin with the hashes of those that it may be. `hashes` are `sha256:…`; none where
    nothing proves the file."""

    package: str
    version: str
    hashes: tuple[str, ...]
    url: str | None = None
    file: str | None = None


@frozen
class Integrity:
    """`files` is None for a format that has no hashes: it says what to look for, not what to install."""

    files: tuple[Named, ...] | None
    faults: tuple[str, ...] = ()  # why it cannot be installed as it is written, or not safely
    asks: tuple[str, ...] = ()  # the indexes that it names
    first_channel: str | None = None
    sources: Mapping[str, str | None] | None = None  # of a pyproject.toml: the address that a package is to come from

    @property
    def bare(self) -> bool:
        """There are files, and not one hash."""
        return bool(self.files) and not any(one.hashes for one in self.files or ())

    @property
    def unproven(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.package for one in self.files or () if not one.hashes))

    def addresses(self) -> Iterable[str]:
        """All that it names. Raises ValueError for one that is none: better here than anywhere later."""
        named = (*(one.url for one in self.files or ()), *self.asks, self.first_channel)
        for address in filter(None, named):
            _ = urlsplit(address).port
            yield address


def listed(names: Iterable[str]) -> str:
    """`a`, `b` and 3 more."""
    found = [f"`{name}`" for name in names]
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more


def file_name(address: str) -> str:
    """Of a path or an address."""
    return unquote(os.path.basename(urlsplit(address).path if "://" in address else address.replace("\\", "/")))


def conda_file(url: str, version: str, hashes: Any) -> Named:
    """conda's, whose locks may have md5 alone: not as good, and what they have always had."""
    found = strong_hash(hashes)
    if found is None and isinstance(hashes, dict) and "sha256" not in hashes:
        md5 = hashes.get("md5")
        found = ("md5", md5) if isinstance(md5, str) and re.fullmatch(r"[0-9a-f]{32}", md5) else None
    file = file_name(url)
    name = re.sub(r"-[^-]+-[^-]+\.(conda|tar\.bz2)$", "", file)
    return Named(name, version, (f"{found[0]}:{found[1]}",) if found else (), url, file)


def first_channel(channels: Any) -> str | None:
    names = [str(one.get("channel") if isinstance(one, dict) else one) for one in channels or ()]
    return next((name for name in names if name != "nodefaults"), None)
