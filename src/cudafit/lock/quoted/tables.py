"""Tables (CSV) of what many public locks quote: wheels, their pins, and listings of an index. The columns decide."""

import csv
import io
import re
from collections.abc import Callable, Mapping

from cudafit.lock.quoted.text import FormatError, Given, package_of, sha256_of
from cudafit.model.matrix import Source
from cudafit.model.quoted import Listed, Pin, Quote, Quotes

_REPOSITORY = re.compile(r"([\w.-]+)/([\w.-]+)@([0-9a-f]{7,40}):(\S+)", re.ASCII)
_INDEX = re.compile(r"[a-z0-9.]{1,20}")
_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml")
ROOT = "root"  # the folder above PyTorch's indexes, whose files all of them show


def read(given: Given) -> Quotes:
    rows = csv.DictReader(io.StringIO(given.text))
    columns = set(rows.fieldnames or ())
    for needed, kind in _KINDS:
        if needed <= columns:
            return kind(given, list(rows))
    raise FormatError("its columns are none of a table of wheels, pins or listings")


def _wheels(given: Given, rows: list[Mapping[str, str]]) -> Quotes:
    found = []
    for row in rows:
        package = package_of(row["package"])
        if package and row["file"].endswith(".whl"):
            digest = sha256_of(f"sha256:{row['sha256']}")
            found.append(Quote(package, row["file"], digest, _source(given, row), _index(row)))
    return Quotes(wheels=tuple(found))


def _pins(given: Given, rows: list[Mapping[str, str]]) -> Quotes:
    found = []
    for row in rows:
        package = package_of(row["package"])
        if package and row["kind"] in ("exact", "resolved"):
            wanted = row["requirement"].replace(" ", "")
            votes = int(row["repositories"])
            exact = row["kind"] == "exact"
            pin = Pin(package, row["version"], row["platform"], wanted, _source(given, row), exact, votes, _index(row))
            found.append(pin)
    return Quotes(pins=tuple(found))


def _listings(given: Given, rows: list[Mapping[str, str]]) -> Quotes:
    found = []
    for row in rows:
        package = package_of(row["package"])
        if package:
            source = _source(given, row, kind="repository", read=row["read"])
            pythons = tuple(row["pythons"].split())
            found.append(Listed(package, row["version"], row["platform"], pythons, source, _index(row)))
    return Quotes(listed=tuple(found))


_KINDS: tuple[tuple[set[str], Callable[[Given, list[Mapping[str, str]]], Quotes]], ...] = (
    ({"index", "package", "version", "file", "sha256", "source"}, _wheels),
    ({"index", "package", "version", "platform", "requirement", "kind", "repositories", "source"}, _pins),
    ({"index", "package", "version", "platform", "pythons", "read", "source"}, _listings),
)


def _index(row: Mapping[str, str]) -> str:
    if not _INDEX.fullmatch(row["index"]):
        raise FormatError("its column `index` holds what is no name")
    return "pytorch" if row["index"] == ROOT else f"pytorch-{row['index']}"


def _source(given: Given, row: Mapping[str, str], *, kind: str = "lock", read: str | None = None) -> Source:
    """Of `owner/repository@commit:path`; what has another form is known by the table alone."""
    match = _REPOSITORY.match(row["source"])
    if match is None:
        return given.source
    owner, name, commit, path = match.groups()
    short = f"{name}@{commit[:8]}" + ("" if path in _LOCKS else f":{path}")
    address = f"https://github.com/{owner}/{name}/blob/{commit}/{path}"
    title = f"{path} of {owner}/{name}"
    return Source(short, title, kind, url=address, read=read or given.day, reliability="B" if kind == "lock" else "C")
