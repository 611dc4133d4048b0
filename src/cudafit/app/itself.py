"""cudafit out of the way of a change to the environment that it runs in: a copy of its own files goes on.

What it consists of is copied into a folder of its own, and the same command is started there anew in place of this
process: with the Python that the venv was made from, with another one of the same version for a conda environment, and
with the same one where only folders of packages change. That folder is removed when the command has ended.
"""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

from cudafit import __file__ as _init
from cudafit.atomic import write_text
from cudafit.env.active import path_entries
from cudafit.env.prefixes import kind_of
from cudafit.errors import InputError
from cudafit.files import Files
from cudafit.model.environment import CONDA
from cudafit.model.requirement import normalised
from cudafit.process import COPY, become
from cudafit.system.commands import command_text, path_word

if TYPE_CHECKING:
    from importlib.metadata import Distribution

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_START = """\
import atexit, shutil, sys

atexit.register(shutil.rmtree, {folder!r}, True)
sys.argv[0] = "cudafit"
sys.path[:0] = {places!r}
from cudafit.cli.main import main

main()
"""


def go_on_elsewhere(env: str, verb: str) -> NoReturn:
    """Does not come back. Raises InputError where there is no Python to go on with."""
    real = os.path.realpath(env)
    python = None if os.environ.get(COPY) else _python_outside(real)
    if python is None:
        raise InputError(
            f"cudafit itself runs in `{env}`, and cannot change what it stands on",
            cause=["there is no other Python of the same version that a copy of it could run with"],
            hint=f"start it from somewhere else: `{command_text('uvx', 'cudafit', verb, path_word(env))}`",
        )
    folder = tempfile.mkdtemp(prefix="cudafit-itself-")
    try:
        places = _copied(folder, conda=kind_of(Files(), real) == CONDA)
        write_text(os.path.join(folder, "__main__.py"), _START.format(folder=folder, places=places))
        become([python, "-E", "-S", folder, *sys.argv[1:]], {**os.environ, COPY: os.pathsep.join([folder, *places])})
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _python_outside(env: str) -> str | None:
    if not kind_of(Files(), env):
        return sys.executable  # folders of packages change there, and Python itself stays
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    base: str = getattr(sys, "_base_executable", None) or sys.executable
    on_path = [f"{entry}/python{version}" for entry in path_entries(os.environ)]
    for path in [base, *on_path]:
        real = os.path.realpath(path)
        if not (real + os.sep).startswith(env + os.sep) and _is_python(real, version):
            return real
    return None


def _is_python(path: str, version: str) -> bool:
    """A program by that name; a script may start any Python."""
    try:
        is_script = Files().head(path, 2) == b"#!"
    except OSError:
        return False
    called = re.fullmatch(rf"python({re.escape(version)}|3)?", os.path.basename(path))
    return bool(called) and not is_script and os.access(path, os.X_OK)


def _copied(folder: str, *, conda: bool) -> list[str]:
    """Copies what cudafit needs; returns where else some of it lies, as in a checkout."""
    places: dict[str, None] = {}
    package = os.path.dirname(os.path.abspath(_init))
    if os.path.isdir(os.path.join(package, "_shipped")):
        shutil.copytree(package, os.path.join(folder, "cudafit"), ignore=shutil.ignore_patterns("__pycache__"))
    else:
        places[os.path.dirname(package)] = None
    for one in _needed(conda=conda):
        _copy(one, folder)
    return list(places)


def _follows(name: str, text: str, *, conda: bool) -> bool:
    return "extra" not in text.partition(";")[2] or (conda and name == "cudafit" and "conda" in text.partition(";")[2])


def _needed(*, conda: bool) -> "Iterator[Distribution]":
    """What is installed of all that cudafit needs."""
    from importlib.metadata import PackageNotFoundError, distribution  # noqa: PLC0415 - for a copy of itself alone

    todo, seen = ["cudafit"], set[str]()
    while todo:
        name = normalised(todo.pop())
        if name in seen:
            continue
        seen.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # for another system, or of an extra that is not installed
        wanted = [text for text in found.requires or () if _follows(name, text, conda=conda)]
        todo += [told[0] for text in wanted if (told := _NAME.match(text))]
        if name != "cudafit":
            yield found


def _copy(one: "Distribution", folder: str) -> None:
    """Its modules, and of its programs uv alone: that is looked for in `bin` beside its package."""
    for file in one.files or ():
        source = os.path.normpath(str(one.locate_file(file)))
        path = os.fspath(file)
        if path.startswith(".."):
            if os.path.basename(path) not in ("uv", "uv.exe"):
                continue
            path = os.path.join("bin", os.path.basename(path))
        if os.path.isabs(path) or ".." in path.split(os.sep) or not os.path.isfile(source):
            continue
        target = os.path.join(folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(source, target)
