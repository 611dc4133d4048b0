"""The packages of a conda lock, with the address and the hash of each: conda-lock.yml, explicit.txt, pixi.lock."""

import os
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from cudafit.conda.solver import Record
from cudafit.errors import InputError
from cudafit.lock.yaml_text import load
from cudafit.system.parsing import reason
from cudafit.system.reading import read_named_text
from cudafit.system.secrets import redacted

_LIMIT = 64 << 20
_SHOWN = 5


def is_conda_lock(path: str) -> bool:
    """By its name."""
    name = os.path.basename(path)
    listed = name.endswith(".txt") and "explicit" in name
    return listed or name == "pixi.lock" or name.endswith(("conda-lock.yml", "conda-lock.yaml"))


def locked_records(path: str, platform: str) -> tuple[Record, ...]:
    """Raises InputError for what is no lock, has nothing for the platform, or does not tell a hash."""
    try:
        text = read_named_text(path, _LIMIT)
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror or error}") from None
    try:
        found = list(_rows(os.path.basename(path), text, platform))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"`{path}` is no conda lock: {reason(error)}") from None
    records = tuple(_record(*row) for row in found)
    bare = [one.file_name for one in records if not (one.sha256 or one.md5)]
    if bare:
        raise InputError(
            f"`{path}` has no hash for {len(bare)} of its {len(records)} packages",
            cause=[f"`{name}`" for name in bare[:_SHOWN]],
            hint="`conda list --explicit --sha256` writes one with hashes",
        )
    if not records:
        raise InputError(f"`{path}` has no packages for {platform}")
    return records


def notes_on(records: Sequence[Record]) -> Iterator[str]:
    """Where the packages come from, and which of them are checked by a weaker hash."""
    channels: dict[str, int] = {}
    for one in records:
        channel = redacted(one.channel.rstrip("/"))
        channels[channel] = channels.get(channel, 0) + 1
    yield "packages come from " + ", ".join(f"{name} ({count})" for name, count in sorted(channels.items()))
    if weak := [one.name for one in records if not one.sha256]:
        shown = ", ".join(weak[:_SHOWN]) + (f" and {len(weak) - _SHOWN} more" if len(weak) > _SHOWN else "")
        yield f"checked by md5 alone, as the lock tells no sha256: {shown}"


Row = tuple[str, object, object]


def _rows(name: str, text: str, platform: str) -> Iterator[Row]:
    if name.endswith(".txt"):
        yield from _explicit(text, platform)
        return
    value = load(text)
    yield from _pixi(value, platform) if name == "pixi.lock" else _conda_lock(value, platform)


def _explicit(text: str, platform: str) -> Iterator[Row]:
    """`ADDRESS#HASH`: md5 as it is, sha256 with its name before it. Source: conda's `list --explicit`."""
    lines = [line.strip() for line in text.splitlines()]
    if "@EXPLICIT" not in lines:
        raise ValueError("there is no line `@EXPLICIT`")
    for line in lines[lines.index("@EXPLICIT") + 1 :]:
        if not line or line.startswith("#"):
            continue
        url, _, told = line.partition("#")
        _check_platform(url, platform)
        sha256 = re.fullmatch(r"(?:sha256:)?([0-9a-f]{64})", told)
        md5 = re.fullmatch(r"[0-9a-f]{32}", told)
        yield url, sha256[1] if sha256 else None, md5[0] if md5 else None


def _check_platform(url: str, platform: str) -> None:
    subdir = urlsplit(url).path.rpartition("/")[0].rpartition("/")[2]
    if subdir not in (platform, "noarch"):
        raise ValueError(f"`{redacted(url)}` is for {subdir}, and this machine is {platform}")


def _conda_lock(value: Any, platform: str) -> Iterator[Row]:
    """Source: conda-lock's unified lock file, version 1."""
    for row in value["package"]:
        if row["platform"] != platform or row.get("category", "main") != "main":
            continue
        if row["manager"] != "conda":
            raise ValueError(
                f"`{row['name']}` is a package of {row['manager']}, and only conda's are installed from it"
            )
        yield row["url"], row["hash"].get("sha256"), row["hash"].get("md5")


def _pixi(value: Any, platform: str) -> Iterator[Row]:
    """Its environment `default`. Source: pixi's lock file, versions 5 and 6."""
    hashes = {row["conda"]: row for row in value["packages"] if "conda" in row}
    hashes |= {row["url"]: row for row in value["packages"] if row.get("kind") == "conda"}
    for entry in value["environments"]["default"]["packages"].get(platform, ()):
        if "conda" not in entry:
            raise ValueError(f"`{next(iter(entry.values()))}` is a package of PyPI, and only conda's are installed")
        row = hashes[entry["conda"]]
        yield entry["conda"], row.get("sha256"), row.get("md5")


def _digest(told: object, length: int, url: str) -> str | None:
    """None where nothing is told; raises InputError for what is no hash."""
    if told in (None, ""):
        return None
    if not isinstance(told, str) or not re.fullmatch(rf"[0-9a-fA-F]{{{length}}}", told):
        raise InputError(f"the hash of `{redacted(url)}` is none")
    return told.lower()


def _record(url: str, sha256: object, md5: object) -> Record:
    """As much as an address tells; the rest stands in the package."""
    if urlsplit(url).scheme not in ("https", "http", "file", "s3"):
        raise InputError(f"`{redacted(url)}` is no address of a conda package")
    base, _, quoted = url.rpartition("/")
    file_name = unquote(quoted)
    stem = re.sub(r"\.(conda|tar\.bz2)$", "", file_name)
    parts = stem.rsplit("-", 2)
    if stem == file_name or re.search(r"[/\\]", file_name) or len(parts) != len(("name", "version", "build")):
        raise InputError(f"`{redacted(url)}` is no address of a conda package")
    channel, _, subdir = base.rpartition("/")
    name, version, build = parts
    digests = (_digest(sha256, 64, url), _digest(md5, 32, url))
    return Record(name, version, build, None, subdir, url, file_name, f"{channel}/", *digests, None, ())
