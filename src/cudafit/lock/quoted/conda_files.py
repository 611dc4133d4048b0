"""A package of conda by its address: `CHANNEL/SUBDIR/NAME-VERSION-BUILD.conda`."""

import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from cudafit.lock.conda_names import PLATFORMS
from cudafit.model.matrix import Source
from cudafit.model.quoted import CondaQuote

_PLATFORMS = {subdir: platform for platform, subdir in PLATFORMS.items()} | {"noarch": "any"}
_NAME = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,100}")
_VERSION = re.compile(r"[0-9a-z][0-9A-Za-z_.!+]{0,100}", re.ASCII)
_BUILD = re.compile(r"[\w.+]{1,100}", re.ASCII)


def platform_of(subdir: str) -> str:
    """As it is called here; conda's own name for what is no platform of ours."""
    return _PLATFORMS.get(subdir, subdir)


def by_address(url: str, sha256: str | None, depends: Iterable[object], source: Source) -> CondaQuote | None:
    """None for what is no package of a channel."""
    base, _, file = urlsplit(url).path.rpartition("/")
    stem = re.sub(r"\.(conda|tar\.bz2)$", "", unquote(file))
    parts = stem.rsplit("-", 2)
    subdir = base.rpartition("/")[2]
    if stem == unquote(file) or len(parts) != len(("name", "version", "build")):
        return None
    channel = url.partition("#")[0].rpartition("/")[0].rpartition("/")[0]
    return quoted(parts[0], parts[1], parts[2], subdir, sha256, depends, source, place=channel)


def quoted(
    name: str,
    version: str,
    build: str,
    subdir: str,
    sha256: str | None,
    depends: Iterable[object],
    source: Source,
    *,
    index: str | None = None,
    place: str = "",
) -> CondaQuote | None:
    """None for names that none has."""
    if not (_NAME.fullmatch(name) and _VERSION.fullmatch(version) and _BUILD.fullmatch(build)):
        return None
    if not _NAME.fullmatch(subdir):
        return None
    told = tuple(one for one in depends if isinstance(one, str))
    return CondaQuote(name, version, build, platform_of(subdir), sha256, source, told, index, place)
