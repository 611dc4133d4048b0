"""What is set beforehand: by variables, by the project in this folder, by the user's own configuration file.

Of a key the first counts that says it: the option of the command, the variable, `[tool.cudafit]` of the project's
pyproject.toml, the user's file. What describes a machine (`machine`, `driver`, `gpu`, `platform`) is one description,
and all of it comes from the first that says any of it.

A project is somebody else's until shown otherwise: it may say what an answer is for and which findings to leave out,
which is told each time, but not where packages come from, and no file outside its folder. The user's file counts only
where nobody else could have written it.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from cudafit.errors import InputError
from cudafit.model.frozen import frozen
from cudafit.model.settings import KEYS, MACHINE, PLATFORMS, Key, Layer, Setting, SettingsFile
from cudafit.system.posix import posix
from cudafit.system.reading import read_bytes

PROJECT_FILE = "pyproject.toml"
TABLE = "tool.cudafit"
OFF = "CUDAFIT_NO_CONFIG"
_LIMIT = 1 << 20


@frozen
class Settings:
    """All that is said, in the order in which it counts; the first of a key that is `used` is its value."""

    said: tuple[Setting, ...] = ()
    files: tuple[SettingsFile, ...] = ()

    def of(self, key: str) -> Setting | None:
        return next((one for one in self.said if one.key == key and one.unused is None), None)

    @property
    def machine(self) -> tuple[Setting, ...]:
        """The description of a machine, all of one layer."""
        return tuple(one for one in self.said if one.key in MACHINE and one.unused is None)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left, and why: each is to be said."""
        left = [f"{one.path} is not read: {one.unread}" for one in self.files if one.unread]
        return (*left, *(f"{one.where}: `{one.key}` is not used: {one.unused}" for one in self.said if one.distrusted))


def settings(environ: Mapping[str, str] = os.environ, folder: str = ".") -> Settings:
    """Raises InputError for a key that there is not, and a value that cannot be meant."""
    said = [*_by_variables(environ)]
    files = []
    if not environ.get(OFF):
        for layer in (_project(folder), user_layer(environ)):
            files.append(layer[0])
            said += layer[1]
    return Settings(tuple(_ranked(said)), tuple(files))


def user_layer(environ: Mapping[str, str]) -> tuple[SettingsFile, list[Setting]]:
    """The user's own file; raises InputError."""
    path = user_file(environ)
    if environ.get(OFF):
        return SettingsFile(path, "user", there=False), []
    try:
        if why := _foreign(path):
            return SettingsFile(path, "user", there=True, unread=why), []
        data = read_bytes(path, _LIMIT)
    except (FileNotFoundError, NotADirectoryError):
        return SettingsFile(path, "user", there=False), []
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror or error}") from None
    return SettingsFile(path, "user", there=True), list(_read(data, path, "user", os.path.dirname(path)))


def user_file(environ: Mapping[str, str]) -> str:
    """The first that is there; where none is, the one to make."""
    places = [os.path.join(folder, "cudafit", "config.toml") for folder in _folders(environ)]
    return next((path for path in places if os.path.lexists(path)), places[0])


def _folders(environ: Mapping[str, str]) -> Iterator[str]:
    home = environ.get("HOME") or os.path.expanduser("~")
    if folder := environ.get("XDG_CONFIG_HOME"):
        yield folder
        return
    if sys.platform == "win32" and environ.get("APPDATA"):
        yield environ["APPDATA"]
    yield os.path.join(home, ".config")
    if sys.platform == "darwin":
        yield os.path.join(home, "Library", "Application Support")


def _foreign(path: str) -> str | None:
    """Why others may have written it."""
    if sys.platform == "win32":
        return None
    else:  # noqa: RET505 - mypy understands it so
        status = os.stat(path)
        if status.st_uid not in (posix.geteuid(), 0):
            return "it belongs to another user"
        return "everybody may write to it" if status.st_mode & 0o002 else None


def _project(folder: str) -> tuple[SettingsFile, list[Setting]]:
    path = os.path.normpath(os.path.join(folder, PROJECT_FILE))
    try:
        data = read_bytes(path, _LIMIT)
    except (FileNotFoundError, NotADirectoryError):
        return SettingsFile(path, "project", there=False), []
    except OSError as error:
        return SettingsFile(path, "project", there=True, unread=error.strerror or str(error)), []
    if b"cudafit" not in data:
        return SettingsFile(path, "project", there=True), []
    return SettingsFile(path, "project", there=True), list(_read(data, path, "project", folder))


def _by_variables(environ: Mapping[str, str]) -> Iterator[Setting]:
    for key in KEYS:
        if key.variable and (text := environ.get(key.variable)):
            many = tuple(one for one in text.split(os.pathsep) if one)
            _refuse_platform(key, text, key.variable)
            yield Setting(key.name, many if key.many else text, "environment", key.variable)


