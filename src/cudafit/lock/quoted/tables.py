"""Tables (CSV) of what many public locks quote: wheels, their pins, listings of an index, and conda-forge's builds. The
columns decide."""

import csv
import io
import re
from collections.abc import Callable, Mapping

from cudafit.lock.quoted.conda_files import platform_of, quoted
from cudafit.lock.quoted.text import FormatError, Given, package_of, sha256_of
from cudafit.model.matrix import ANNOUNCED, LISTING, Source
from cudafit.model.quoted import CondaListed, Listed, Pin, Quote, Quotes

_REPOSITORY = re.compile(r"([\w.-]+)/([\w.-]+)@([0-9a-f]{7,40}):(\S+)", re.ASCII)
_INDEX = re.compile(r"[a-z0-9.]{1,20}")
_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "pixi.lock")
CONDA_FORGE = "conda-forge"
ROOT = "root"  # the folder above PyTorch's indexes, whose files all of them show


def read(given: Given) -> Quotes:
    rows = csv.DictReader(io.StringIO(given.text))
    columns = set(rows.fieldnames or ())
    for needed, kind in _KINDS:
        if needed <= columns:
            return kind(given, list(rows))
    raise FormatError("its columns are none of a table of wheels, pins, listings or builds of conda")


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


def _conda_builds(given: Given, rows: list[Mapping[str, str]]) -> Quotes:
    found = []
    for row in rows:
        names = (row["name"], row["version"], row["build"], row["subdir"])
        digest = sha256_of(f"sha256:{row['sha256']}")
        depends = [one for one in row["depends"].split(";") if one]
        one = quoted(*names, digest, depends, _source(given, row), index=CONDA_FORGE)
        if one is None:
            raise FormatError("it names what is no package of conda")
        found.append(one)
    return Quotes(conda=tuple(found))


# How a table knows a build: by the files of a feedstock's CI, or by what somebody saw on the channel.
_SEEN = {"recipe-ci": ANNOUNCED, "channel": LISTING}


def _conda_cells(given: Given, rows: list[Mapping[str, str]]) -> Quotes:
    found = []
    for row in rows:
        if row["evidence"] not in _SEEN or not package_of(row["feedstock"]):
            raise FormatError("its column `evidence` or `feedstock` holds what is not known")
        names = (row["feedstock"], row["version"], row["cuda"], platform_of(row["subdir"]))
        source = _source(given, row, kind="repository", read=given.day)
        pythons = tuple(row["pythons"].split())
        # A recipe that builds for all Pythons at once names one of them: locks quote others of the same build.
        told = pythons if len(pythons) > 1 else ()
        found.append(CondaListed(*names, told, _SEEN[row["evidence"]], source))
    return Quotes(conda_listed=tuple(found))


_KINDS: tuple[tuple[set[str], Callable[[Given, list[Mapping[str, str]]], Quotes]], ...] = (
    ({"index", "package", "version", "file", "sha256", "source"}, _wheels),
    ({"index", "package", "version", "platform", "requirement", "kind", "repositories", "source"}, _pins),
    ({"index", "package", "version", "platform", "pythons", "read", "source"}, _listings),
    ({"name", "version", "build", "subdir", "sha256", "depends", "source"}, _conda_builds),
    ({"feedstock", "version", "cuda", "subdir", "pythons", "evidence", "source"}, _conda_cells),
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
