"""Packages that an installer cannot take out: several dist-infos for one name, or a RECORD that is missing.

Their files are those that any of their RECORDs lists, and the folders that are called after them. Only files within
the environment's own site-packages and bin are touched, whatever a RECORD says; all of it inside a transaction.
"""

import csv
import io
import os
import re
import shutil
from collections.abc import Iterator, Sequence

from cudafit.model.requirement import normalised
from cudafit.system.reading import is_possible, read_text

_RECORD_LIMIT = 64 << 20


def remove_broken(environment: str, names: Sequence[str]) -> set[str]:
    """The names of those that were removed here; the others are left to the installer."""
    removed: set[str] = set()
    for place in places(environment):
        found = _infos(place)
        for name in names:
            infos = found.get(name, [])
            if len(infos) > 1 or any(not os.path.isfile(f"{info}/RECORD") for info in infos):
                _remove(environment, place, name, infos)
                removed.add(name)
    return removed


def installed_files(environment: str) -> Iterator[tuple[str, set[str]]]:
    """Each package, with the files that its RECORDs list, by path relative to the environment."""
    for place in places(environment):
        for name, infos in _infos(place).items():
            whole = (
                os.path.normpath(os.path.join(place, path))
                for info in infos
                for path in _listed(f"{info}/RECORD") or ()
            )
            yield name, {os.path.relpath(path, environment) for path in whole}


def _infos(place: str) -> dict[str, list[str]]:
    """The dist-infos in a folder of packages, by name."""
    found: dict[str, list[str]] = {}
    for entry in sorted(os.listdir(place)):
        if entry.endswith(".dist-info") and os.path.isdir(f"{place}/{entry}"):
            name = normalised(entry.removesuffix(".dist-info").rpartition("-")[0])
            found.setdefault(name, []).append(f"{place}/{entry}")
    return found


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


def _remove(environment: str, place: str, name: str, infos: Sequence[str]) -> None:
    inside = (os.path.realpath(place) + os.sep, os.path.realpath(os.path.join(environment, "bin")) + os.sep)
    folders: set[str] = set()
    lists = [_listed(f"{info}/RECORD") for info in infos]
    for listing in lists:
        for listed in listing or ():
            path = os.path.normpath(os.path.join(place, listed))
            # The folder may be a link that leads out; the file itself may be one, which is then taken away as a link.
            real = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
            if real.startswith(inside) and (os.path.islink(real) or os.path.isfile(real)):
                os.unlink(real)
                folders.add(os.path.dirname(real))
    for info in infos:
        if os.path.isdir(info):
            shutil.rmtree(info)
    if None in lists:
        # Nothing tells its files: the folder of its name is what it certainly has.
        own = os.path.join(place, name.replace("-", "_"))
        if not os.path.islink(own) and os.path.isdir(own):
            shutil.rmtree(own)
    for folder in sorted(folders, key=len, reverse=True):
        _remove_empty(folder, inside)


def _listed(path: str) -> list[str] | None:
    """None where it cannot be read: then nothing tells the package's files."""
    try:
        rows = csv.reader(io.StringIO(read_text(path, _RECORD_LIMIT, errors="surrogateescape")))
        return [row[0] for row in rows if row and not os.path.isabs(row[0]) and is_possible(row[0])]
    except (OSError, csv.Error):
        return None


def _remove_empty(folder: str, inside: tuple[str, ...]) -> None:
    while folder.startswith(inside):
        try:
            names = os.listdir(folder)
            if names == ["__pycache__"] and all(one.endswith(".pyc") for one in os.listdir(f"{folder}/__pycache__")):
                shutil.rmtree(f"{folder}/__pycache__")
            os.rmdir(folder)
        except OSError:
            return
        folder = os.path.dirname(folder)
