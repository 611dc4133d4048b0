"""What a venv is made from: a lock, and the Python that it is for."""

import os
import re
from collections.abc import Sequence

from cudafit.errors import InputError
from cudafit.model.environment import VENV
from cudafit.model.frozen import frozen
from cudafit.model.machine import Interpreter
from cudafit.model.plan import UNCHECKED, WHEELS_ONLY, Checks, Made
from cudafit.repair.engines.uv import PYLOCK, REQUIREMENTS
from cudafit.system.commands import command_text
from cudafit.system.reading import read_named_text

_LOCK_LIMIT = 16 << 20
_DEFAULT_PYTHON = "3.12"


@frozen
class Lock:
    """What uv installs. `name` tells its format."""

    text: str
    name: str = REQUIREMENTS
    interpreter: str = ""  # the program that a new environment is made with
    kept: str | None = None  # the lock to keep in a new environment
    offline: bool = False  # no index answered while it was made


def given_lock(path: str, python: str | None, *, unhashed: bool = False) -> Made[Lock]:
    """A lock that somebody wrote: a pylock, or requirements with a hash for each. Raises InputError.

    `unhashed`: what has no hash is installed all the same, unchecked.
    """
    from cudafit.lock.given_pylock import given_pylock  # noqa: PLC0415 - for locks alone
    from cudafit.lock.given_requirements import given_requirements  # noqa: PLC0415

    try:
        text = read_named_text(path, _LOCK_LIMIT)
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror or error}") from None
    told = re.search(r"^# for: \S+, .*Python (\d+\.\d+t?)", text, re.MULTILINE)
    version = python or (told[1] if told else None) or _DEFAULT_PYTHON
    if path.endswith(".toml"):
        given, name = given_pylock(path, text, allowed=unhashed), PYLOCK
        kept = given.text if given.moved else text  # its paths are those beside the lock
    else:
        given, name, kept = given_requirements(path, text, allowed=unhashed), REQUIREMENTS, None
    checks: Checks = UNCHECKED if unhashed else WHEELS_ONLY
    source = Lock(given.text, name, kept=kept)
    return Made(VENV, version, given.packages, source, notes=given.notes, checks=checks)


def interpreter_of(python: str, pythons: Sequence[Interpreter]) -> str:
    """The program of a Python; the newest of its line. Raises InputError where there is none."""
    wanted = python.rstrip("t")
    for one in pythons:
        if one.version != wanted and not one.version.startswith(f"{wanted}."):
            continue
        if path := _outside_venvs(one.path):
            return path
    known = ", ".join(dict.fromkeys(one.version for one in pythons)) or "none"
    raise InputError(
        f"there is no Python {python} on this machine",
        cause=[f"there are {known}"],
        hint=f"`{command_text('uv', 'python', 'install', python)}`, or name another one with `--python`",
    )


def _outside_venvs(path: str) -> str | None:
    """A Python on PATH may be that of a venv which is active: its start would run the code that it lays beside its
    packages, so the Python is taken that it links to. None for one that is a copy."""
    if not os.path.lexists(os.path.join(os.path.dirname(os.path.dirname(path)), "pyvenv.cfg")):
        return path
    real = os.path.realpath(path)
    below = os.path.lexists(os.path.join(os.path.dirname(os.path.dirname(real)), "pyvenv.cfg"))
    return None if below else real
