"""Where conda environments lie: known from files alone, whether conda is installed or not."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile

from cudafit.errors import InputError
from cudafit.files import Files
from cudafit.model.machine import CondaInstallation
from cudafit.system.commands import command_text

_NAME = re.compile(r"[^/\\\s:#]+")
_TEXT_LIMIT = 1 << 20


def check_name(name: str) -> None:
    """Raises InputError for what conda would not take either."""
    if not _NAME.fullmatch(name) or name in (".", ".."):
        raise InputError(f"`{name}` is not the name of a conda environment", hint="for a path: `--prefix PATH`")
    if name in ("base", "root"):
        raise InputError(f"`{name}` is conda's own environment", hint="choose another name")


def roots(installations: Sequence[CondaInstallation], environ: Mapping[str, str]) -> tuple[str, ...]:
    """The folders of conda itself; each may have `envs`."""
    found = [one.path for one in installations if one.kind != "pixi" and os.path.basename(one.path) != "micromamba.exe"]
    found += [environ[name] for name in ("MAMBA_ROOT_PREFIX",) if environ.get(name)]
    return tuple(dict.fromkeys(path.rstrip("/") for path in found))


def env_folders(files: Files, installations: Sequence[CondaInstallation], environ: Mapping[str, str]) -> list[str]:
    """The folders in which environments are looked for by name, in conda's order.

    Source: conda's `envs_dirs`: CONDA_ENVS_DIRS or CONDA_ENVS_PATH, .condarc, `envs` of the root, `~/.conda/envs`.
    """
    told = environ.get("CONDA_ENVS_DIRS") or environ.get("CONDA_ENVS_PATH") or ""
    found = [path for path in told.split(os.pathsep) if os.path.isabs(path)]
    home = _home(environ)
    found += _configured(files, home)
    found += [f"{root}/envs" for root in roots(installations, environ)]
    if home:
        found.append(f"{home}/.conda/envs")
    return list(dict.fromkeys(path.rstrip("/") for path in found))


def _home(environ: Mapping[str, str]) -> str:
    return environ.get("HOME") or environ.get("USERPROFILE") or ""  # as Windows calls it


def _configured(files: Files, home: str) -> list[str]:
    """`envs_dirs` of .condarc: a list in YAML, of which only plain entries are read."""
    for path in _settings(home) if home else ():
        try:
            text = files.read_text(path, _TEXT_LIMIT)
        except OSError:
            continue
        if paths := _entries(text.splitlines()):
            paths = [home + path[1:] if path.startswith("~/") else path for path in paths]
            return [path for path in paths if os.path.isabs(path)]
    return []


def _entries(lines: list[str]) -> list[str]:
    """Of the list below the first key of that name."""
    for number, line in enumerate(lines):
        if line.rstrip() in ("envs_dirs:", "envs_path:"):
            below = takewhile(lambda one: not one or one.startswith("-"), map(str.strip, lines[number + 1 :]))
            return [one[1:].strip().strip("\"'") for one in below if one]
    return []


def _settings(home: str) -> tuple[str, ...]:
    return (f"{home}/.condarc", f"{home}/.conda/.condarc", f"{home}/.mambarc")


def listed(files: Files, environ: Mapping[str, str]) -> list[str]:
    """`~/.conda/environments.txt`: every environment that conda, mamba or cudafit made."""
    try:
        text = files.read_text(f"{_home(environ)}/.conda/environments.txt", _TEXT_LIMIT)
    except OSError:
        return []
    return [line.strip().rstrip("/") for line in text.splitlines() if os.path.isabs(line.strip())]


def unread(files: Files, environ: Mapping[str, str]) -> list[str]:
    """Which of the files that tell where environments lie are there and cannot be read, and why."""
    found = []
    home = _home(environ)
    for path in (*_settings(home), f"{home}/.conda/environments.txt") if home else ():
        try:
            files.read_text(path, _TEXT_LIMIT)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            found.append(f"cannot read `{path}`: {error.strerror or error}")
    return found


def named(
    files: Files, name: str, installations: Sequence[CondaInstallation], environ: Mapping[str, str], folder: str
) -> Iterator[str]:
    """Where an environment of this name may lie, in the order in which it is looked for."""
    if name in ("base", "root"):
        yield from roots(installations, environ)
        return
    for place in env_folders(files, installations, environ):
        yield f"{place}/{name}"
    for path in listed(files, environ):
        if os.path.basename(path) == name:
            yield path
    yield os.path.join(folder, ".pixi", "envs", name)


def is_base(files: Files, prefix: str, installations: Sequence[CondaInstallation], environ: Mapping[str, str]) -> bool:
    """Whether conda itself lives in it."""
    real = files.real(prefix)
    if any(files.real(root) == real for root in roots(installations, environ)):
        return True
    names = files.names(f"{prefix}/conda-meta") if files.is_dir(f"{prefix}/conda-meta") else []
    return any(re.match(r"(conda|mamba)-\d[^-]*-[^-]+\.json$", name) for name in names)


def prefix_for(name: str, files: Files, installations: Sequence[CondaInstallation], environ: Mapping[str, str]) -> str:
    """Where `create -n NAME` makes it: in the first folder of environments that may be written. Raises InputError."""
    check_name(name)
    places = env_folders(files, installations, environ)
    for place in places:
        nearest = place
        while not os.path.isdir(nearest):
            nearest = os.path.dirname(nearest)
        if os.access(nearest, os.W_OK | os.X_OK):
            return f"{place}/{name}"
    raise InputError(
        f"there is no folder for the environment `{name}` that may be written",
        cause=[f"`{place}`" for place in places],
        hint=f"`{command_text('--prefix', f'./{name}')}`",
    )
