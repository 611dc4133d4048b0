"""The environments that belong to a folder or to one above it.

In one folder the first of these is meant: the one that UV_PROJECT_ENVIRONMENT names; `.venv`, `venv`, `env`; pixi's,
`default` first; the one that poetry, pipenv, hatch, PDM or conda keeps elsewhere for the project; any other folder in
it with a pyvenv.cfg or a conda-meta, by name.
"""

import os
import stat
from collections.abc import Iterator
from itertools import islice

from cudafit.env.around import Around
from cudafit.env.conda_project import not_made
from cudafit.env.kept_elsewhere import kept_elsewhere, redirected
from cudafit.env.prefixes import kind_of, real_path, unfinished
from cudafit.files import Files
from cudafit.model.finding import Evidence, Other
from cudafit.model.frozen import frozen
from cudafit.model.located import Located

NAMES = (".venv", "venv", "env")
_OF_UV = "UV_PROJECT_ENVIRONMENT"
_MOST_PARENTS = 64
_MOST_ENTRIES = 2000  # of one folder
_MOST_TOLD = 20
_VERSION_CONTROL = (".git", ".hg", ".svn", ".jj")
_PROJECT = ("pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "pixi.toml", "Pipfile", "environment.yml")


@frozen
class Nearby:
    """The environment of the nearest folder that has one, the others there, and what was passed over."""

    found: Located | None
    others: tuple[Other, ...] = ()
    passed_over: tuple[Evidence, ...] = ()
    above: bool = False  # whether it is that of a folder above
    closed: bool = False  # whether the project keeps its packages where none are looked for, so that no other is meant


def nearby(around: Around, folder: str) -> Nearby:
    passed_over: list[Evidence] = []
    lowest = _lowest_with_any_name(around, folder)
    for place in parents(folder):
        here = place == folder
        where = "in this folder" if here else f"in {place}, above this folder"
        judged = list(islice(_judged(around, place, where, lowest), _MOST_TOLD))
        found = [one for one in judged if isinstance(one, Located)]
        passed_over += [one for one in judged if isinstance(one, Evidence)]
        if not here and found and not _is_trusted(around.files, found[0].prefix, folder):
            passed_over.append(Evidence(f"{found[0].prefix}, above this folder, belongs to another user", "stat"))
            continue
        if found:
            others = tuple(Other(one.prefix, one.found_by) for one in found[1:])
            return Nearby(found[0], others, tuple(passed_over), above=not here)
        if around.files.is_dir(local := os.path.join(place, "__pypackages__")):
            told = Evidence(f"{local} (PEP 582) has packages without an environment, and is not looked into", local)
            return Nearby(None, (), (*passed_over, told), closed=True)
    return Nearby(None, (), tuple(passed_over))


def in_folder(around: Around, place: str, where: str) -> Iterator[Located]:
    """Those of one folder, each once, the one that is meant first; of very many the first."""
    found = (one for one in _judged(around, place, where, 0) if isinstance(one, Located))
    return islice(found, _MOST_TOLD)


def _judged(around: Around, place: str, where: str, lowest: int) -> Iterator[Located | Evidence]:
    """Each once; in place of one that was begun, copied in part or only named, what it lacks."""
    files, seen = around.files, set[str]()
    usual = {os.path.join(place, name) for name in NAMES}
    for path, whose in _candidates(around, place, lowest):
        kind = kind_of(files, path)
        if (real := real_path(files, path)) in seen:
            continue
        seen.add(real)
        lacks = unfinished(files, path, kind) if kind else "it has neither a pyvenv.cfg nor a conda-meta"
        if kind and not lacks:
            yield Located(path, kind, f"{whose}'s, {where}" if whose else where)
        elif whose == "uv":
            yield Evidence(
                f"UV_PROJECT_ENVIRONMENT names {path}, which is no Python environment", "UV_PROJECT_ENVIRONMENT"
            )
        elif lacks and (kind or path in usual) and files.is_dir(path):
            yield Evidence(f"{path} is no whole environment: {lacks}", path)
    yield from not_made(around, place)


def parents(folder: str) -> Iterator[str]:
    """The folder itself, and what is above it."""
    for _ in range(_MOST_PARENTS):
        yield folder
        if folder == (above := os.path.dirname(folder)):
            return
        folder = above


def _candidates(around: Around, place: str, lowest: int) -> Iterator[tuple[str, str]]:
    """Paths, and whose they are where a tool keeps them."""
    files, environ = around.files, around.environ
    if (told := environ.get(_OF_UV)) and files.is_file(os.path.join(place, "pyproject.toml")):
        yield os.path.normpath(os.path.join(place, told)), "uv"
    for name in NAMES:
        path = os.path.join(place, name)
        if name == ".venv" and files.is_file(path):
            yield from ((one, "") for one in redirected(around, place))
        yield path, ""
    pixi = os.path.join(place, ".pixi", "envs")
    for name in sorted(_folders(files, pixi), key=lambda name: (name != "default", name)):
        yield os.path.join(pixi, name), "pixi"
    yield from kept_elsewhere(around, place)
    if place.count("/") >= lowest:
        yield from ((os.path.join(place, name), "") for name in sorted(_folders(files, place)))
        # conda-project's own. Source: its documentation, "Environments".
        yield os.path.join(place, "envs", "default"), "conda-project"


def _folders(files: Files, place: str) -> list[str]:
    """The folders in it; of very many the first."""
    try:
        with os.scandir(files.locate(place)) as entries:
            return [entry.name for entry in islice(entries, _MOST_ENTRIES) if _is_folder(entry)]
    except OSError:
        return []


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir() or entry.is_symlink()
    except OSError:
        return False


def _lowest_with_any_name(around: Around, folder: str) -> int:
    """How deep a folder must lie for environments of any name in it to count.

    They do up to the top of the project; and never in a home, in what is above one, or in a folder that anybody may
    write to: what lies there belongs to something else. This folder itself always counts.
    """
    files, home = around.files, around.environ.get("HOME", "").rstrip("/")
    top = folder.count("/")
    marked = None
    for place in parents(folder):
        if place != folder and (place == "/" or f"{home}/".startswith(f"{place}/") or _is_open(files, place)):
            break
        top = place.count("/")
        if any(files.exists(os.path.join(place, name)) for name in _VERSION_CONTROL):
            return top
        if marked is None and any(files.exists(os.path.join(place, name)) for name in _PROJECT):
            marked = top
    return top if marked is None else marked


def _is_open(files: Files, place: str) -> bool:
    try:
        return bool(files.stat(place).st_mode & stat.S_IWOTH)
    except OSError:
        return True


def _is_trusted(files: Files, path: str, folder: str) -> bool:
    """Whether an environment above is this user's, the system's, or of the owner of this folder: /tmp/.venv may be
    anybody's, and bench starts what it finds."""
    if not files.whole or not hasattr(os, "getuid"):
        return True
    try:
        return files.stat(path).st_uid in (os.getuid(), 0, files.stat(folder).st_uid)
    except OSError:
        return False
