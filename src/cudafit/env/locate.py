"""Which environment is meant, and where its parts lie: by files alone."""

import os
import re
from collections.abc import Mapping, Sequence

from cudafit.env.conda_places import named, unread
from cudafit.errors import InputError
from cudafit.files import Files
from cudafit.model.environment import CONDA, SYSTEM, VENV
from cudafit.model.frozen import frozen
from cudafit.model.machine import CondaInstallation
from cudafit.model.words import is_path


@frozen
class Located:
    """An environment's prefix, what kind it is, and how it was found."""

    prefix: str
    kind: str
    found_by: str
    interpreter: str | None = None


def locate(
    files: Files,
    path: str | None,
    conda: str | None,
    environ: Mapping[str, str],
    installations: Sequence[CondaInstallation],
    folder: str,
) -> Located | None:
    """The named one, else the active one, else the one in the folder; None where there is none. Raises InputError."""
    if conda is not None:
        return _conda_by_name(files, conda, environ, installations, folder)
    if path is not None:
        found = at(files, os.path.normpath(os.path.join(folder, path)), "named")
        if found is None:
            raise InputError(
                f"`{path}` is not a Python environment",
                cause=["it has neither a pyvenv.cfg, nor conda-meta, nor an interpreter"],
                hint="name its folder or its interpreter, such as `.venv` or `.venv/bin/python`",
            )
        return found
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if (value := environ.get(variable)) and (found := at(files, value, f"active ({variable})")):
            return found
    for name in (".venv", "venv", ".pixi/envs/default"):
        if found := at(files, os.path.join(folder, name), "in this folder"):
            return found
    return None


def at(files: Files, path: str, found_by: str) -> Located | None:
    """The environment at a path: its folder, its interpreter, or a folder that holds a `.venv`."""
    if files.is_file(path) or (not files.is_dir(path) and files.link_target(path) is not None):
        return _of_interpreter(files, path, found_by)
    if not files.is_dir(path):
        return None
    if files.exists(f"{path}/pyvenv.cfg"):
        return Located(path, VENV, found_by)
    if files.is_dir(f"{path}/conda-meta"):
        return Located(path, CONDA, found_by)
    for name in (".venv", "venv"):
        if files.exists(f"{path}/{name}/pyvenv.cfg"):
            return Located(f"{path}/{name}", VENV, found_by)
    for name in ("python3", "python"):
        if files.exists(f"{path}/bin/{name}"):
            return Located(path, SYSTEM, found_by, f"{path}/bin/{name}")
    return None


def _of_interpreter(files: Files, path: str, found_by: str) -> Located | None:
    """`.venv/bin/python` is the environment's own, though it is a link to another; so its folder decides."""
    if not re.match(r"(python|pypy)\d*(\.\d+)*t?(\.exe)?$", os.path.basename(path)):
        return None
    folder = os.path.dirname(path)
    prefix = folder if os.path.basename(folder) not in ("bin", "Scripts") else os.path.dirname(folder)
    if files.exists(f"{prefix}/pyvenv.cfg"):
        return Located(prefix, VENV, found_by, path)
    if files.is_dir(f"{prefix}/conda-meta"):
        return Located(prefix, CONDA, found_by, path)
    return Located(prefix or "/", SYSTEM, found_by, path)


def _conda_by_name(
    files: Files,
    name: str,
    environ: Mapping[str, str],
    installations: Sequence[CondaInstallation],
    folder: str,
) -> Located:
    if is_path(name):
        found = at(files, os.path.normpath(os.path.join(folder, os.path.expanduser(name))), "--conda")
        if found is None or found.kind != CONDA:
            raise InputError(
                f"`{name}` is not a conda environment",
                cause=["it has no conda-meta" if found or files.is_dir(name) else "there is no such folder"],
            )
        return found
    if not re.fullmatch(r"[^/\s]+", name):
        raise InputError(f"`--conda {name}` is not the name of a conda environment", hint="for a path: `--env PATH`")
    candidates = list(named(files, name, installations, environ, folder))
    for path in candidates:
        if files.is_dir(f"{path}/conda-meta"):
            return Located(path, CONDA, f"--conda {name}")
    raise InputError(
        f"there is no conda environment `{name}`",
        cause=[
            f"looked for it in {', '.join(candidates) or 'no place: no conda installation was found'}",
            *unread(files, environ),
        ],
        hint="name its folder: `--env PATH`",
    )