def _read(data: bytes, path: str, layer: Layer, folder: str) -> Iterator[Setting]:
    """What a file says; raises InputError."""
    from cudafit.system.toml import TomlError, read_toml  # noqa: PLC0415 - where there is such a file
    from cudafit.system.toml_places import TomlPlaces  # noqa: PLC0415

    heading = TABLE if layer == "project" else ""
    try:
        table: Any = read_toml(data)
    except TomlError as error:
        raise InputError(f"cannot read `{path}`: {error}") from None
    if layer == "project":
        tools = table.get("tool")
        table = tools.get("cudafit") if isinstance(tools, dict) else None
        if table is None:
            return
    places = TomlPlaces(path, data.decode("utf-8"))
    for name, value, where in _flat(table, heading, places):
        key = next((one for one in KEYS if one.name == name), None)
        if key is None:
            raise _unknown(name, where)
        yield _setting(key, value, layer, where, folder)


def _flat(table: Any, heading: str, places: Any) -> Iterator[tuple[str, Any, str]]:
    """`ignore` of the table `doctor` as `doctor.ignore`."""
    if not isinstance(table, dict):
        raise InputError(f"`{places.of_key(heading)}`: `{heading}` is to be a table")
    tables = {key.name.partition(".")[0] for key in KEYS if "." in key.name}
    for name, value in table.items():
        if name not in tables:
            yield name, value, places.of_key(heading, name) if heading or places.line("", name) else places.of_key(name)
            continue
        under = f"{heading}.{name}".lstrip(".")
        if not isinstance(value, dict):
            raise InputError(f"`{places.of_key(heading, name)}`: `{name}` is to be a table")
        for inner, one in value.items():
            yield f"{name}.{inner}", one, places.of_key(under, inner)


def _setting(key: Key, value: Any, layer: Layer, where: str, folder: str) -> Setting:
    if key.many:
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(one, str) and one for one in listed):
            raise InputError(f"`{where}`: `{key.name}` is to be a list of texts")
    elif not isinstance(value, str) or not value:
        raise InputError(f'`{where}`: `{key.name}` is to be a text, as `{key.name.rpartition(".")[2]} = "…"`')
    else:
        _refuse_platform(key, value, where)
    if key.name.endswith(".ignore"):
        _refuse_unknown_findings(key, listed, where)
    if layer == "project":
        if not key.projects:
            return Setting(key.name, value, layer, where, _INDEX, distrusted=True)
        if key.name == "machine" and (outside := [one for one in listed if not _is_inside(one, folder)]):
            return Setting(key.name, tuple(listed), layer, where, _outside(outside[0]), distrusted=True)
    elif key.name == "machine":
        listed = [os.path.join(folder, os.path.expanduser(one)) for one in listed]
    return Setting(key.name, tuple(listed) if key.many else value, layer, where)


def _refuse_platform(key: Key, value: str, where: str) -> None:
    if key.name == "platform" and value not in PLATFORMS:
        hint = _near(value, list(PLATFORMS)) or f"there are {', '.join(PLATFORMS)}"
        raise InputError(f"`{where}`: no platform is called `{value}`", hint=hint)


_INDEX = "a project does not decide where packages come from; your own file or a variable does"


def _outside(path: str) -> str:
    return f"`{path}` is no file in the project's folder"


def _is_inside(path: str, folder: str) -> bool:
    """Also behind links; a file that is not there is where its name says."""
    top = os.path.realpath(folder)
    found = os.path.realpath(os.path.join(top, path))
    return path != "-" and not os.path.isabs(path) and found.startswith(top.rstrip(os.sep) + os.sep)


def _refuse_unknown_findings(key: Key, words: list[str], where: str) -> None:
    from cudafit.model.kinds import IN_CODE, KINDS  # noqa: PLC0415 - where such a list is

    known = IN_CODE if key.name == "lint.ignore" else KINDS
    groups = {name.partition(".")[0] for name in known}
    for word in words:
        if word not in known and word not in groups:
            raise InputError(f"`{where}`: no finding is called `{word}`", hint=_near(word, [*known, *groups]))


def _unknown(name: str, where: str) -> InputError:
    names = [key.name for key in KEYS]
    hint = _near(name, names) or f"there are {', '.join(f'`{one}`' for one in names)}"
    return InputError(f"`{where}`: no key is called `{name}`", hint=hint)


def _near(word: str, known: list[str]) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415 - for what is wrong

    ends = {one.rpartition(".")[2]: one for one in known}
    near = get_close_matches(word, known, n=1) or [
        ends[one] for one in get_close_matches(word.rpartition(".")[2], ends, n=1)
    ]
    return f"did you mean `{near[0]}`?" if near else None


def _ranked(said: list[Setting]) -> Iterator[Setting]:
    """Each with why it is not used, where something before it counts."""
    from dataclasses import replace  # noqa: PLC0415 - where something is said

    first: dict[str, Setting] = {}
    for one in said:
        if one.unused is not None:
            yield one
            continue
        group = "machine" if one.key in MACHINE else one.key
        winner = first.setdefault(group, one)
        same = winner is one or (group == "machine" and winner.layer == one.layer)
        yield one if same else replace(one, unused=f"{winner.where} goes before it")
