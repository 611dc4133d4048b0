"""conda-lock.yml, the unified lock: conda-lock's own code writes it, given the packages that py-rattler solved.

Its solver is a function that starts `conda`. That function is replaced while the lock is made; where a release of
conda-lock has it no more, a small program in the shape of `conda` gives the same answer.
"""

import json
import logging
import os
import shlex
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cudafit.conda.solver import Record
from cudafit.errors import CudafitError, InputError
from cudafit.lock.conda_solve import Solved
from cudafit.lock.header import header
from cudafit.lock.order import CONDA, Order
from cudafit.lock.specs import all_specifications
from cudafit.system.reading import read_text
from cudafit.system.scratch import scratch
from cudafit.system.secrets import without_login

HOOK = "solve_specs_for_arch"
_LOCK_LIMIT = 256 << 20  # conda-lock's own answer


def conda_lock_text(order: Order, solved: Sequence[Solved], path: str, *, shim: bool = False) -> tuple[str, int]:
    """The text and the number of packages; raises CudafitError."""
    try:
        from conda_lock import conda_lock, conda_solver, lockfile  # noqa: PLC0415 - takes a second
    except ImportError:
        raise InputError(
            f"`-o {path}` is written by conda-lock, which is not installed", hint="`pip install 'cudafit[conda]'`"
        ) from None
    _refuse_without_hash(solved)
    with scratch() as folder, _quiet():
        mapping = Path(folder) / "mapping.json"
        mapping.write_text("{}", encoding="utf-8")  # names are conda's already; no table of them is to be fetched
        use_shim = shim or not hasattr(conda_solver, HOOK)
        with _shim(folder, solved) if use_shim else _hook(conda_solver, solved) as program:
            lock = conda_lock.create_lockfile_from_spec(
                conda=program,
                spec=_specification(order, solved),
                platforms=[one.platform for one in solved],
                lockfile_path=Path(folder) / "conda-lock.yml",
                virtual_package_repo=_virtual(solved),
                mapping_url=mapping.as_uri(),
            )
        # What it was solved for; the format has a place for it where other tools let it be.
        lock.metadata.custom_metadata = {f"virtual_packages_{one.platform}": _told(one.virtual) for one in solved}
        target = Path(folder) / "conda-lock.yml"
        lockfile.write_conda_lock_file(lock, target, metadata_choices=None, include_help_text=False)
        return header(order) + read_text(str(target), _LOCK_LIMIT), sum(len(one.records) for one in solved)


def _specification(order: Order, solved: Sequence[Solved]) -> Any:
    from conda_lock.models.channel import Channel  # noqa: PLC0415
    from conda_lock.models.lock_spec import LockSpecification, VersionedDependency  # noqa: PLC0415

    dependencies = []
    for spec in all_specifications(order):
        name, version, build = (*spec.split(" "), "", "")[:3]
        dependencies.append(VersionedDependency(name=name, version=version, build=build or None))
    channel = Channel.from_string(without_login(order.indexes.of(CONDA, CONDA)))
    return LockSpecification(
        dependencies={one.platform: list(dependencies) for one in solved}, channels=[channel], sources=[]
    )


def _virtual(solved: Sequence[Solved]) -> Any:
    """The virtual packages of the target: conda-lock's own have `__cuda` 11.4, whatever the machine."""
    from conda_lock import virtual_package  # noqa: PLC0415

    repository = virtual_package._init_fake_repodata()
    for one in solved:
        for name, version in one.virtual:
            package = virtual_package.VirtualPackage(name=name, version=version)
            repository.add_package(package, subdirs=[one.platform])
    repository.write()
    return repository


def _told(virtual: Sequence[tuple[str, str]]) -> str:
    return " ".join(f"{name}={version}" for name, version in sorted(virtual))


def _fetched(record: Record) -> dict[str, Any]:
    """As `conda create --dry-run --json` tells a package."""
    return {
        "name": record.name,
        "version": record.version,
        "build": record.build,
        "build_number": record.build_number,
        "build_string": record.build,
        "channel": without_login(record.channel),
        "subdir": record.subdir,
        "fn": record.file_name,
        "url": without_login(record.url),
        "md5": record.md5 or "",
        "sha256": record.sha256,
        "depends": list(record.depends),
        "constrains": list(record.constrains),
        "license": record.license or "",
        "size": record.size or 0,
        "timestamp": record.timestamp or 0,
    }


def _plan(records: Sequence[Record]) -> dict[str, Any]:
    return {"success": True, "actions": {"FETCH": [_fetched(record) for record in records], "LINK": []}}


@contextmanager
def _hook(module: Any, solved: Sequence[Solved]) -> Iterator[str]:
    """conda-lock's solver answers from what is solved already, and no executable is looked for."""
    plans = {one.platform: _plan(one.records) for one in solved}
    kept = getattr(module, HOOK)
    setattr(module, HOOK, lambda conda, channels, specs, platform: plans[platform])  # noqa: ARG005 - its own names
    try:
        yield "conda"
    finally:
        setattr(module, HOOK, kept)


# The interpreter is named in the script and not on its first line: that line takes no spaces and few characters.
_PROGRAM = """#!/bin/sh
exec {python} {answers} "$@"
"""

_ANSWERS = """import json, os, sys
with open({plans!r}, encoding="utf-8") as file:
    plans = json.load(file)
subdir = os.environ.get("CONDA_SUBDIR") or next(iter(plans))
if "--version" in sys.argv:
    print("conda 24.1.0")
else:
    print(json.dumps(plans[subdir]))
"""


@contextmanager
def _shim(folder: str, solved: Sequence[Solved]) -> Iterator[str]:
    """A program in the shape of conda that tells the same plans."""
    plans = os.path.join(folder, "plans.json")
    with open(plans, "w", encoding="utf-8") as file:
        json.dump({one.platform: _plan(one.records) for one in solved}, file)
    answers = os.path.join(folder, "answers.py")
    with open(answers, "w", encoding="utf-8") as file:
        file.write(_ANSWERS.format(plans=plans))
    program = os.path.join(folder, "conda")
    with open(program, "w", encoding="utf-8") as file:
        file.write(_PROGRAM.format(python=shlex.quote(sys.executable), answers=shlex.quote(answers)))
    os.chmod(program, stat.S_IRWXU)
    yield program


def _refuse_without_hash(solved: Sequence[Solved]) -> None:
    for one in solved:
        for record in one.records:
            if not record.sha256:
                raise CudafitError(f"the channel gives no sha256 for `{record.file_name}`, so it cannot be locked")


@contextmanager
def _quiet() -> Iterator[None]:
    """conda-lock's own progress is not for the users of cudafit."""
    logger = logging.getLogger("conda_lock")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
