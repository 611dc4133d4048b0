"""What a lock tells of its files: hashes, addresses, and where else it would look. Of each format; see `held` for the
versions."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import yaml
from packaging.utils import canonicalize_name

from cudafit.errors import InputError
from cudafit.lock.given import file_name
from cudafit.lock.given_requirements import logical_lines, option_of
from cudafit.lock.hashes import STRONG, is_hash, strong_hash
from cudafit.lock.yaml_text import load
from cudafit.model.frozen import frozen
from cudafit.model.requirement import normalised, wanted
from cudafit.system.secrets import redacted
from cudafit.system.toml import read_toml

_SHOWN = 5
_ASKS = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links")
_VCS = re.compile(r"(?:git|hg|svn|bzr)\+")


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


def read_integrity(text: str, form: str, path: str) -> Integrity:
    """Raises InputError."""
    try:
        found = _READERS[form](text)
        for address in (*(one.url for one in found.files or ()), *found.asks, found.first_channel):
            _ = urlsplit(address or "").port  # what is none is found out here, and nowhere later
        return found
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, InputError, yaml.YAMLError) as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"`{path}` cannot be read as {form}: {told}") from None


def listed(names: Iterator[str] | tuple[str, ...] | list[str]) -> str:
    """`a`, `b` and 3 more."""
    found = [f"`{name}`" for name in names]
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more


def _requirements(text: str) -> Integrity:
    files, faults, asks = [], [], []
    for line in logical_lines(text):
        if line.startswith("-"):
            name, value = option_of(line)
            if name in _ASKS:
                asks.append(value)
            elif name == "--trusted-host":
                faults.append(f"it turns off the check of certificates for {value}")
            elif name in ("-e", "--editable"):
                files.append(Named(redacted(value), "", ()))
            continue
        plain, *options = map(str.strip, re.split(r"\s(?=--[a-z])", line))
        told = [option_of(option)[1].partition(":") for option in options if option_of(option)[0] == "--hash"]
        item = wanted(plain)
        url = item.url
        if url and (fragment := re.fullmatch(r"(sha\d+)=(.*)", urlsplit(url).fragment)):
            told.append((fragment[1], ":", fragment[2]))
        broken = any(kind in STRONG and not is_hash(kind, digest) for kind, _, digest in told)
        hashes = tuple(f"{kind}:{digest.lower()}" for kind, _, digest in told if kind in STRONG)
        hashes = () if broken or (url and _VCS.match(url)) else hashes
        version = item.specifier.lstrip("=") if item.specifier.startswith("==") else ""
        files.append(Named(item.name, version, hashes, url, file_name(url) if url else None))
    return Integrity(tuple(files), tuple(faults), tuple(asks))


def _pylock(text: str) -> Integrity:
    files = []
    for row in read_toml(text)["packages"]:
        name, version = normalised(row["name"]), str(row.get("version", ""))
        for kind in ("vcs", "directory"):
            if kind in row:
                files.append(Named(name, version, (), row[kind].get("url")))
        one = [row[kind] for kind in ("archive", "sdist") if kind in row]
        for entry in [*one, *row.get("wheels", ())]:
            hashed = strong_hash(entry.get("hashes"))
            address = str(entry.get("url") or f"file:///{entry['path']}")
            file = str(entry.get("name") or file_name(address))
            hashes = (f"{hashed[0]}:{hashed[1]}",) if hashed else ()
            files.append(Named(name, version, hashes, address, file))
    return Integrity(tuple(files))


def _conda_lock(text: str) -> Integrity:
    files = []
    for row in load(text)["package"]:
        files.append(_package(row["url"], str(row["version"]) if "version" in row else "", row.get("hash")))
    return Integrity(tuple(files))


def _explicit(text: str) -> Integrity:
    lines = text.splitlines()
    files = []
    for line in lines[lines.index("@EXPLICIT") + 1 :]:
        if line.strip() and not line.startswith("#"):
            url, _, told = line.strip().partition("#")
            kind = "md5" if len(told) == 32 else "sha256"
            files.append(_package(url, "", {kind: told.removeprefix("sha256:")}))
    return Integrity(tuple(files))


def _package(url: str, version: str, hashes: Any) -> Named:
    """conda's, whose locks may have md5 alone: not as good, and what they have always had."""
    found = strong_hash(hashes)
    if found is None and isinstance(hashes, dict) and "sha256" not in hashes:
        md5 = hashes.get("md5")
        found = ("md5", md5) if isinstance(md5, str) and re.fullmatch(r"[0-9a-f]{32}", md5) else None
    file = file_name(url)
    name = re.sub(r"-[^-]+-[^-]+\.(conda|tar\.bz2)$", "", file)
    return Named(name, version, (f"{found[0]}:{found[1]}",) if found else (), url, file)


def _pyproject(text: str) -> Integrity:
    table = read_toml(text)
    uv = table.get("tool", {}).get("uv", {})
    indexes = {str(row.get("name")): str(row.get("url")) for row in uv.get("index", ())}
    sources: dict[str, str | None] = {}
    for name, source in uv.get("sources", {}).items():
        for one in source if isinstance(source, list) else [source]:
            address = indexes.get(one["index"]) if "index" in one else str(next(iter(one.values()), None))
            sources[canonicalize_name(name)] = address
    return Integrity(None, sources=sources)


def _environment(text: str) -> Integrity:
    value = load(text)
    asks = []
    for entry in value["dependencies"]:
        for line in entry.get("pip", ()) if isinstance(entry, dict) else ():
            if option_of(str(line))[0] in _ASKS:
                asks.append(option_of(str(line))[1])
    return Integrity(None, asks=tuple(asks), first_channel=_first(value.get("channels")))


def _pixi(text: str) -> Integrity:
    table = read_toml(text)
    return Integrity(None, first_channel=_first((table.get("workspace") or table.get("project") or {}).get("channels")))


def _first(channels: Any) -> str | None:
    names = [str(one.get("channel") if isinstance(one, dict) else one) for one in channels or ()]
    return next((name for name in names if name != "nodefaults"), None)


_READERS: dict[str, Callable[[str], Integrity]] = {
    "requirements": _requirements,
    "pylock": _pylock,
    "pyproject": _pyproject,
    "environment": _environment,
    "conda-lock": _conda_lock,
    "explicit": _explicit,
    "pixi": _pixi,
}
