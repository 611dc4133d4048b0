"""Distributions as their own lists of files (RECORD) tell them, and taken out by these where no installer can.

pip itself is not asked: it is part of the environment that is broken. All of it happens inside a transaction, and no
file outside of the environment is touched, whatever a RECORD says.
"""

import contextlib
import csv
import io
import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence

from cudafit.errors import CudafitError
from cudafit.model.requirement import normalised
from cudafit.system.reading import is_possible, read_text

_RECORD_LIMIT = 64 << 20


def installed_files(environment: str) -> Iterator[tuple[str, set[str]]]:
    """Each package, with the files that its RECORDs list, by path relative to the environment."""
    for place in places(environment):
        for name, infos in _infos(place).items():
            whole = (os.path.normpath(os.path.join(place, path)) for info in infos for path in _known_files(info) or ())
            yield name, {os.path.relpath(path, environment) for path in whole}


def places(environment: str) -> Iterator[str]:
    """The folders of packages of a venv or of a conda prefix."""
    seen: set[str] = set()
    for library in ("lib", "lib64"):
        folder = os.path.join(environment, library)
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            place = os.path.join(folder, name, "site-packages")
            if re.fullmatch(r"python3(\.\d+t?)?", name) and os.path.isdir(place):
                real = os.path.realpath(place)
                if real not in seen:
                    seen.add(real)
                    yield place


def _infos(place: str) -> dict[str, list[str]]:
    """The dist-infos in a folder of packages, by name."""
    found: dict[str, list[str]] = {}
    for entry in sorted(os.listdir(place)):
        if entry.endswith(".dist-info") and os.path.isdir(f"{place}/{entry}"):
            name = normalised(entry.removesuffix(".dist-info").rpartition("-")[0])
            found.setdefault(name, []).append(f"{place}/{entry}")
    return found


def files_of(place: str, names: Collection[str]) -> list[str]:
    """All files of some packages in one folder, by path below its prefix: by their RECORDs, with what Python compiled
    of them, less what another package lists too. What lies outside of the prefix is nobody's to move."""
    prefix = os.path.dirname(os.path.dirname(os.path.dirname(place)))
    found, others = set[str](), set[str]()
    for name, infos in _infos(place).items():
        listed = [_known_files(info) for info in infos]
        paths = {os.path.normpath(os.path.join(place, path)) for rows in listed for path in rows or ()}
        if name not in names:
            others |= paths
            continue
        # Nothing tells the files of one without a list: the folder of its name is what it certainly has.
        folders = [*infos, *([os.path.join(place, name.replace("-", "_"))] if None in listed else ())]
        for folder in folders:
            paths |= {f"{inside}/{file}" for inside, _, files in os.walk(folder) for file in files}
        found |= paths
    found = {path for path in found if path not in others}
    inside = prefix + os.sep
    return sorted(path.removeprefix(inside) for path in found | set(_compiled(found)) if path.startswith(inside))


def _compiled(paths: Iterable[str]) -> Iterator[str]:
    """The bytecode of modules, which uv lists nowhere."""
    by_folder: dict[str, set[str]] = {}
    for path in paths:
        if path.endswith(".py"):
            by_folder.setdefault(os.path.dirname(path), set()).add(os.path.basename(path)[:-3])
    for folder, stems in by_folder.items():
        with contextlib.suppress(OSError):
            for name in os.listdir(f"{folder}/__pycache__"):
                if name.endswith(".pyc") and name.partition(".")[0] in stems:
                    yield f"{folder}/__pycache__/{name}"


def remove_broken(environment: str, names: Sequence[str]) -> set[str]:
    """Packages with several dist-infos for one name, or without a RECORD: no installer can take them out. Returns the
    names of those that were removed here; the others are left to the installer."""
    removed: set[str] = set()
    for place in places(environment):
        found = _infos(place)
        for name in names:
            infos = found.get(name, [])
            if len(infos) > 1 or any(not os.path.isfile(f"{info}/RECORD") for info in infos):
                _remove(environment, place, name, infos)
                removed.add(name)
    return removed


def remove_distribution(prefix: str, metadata: str) -> None:
    """One that pip put over conda's. What conda owns of its files comes back afterwards. Raises CudafitError for one
    without a list; OSError."""
    place = os.path.dirname(metadata)
    try:
        listed = _listed(metadata)
    except (OSError, csv.Error) as error:
        told = getattr(error, "strerror", None) or error
        raise CudafitError(f"`{metadata}` does not list its files, so they cannot be removed: {told}") from None
    inside = _below(prefix)
    folders = _unlink(place, listed, (inside,))
    if _below(metadata).startswith(inside) and os.path.isdir(metadata):
        shutil.rmtree(metadata)
    _remove_empty(folders, (_below(place),))


def _remove(environment: str, place: str, name: str, infos: Sequence[str]) -> None:
    """By the RECORDs that there are, and of the folder that is called after it."""
    inside = (_below(place), _below(os.path.join(environment, "bin")))
    lists = [_known_files(info) for info in infos]
    folders = _unlink(place, [path for listed in lists for path in listed or ()], inside)
    for info in infos:
        if os.path.isdir(info):
            shutil.rmtree(info)
    if None in lists:
        # Nothing tells its files: the folder of its name is what it certainly has.
        own = os.path.join(place, name.replace("-", "_"))
        if not os.path.islink(own) and os.path.isdir(own):
            shutil.rmtree(own)
    _remove_empty(folders, inside)


def _known_files(metadata: str) -> list[str] | None:
    """None where the list cannot be read: then nothing tells the package's files."""
    try:
        return _listed(metadata)
    except (OSError, csv.Error):
        return None


def _listed(metadata: str) -> list[str]:
    """Relative to the folder of packages. Raises OSError and csv.Error."""
    rows = csv.reader(io.StringIO(read_text(f"{metadata}/RECORD", _RECORD_LIMIT, errors="surrogateescape")))
    return [row[0] for row in rows if row and not os.path.isabs(row[0]) and is_possible(row[0])]


def _below(folder: str) -> str:
    return os.path.realpath(folder) + os.sep


def _unlink(place: str, listed: Iterable[str], inside: tuple[str, ...]) -> set[str]:
    """Remove files, as far as they are inside; returns the folders that they were in."""
    folders: set[str] = set()
    for path in listed:
        whole = os.path.normpath(os.path.join(place, path))
        # The folder may be a link that leads out; the file itself may be one, which is then taken away as a link.
        folder = os.path.realpath(os.path.dirname(whole))
        real = os.path.join(folder, os.path.basename(whole))
        if real.startswith(inside):
            if os.path.islink(real) or os.path.isfile(real):
                os.unlink(real)
            folders.add(folder)
    return folders


def _remove_empty(folders: Iterable[str], inside: tuple[str, ...]) -> None:
    """The folders and those above them that hold nothing but what Python compiled."""
    for start in sorted(folders, key=len, reverse=True):
        folder = start
        while folder.startswith(inside):
            try:
                names = os.listdir(folder)
                if names == ["__pycache__"] and all(
                    one.endswith(".pyc") for one in os.listdir(f"{folder}/__pycache__")
                ):
                    shutil.rmtree(f"{folder}/__pycache__")
                os.rmdir(folder)
            except OSError:
                break
            folder = os.path.dirname(folder)
