"""A pylock that somebody wrote (PEP 751), before it is installed: see `given`."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from packaging.pylock import Pylock, PylockUnsupportedVersionError, PylockValidationError

from cudafit.errors import InputError
from cudafit.lock.given import Given, Judge, judge, shown
from cudafit.lock.hashes import strong_hash, what_is_missing
from cudafit.lock.integrity import file_name
from cudafit.lock.toml_text import Inline, toml_text
from cudafit.model.plan import Package
from cudafit.model.requirement import normalised
from cudafit.system.toml import read_toml

# What is handed on of the file; all else in it is for readers.
_TOP = (
    "lock-version",
    "created-by",
    "requires-python",
    "environments",
    "extras",
    "dependency-groups",
    "default-groups",
)
_OF_A_PACKAGE = ("name", "version", "marker", "requires-python")
_BUILT = "would be built here, and what builds it has no hash"


def given_pylock(path: str, text: str, *, allowed: bool) -> Given:
    """Raises InputError."""
    court = judge(path, allowed=allowed)
    try:
        table = read_toml(text)
        rows = [_row(court, row) for row in table["packages"]]
        written = {**_kept(table, _TOP), "packages": rows}
        if not court.faults:
            Pylock.from_dict(written)
    except (
        PylockValidationError,
        PylockUnsupportedVersionError,
        KeyError,
        TypeError,
        AttributeError,
        ValueError,
        RecursionError,
    ) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"`{path}` is no pylock: {error}", hint="`cudafit resolve … -o pylock.toml` writes one"
        ) from None
    packages = tuple(Package(normalised(row["name"]), str(row.get("version", ""))) for row in rows)
    moved = any("path" in one for row in table["packages"] for one in _sources(row))
    return court.judged(Given(toml_text(written), packages, moved=moved))


def _kept(table: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: table[name] for name in names if name in table}


def _sources(row: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for kind in ("vcs", "directory", "archive", "sdist"):
        if kind in row:
            yield row[kind]
    yield from row.get("wheels", ())


def _row(court: Judge, row: Mapping[str, Any]) -> dict[str, Any]:
    """A package as it is handed on."""
    name = str(row["name"])
    found: dict[str, Any] = _kept(row, _OF_A_PACKAGE)
    if "directory" in row:
        folder = row["directory"]
        place = court.below_the_lock(folder["path"])
        court.no_hash(name, f"is a folder, {place}, whose build is run")
        found["directory"] = {**_kept(folder, ("editable", "subdirectory")), "path": place}
    if "vcs" in row:
        found["vcs"] = _repository(court, name, row["vcs"])
    if "archive" in row:
        archive = row["archive"]
        found["archive"] = {**_kept(archive, ("subdirectory",)), **_file(court, name, archive)}
        if not file_name(_address(archive)).endswith(".whl"):
            court.no_hash(name, _BUILT)
    if "wheels" in row:
        found["wheels"] = [_file(court, name, wheel) for wheel in row["wheels"]]
    if "sdist" in row:
        # Beside wheels it is left out: where none of them fits, nothing is built instead, unless that was allowed.
        if not row.get("wheels"):
            court.no_hash(name, _BUILT)
        if not row.get("wheels") or court.allowed:
            found["sdist"] = _file(court, name, row["sdist"])
    return found


def _repository(court: Judge, name: str, vcs: Mapping[str, Any]) -> dict[str, Any]:
    found = _kept(vcs, ("type", "url", "requested-revision", "commit-id", "subdirectory"))
    if "path" in vcs:
        found["path"] = court.below_the_lock(vcs["path"])
    court.no_hash(name, f"is a repository, {shown(str(vcs.get('url') or found.get('path')))}, whose build is run")
    return found


def _address(row: Mapping[str, Any]) -> str:
    return str(row.get("name") or row.get("path") or row.get("url") or "")


def _file(court: Judge, package: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Where it lies, and the one hash to compare."""
    found = _kept(row, ("name", "size"))
    if "path" in row:
        found["path"] = court.below_the_lock(row["path"])
    if "url" in row:
        url = str(row["url"])
        if urlsplit(url).scheme not in ("https", "http", "file"):
            court.not_a_lock(f"`{shown(url)}` is no address of a file")
        found["url"] = url
        court.comes_from(url)
    hashed = strong_hash(row.get("hashes"))
    if hashed is None:
        court.no_hash(package, f"{what_is_missing(row.get('hashes'))} for `{file_name(_address(row))}`")
    found["hashes"] = Inline([hashed] if hashed else ())
    return found
