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
from cudafit.model.plan import Made, Package
from cudafit.model.requirement import normalised
from cudafit.render.counts import counted
from cudafit.repair.transaction import transaction
from cudafit.repair.uv_engine import PYLOCK, REQUIREMENTS, install, make_venv
from cudafit.system.commands import command_text
from cudafit.system.toml import TomlError, read_toml

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


def given_lock(path: str, python: str | None) -> Made:
    """A lock that somebody wrote: a pylock, or requirements with a hash for each. Raises InputError."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(_LOCK_LIMIT)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read `{path}`: {error}") from None
    told = re.search(r"^# for: \S+, .*Python (\d+\.\d+t?)", text, re.MULTILINE)
    version = python or (told[1] if told else None)
    if path.endswith(".toml"):
        try:
            table = read_toml(text)
            rows = [(normalised(str(row["name"])), str(row.get("version", ""))) for row in table["packages"]]
        except (TomlError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"`{path}` is no pylock: {error}", hint="`cudafit resolve … -o pylock.toml` writes one"
            ) from None
        packages = tuple(Package(name, number) for name, number in rows)
        return Made(version or _DEFAULT_PYTHON, text, PYLOCK, packages, kept=text)
    pins = re.findall(r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*(?:==\s*([^\s;\\]+)|@\s*(\S+))", text, re.MULTILINE)
    if not pins or "--hash=sha256:" not in text:
        raise InputError(
            f"`{path}` is no lock: it has no pins with hashes",
            hint=f"`{command_text('cudafit', 'create', '-r', path)}` resolves what it asks for",
        )
    packages = tuple(Package(normalised(name), number or _version_of(address)) for name, number, address in pins)
    return Made(version or _DEFAULT_PYTHON, text, REQUIREMENTS, packages)


def _version_of(address: str) -> str:
    """Of a wheel's address."""
    parts = address.rpartition("/")[2].replace("%2B", "+").split("-")
    return parts[1] if len(parts) > 1 else ""


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
        install(path, made.lock, indexes, environ, made.name, lock=change.lock)
        if made.kept:
            write_text(os.path.join(path, KEPT_LOCK), made.kept)
