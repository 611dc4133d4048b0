"""A lock as it was given, and what all readers need of it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from cudafit.lock.integrity import file_name
from cudafit.model.frozen import frozen
from cudafit.model.matrix import Source
from cudafit.model.quoted import Quote
from cudafit.model.requirement import normalised
from cudafit.system.toml import read_toml

_FILE = re.compile(r"[A-Za-z0-9][\w.+!-]{0,250}\.whl", re.ASCII)
_PACKAGE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class FormatError(ValueError):
    """What is not in the format that its name promises, as one line."""


@frozen
class Given:
    """A file, and what its rows are known by later: its name and a mark of its content, never where it lay."""

    path: str
    name: str
    text: str
    source: Source
    day: str


def packages_and_metadata(text: str, manager: str) -> tuple[list[Mapping[str, Any]], Mapping[str, Any]]:
    """Of a lock of poetry, or of PDM, which took its shape. Raises FormatError for what is none, and TomlError."""
    lock = read_toml(text)
    packages = list(tables_of(lock.get("package")))
    metadata = lock.get("metadata")
    if not isinstance(metadata, dict) or not packages:
        raise FormatError(f"it has no packages as {manager} writes them")
    return packages, metadata


def tables_of(value: object) -> Iterator[Mapping[str, Any]]:
    """The tables of a list; none for what is no list."""
    yield from (row for row in (value if isinstance(value, list) else ()) if isinstance(row, dict))


def text_of(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""


def package_of(name: object) -> str | None:
    """None for what is no name of a package."""
    found = normalised(name) if isinstance(name, str) else ""
    return found if _PACKAGE.fullmatch(found) else None


def sha256_of(text: object) -> str | None:
    """Of `sha256:…` or `sha256=…`; None for another kind, or for what is none."""
    found = re.fullmatch(r"sha256[:=]([0-9A-Fa-f]+)", text) if isinstance(text, str) else None
    digest = found[1].lower() if found else ""
    return digest if _SHA256.fullmatch(digest) else None


def quote(package: str, address: str, sha256: str | None, source: Source, *indexes: str) -> Quote | None:
    """Of a wheel's address or file name; None for what is no wheel."""
    name = file_name(address.partition("#")[0])
    if not _FILE.fullmatch(name):
        return None
    folder = address.partition("#")[0].rpartition("/")[0] if "://" in address else ""
    return Quote(package, name, sha256, source, None, tuple(one for one in (folder, *indexes) if one))


def fragment_hash(address: str) -> str | None:
    return sha256_of(unquote(urlsplit(address).fragment)) if "#" in address else None
