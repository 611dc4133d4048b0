"""pylock.toml (PEP 751) as packaging reads it: it sees to types, names, versions and to one source for each package.

Two things that it refuses are told otherwise here, and not by that a file cannot be read: a file without a hash, which
is judged by whoever installs or checks it, and a source archive with a name of former times.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
    PylockValidationError,
)
from packaging.utils import InvalidSdistFilename, parse_sdist_filename

from cudafit.lock.integrity import file_name
from cudafit.system.toml import read_toml

File = PackageArchive | PackageSdist | PackageWheel
_NO_HASH = {"": ""}


class PylockError(ValueError):
    """What is TOML and no pylock, as one line."""


def read_pylock(text: str) -> Pylock:
    """Raises PylockError and TomlError."""
    table = read_toml(text)
    rows = table.get("packages")
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict):
            _tolerate(row)
    try:
        return Pylock.from_dict(table)
    except PylockValidationError as error:
        raise PylockError(str(error).partition("\n")[0]) from None


def hashes_of(file: File) -> Mapping[str, str]:
    """As they are told; a digest that is no text is empty."""
    return {} if file.hashes == _NO_HASH else file.hashes


def name_of(file: File) -> str:
    """Of the file itself, wherever it lies."""
    told = file.name if isinstance(file, PackageWheel) else None  # that of an archive may be ours
    return told or file_name(file.url or file.path or "")


def files_of(package: Package) -> Iterator[File]:
    """Those of which an installer takes one."""
    yield from (one for one in (package.archive, package.sdist) if one)
    yield from package.wheels or ()


def sources_of(package: Package) -> Iterator[File | PackageVcs | PackageDirectory]:
    """The same, with repositories and folders."""
    yield from (one for one in (package.vcs, package.directory) if one)
    yield from files_of(package)


def _tolerate(row: dict[str, Any]) -> None:
    wheels, sdist = row.get("wheels"), row.get("sdist")
    for file in (row.get("archive"), sdist, *(wheels if isinstance(wheels, list) else ())):
        if isinstance(file, dict):
            told = file.get("hashes")
            digests = told.items() if isinstance(told, dict) else ()
            file["hashes"] = {kind: digest if isinstance(digest, str) else "" for kind, digest in digests} or _NO_HASH
    if isinstance(sdist, dict):
        try:
            parse_sdist_filename(str(sdist.get("name") or file_name(str(sdist.get("url") or sdist.get("path") or ""))))
        except InvalidSdistFilename:
            sdist["name"] = f"{row.get('name')}-{row.get('version', '0')}.tar.gz"
