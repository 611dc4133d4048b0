"""A new environment from a lock: made whole, or not at all."""

import os
import re
from collections.abc import Callable, Mapping

from cudafit.atomic import write_text
from cudafit.errors import InputError
from cudafit.indexes import Indexes
from cudafit.lock.order import Order
from cudafit.lock.pylock import pylock_text
from cudafit.lock.requirements_txt import requirements_text
from cudafit.lock.sizes import sizes_of
from cudafit.lock.uv import compiled
from cudafit.model.plan import UNCHECKED, WHEELS_ONLY, Made, Package
from cudafit.render.counts import counted
from cudafit.repair.transaction import transaction
from cudafit.repair.uv_engine import PYLOCK, REQUIREMENTS, install, make_venv
from cudafit.system.reading import read_named_text
from cudafit.system.secrets import without_login

_LOCK_LIMIT = 16 << 20
_DEFAULT_PYTHON = "3.12"
KEPT_LOCK = "pylock.cudafit.toml"


def locked(order: Order, environ: Mapping[str, str], *, sizes: bool) -> Made:
    """Raises CudafitError where an index does not answer, or the packages do not go together."""
    made = compiled(order, environ)
    known = sizes_of(made.packages, order) if sizes else {}
    packages = tuple(Package(one.name, one.version, known.get(one.name)) for one in made.packages)
    picks = tuple(pick for pick in order.picks if pick.requested)
    lock = requirements_text(order, made)
    return Made(order.python, lock, REQUIREMENTS, packages, picks, pylock_text(order, made))


def given_lock(path: str, python: str | None, *, unhashed: bool = False) -> Made:
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
    checks = UNCHECKED if unhashed else WHEELS_ONLY
    return Made(version, given.text, name, given.packages, kept=kept, notes=given.notes, checks=checks)


def create(path: str, made: Made, indexes: Indexes, environ: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Raises RolledBack where it did not succeed, and CudafitError before anything was done."""
    there = os.path.isdir(path)
    if there and not os.listdir(path):
        os.rmdir(path)
        there = False
    with transaction(path, reason="create", new=not there, say=say) as change:
        say(f"making {path} with Python {made.python}")
        make_venv(path, made.interpreter or made.python, environ, lock=change.lock)
        say(f"installing {counted(len(made.packages), 'package')}")
        install(path, made.lock, indexes, environ, made.name, checks=made.checks, lock=change.lock)
        if made.kept:
            write_text(os.path.join(path, KEPT_LOCK), without_login(made.kept))
