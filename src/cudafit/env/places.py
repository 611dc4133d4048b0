"""Where the packages of an environment lie: sys.path below its interpreter, in its order, as the module site makes it.

PYTHONPATH; then a venv's own folder before the user's and the base's, outside of a venv the user's first; after each
folder what its .pth files add. Source: the Python documentation of the module site.
"""

import os
import re
from collections.abc import Iterator, Mapping

from cudafit.env.reader import METADATA_LIMIT, Reader
from cudafit.model.environment import SYSTEM, VENV
from cudafit.model.located import Located

_MOST_PLACES = 100  # folders of sys.path, .pth files of one, lines of one
_PTH_LIMIT = 1 << 16
_MOST_VENVS = 8  # each made from the one before


def read_settings(reader: Reader, prefix: str) -> dict[str, str]:
    """Of a pyvenv.cfg."""
    text = reader.text(f"{prefix}/pyvenv.cfg", METADATA_LIMIT) or ""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def read_places(
    reader: Reader, located: Located, settings: Mapping[str, str], environ: Mapping[str, str]
) -> Iterator[str]:
    seen: set[str] = set()
    for place, adds in _candidates(reader, located, settings, environ):
        for one in (place, *(_added(reader, place) if adds else ())):
            if (real := reader.real(one)) not in seen and len(seen) < _MOST_PLACES:
                seen.add(real)
                yield one


def _candidates(
    reader: Reader, located: Located, settings: Mapping[str, str], environ: Mapping[str, str]
) -> Iterator[tuple[str, bool]]:
    """Each folder, and whether Python looks for .pth files in it."""
    for entry in environ.get("PYTHONPATH", "").split(":"):
        if entry.startswith("/") and reader.files.is_dir(entry):
            yield entry.rstrip("/"), False
    own = list(own_places(reader, located.prefix))
    if located.kind == SYSTEM:
        own = list(_of_interpreter(reader, own, located))
    user = [(place, True) for place in _user_places(reader, [*own, *_named(reader, located)], environ)]
    if located.kind != VENV:
        yield from user
        yield from ((place, True) for place in own)
        return
    yield from ((place, True) for place in own)
    if settings.get("include-system-site-packages", "").lower() == "true":
        yield from user
        yield from ((place, True) for place in _base_places(reader, settings.get("home", ""), own))


def _named(reader: Reader, located: Located) -> Iterator[str]:
    """Where a system's own packages lie under a name without a version, its file tells which Python it is."""
    if located.kind == SYSTEM and located.interpreter:
        yield reader.real(located.interpreter).replace("/bin/", "/lib/", 1)


def _of_interpreter(reader: Reader, own: list[str], located: Located) -> Iterator[str]:
    """Several Pythons may share a prefix: those of the one that is meant, where its file tells which that is."""
    named = re.search(r"/python(3\.\d+)(t?)$", reader.real(located.interpreter) if located.interpreter else "")
    folders = (f"python{named[1]}{named[2]}", "python3") if named else ()
    yield from (one for one in own if not named or one.rpartition("/")[0].rpartition("/")[2] in folders)


def _base_places(reader: Reader, home: str, own: list[str]) -> Iterator[str]:
    """Those of the Python that a venv was made from."""
    match = re.search(r"/(python3\.\d+t?)/", f"{own[0] if own else ''}/")
    if not home.startswith("/") or match is None:
        return
    base = _behind_venvs(reader, home)
    names = (match[1], "python3")  # Debian's packages lie in lib/python3
    for place in own_places(reader, base):
        if place.rpartition("/")[0].rpartition("/")[2] in names:
            yield place


def _behind_venvs(reader: Reader, home: str) -> str:
    """The prefix of that Python. Before 3.11 the module venv, run in a venv, names that one as the base, of which the
    interpreter takes nothing."""
    base = _prefix(home)
    for _ in range(_MOST_VENVS):
        told = read_settings(reader, base).get("home", "")
        if not told.startswith("/"):
            break
        base = _prefix(told)
    return base


def _prefix(home: str) -> str:
    return home.rstrip("/").removesuffix("/bin") or "/usr"


def _user_places(reader: Reader, own: list[str], environ: Mapping[str, str]) -> Iterator[str]:
    home = environ.get("HOME", "")
    if not home.startswith("/") or environ.get("PYTHONNOUSERSITE"):
        return
    for place in own:
        version = re.search(r"/python(3\.\d+)t?/", place + "/")
        user = f"{home}/.local/lib/python{version[1]}/site-packages" if version else ""
        if user and reader.files.is_dir(user):
            yield user
            return


def _added(reader: Reader, place: str) -> Iterator[str]:
    """The folders that a place's .pth files name; their lines that import something are not run."""
    for name in [name for name in reader.names(place) if name.endswith(".pth")][:_MOST_PLACES]:
        for line in (reader.text(f"{place}/{name}", _PTH_LIMIT) or "").splitlines()[:_MOST_PLACES]:
            text = line.strip()
            if not text or text.startswith(("#", "import ", "import\t")) or "\0" in text:
                continue
            path = os.path.normpath(os.path.join(place, text))
            if reader.files.is_dir(path):
                yield path


def own_places(reader: Reader, prefix: str) -> Iterator[str]:
    """Below a prefix. On Debian and its kin, and on Fedora, what pip installed for all lies in /usr/local, and goes
    before the system's own. Sources: `getsitepackages` of Debian's site.py; Fedora's "Making sudo pip safe"."""
    if reader.files.is_dir(f"{prefix}/Lib/site-packages"):
        yield f"{prefix}/Lib/site-packages"
    if prefix == "/usr":
        for name in reader.names("/usr/local/lib"):
            place = f"/usr/local/lib/{name}/dist-packages"
            if name.startswith("python3") and reader.files.is_dir(place):
                yield place
        for library in ("lib64", "lib"):
            for name in reader.names(f"/usr/local/{library}"):
                place = f"/usr/local/{library}/{name}/site-packages"
                here = re.fullmatch(r"python3\.\d+t?", name) and reader.files.is_dir(place)
                # Where that Python is in /usr/local itself, they are its own.
                if here and not reader.files.exists(f"/usr/local/bin/{name}"):
                    yield place
    seen: set[str] = set()
    for library in ("lib", "lib64"):
        for name in reader.names(f"{prefix}/{library}"):
            if not re.fullmatch(r"python3(\.\d+t?)?", name):
                continue
            for folder in ("site-packages", "dist-packages"):
                place = f"{prefix}/{library}/{name}/{folder}"
                if reader.files.is_dir(place) and (real := reader.real(place)) not in seen:
                    seen.add(real)
                    yield place
