"""The files of a room of machines: snapshots, doctor's reports, benchmarks, lists of packages, and locks.

A file tells its machine by its name, `ws01.json` or `ws01.doctor.json`, or by that of its folder, `ws01/doctor.json`.
What is of no use is named and passed over: such folders are filled by many hands.
"""

import errno
import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from cudafit.errors import CudafitError, InputError
from cudafit.lock.formats import CONDA, Format, format_of
from cudafit.lock.held import read_lock
from cudafit.machine.saved import Alike
from cudafit.model import bench, finding, machine
from cudafit.model.record import RecordError, from_plain
from cudafit.model.requirement import normalised
from cudafit.model.room import Unread
from cudafit.report.records import Diagnosis, Known, LockFile, Records
from cudafit.system.parsing import reason
from cudafit.system.reading import read_bytes

LOCKS = "locks"
_LIMIT = 16 << 20
_PARTS = re.compile(r"\.(?:machine|doctor|bench|freeze|environment)$")
_LISTED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,200})==([A-Za-z0-9._+!-]{1,100})\s*")
_OURS = re.compile(r"cudafit\.[a-z]{1,40}/\d{1,6}")


class _RefusedError(Exception):
    """Why a file is passed over."""


def read_room(path: str) -> Records:
    """A folder, or a single file of one machine. Raises InputError where nothing tells of any machine."""
    room = _Room()
    if os.path.isdir(path):
        room.folder(path)
        name = os.path.basename(os.path.abspath(path))
    else:
        room.file(path, os.path.basename(path), _name_of(os.path.basename(path)))
        name = _name_of(os.path.basename(path))
        if room.unread:
            raise InputError(f"`{path}` cannot be shown: {room.unread[0].why}")
    if not room.machines:
        more = [f"`{one.path}`: {one.why}" for one in room.unread[:8]]
        hint = "`cudafit inspect --save room/$(hostname).json` on each machine writes one"
        raise InputError(f"`{path}` tells of no machine", cause=more, hint=hint)
    return Records(name, tuple(room.machines.values()), tuple(room.locks), tuple(room.unread))


def _name_of(file: str) -> str:
    return _PARTS.sub("", file.removesuffix(".json").removesuffix(".txt")) or file


class _Room:
    """What was read so far."""

    def __init__(self) -> None:
        self.machines: dict[str, Known] = {}
        self.locks: list[LockFile] = []
        self.unread: list[Unread] = []
        self._alike = Alike()

    def folder(self, path: str) -> None:
        for entry in _entries(path):
            if not entry.is_dir():
                self._known(entry.path, entry.name, _name_of(entry.name), lock=True)
                continue
            try:
                inside = _entries(entry.path)
            except InputError as error:
                self.unread.append(Unread(entry.name, error.what))
                continue
            for one in inside:
                place = f"{entry.name}/{one.name}"
                if one.is_dir():
                    self.unread.append(Unread(place, "a folder in the folder of a machine"))
                else:
                    self._known(one.path, place, entry.name, lock=entry.name == LOCKS)

    def _known(self, path: str, place: str, name: str, *, lock: bool) -> None:
        base = os.path.basename(path)
        form = _lock_form(base) if lock else None
        if form is None:
            self.file(path, place, name)
        else:
            self._lock(path, place, form)

    def _lock(self, path: str, place: str, form: Format) -> None:
        try:
            held = read_lock(path, form)
        except CudafitError as error:
            self.unread.append(Unread(place, error.what))
            return
        versions = {normalised(name): version for name, version in held.versions.items()}
        self.locks.append(LockFile(place, versions, held.python, form.kind == CONDA))

    def file(self, path: str, place: str, name: str) -> None:
        try:
            self.machines[name] = self._with(self.machines.get(name, Known(name)), path)
        except _RefusedError as why:
            self.unread.append(Unread(place, str(why)))

    def _with(self, known: Known, path: str) -> Known:
        text = _text(path)
        if path.endswith(".txt"):
            return _once(known, "installed", dict(_listed(text)), "list of packages")
        if not path.endswith(".json"):
            raise _RefusedError("it is no snapshot, report, benchmark, list of packages or lock")
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _RefusedError(f"it is no JSON: {reason(error)}") from None
        if isinstance(value, list):
            return _once(known, "installed", dict(_of_pip(value)), "list of packages")
        schema = value.get("schema") if isinstance(value, dict) else None
        try:
            if schema == machine.SCHEMA:
                return _once(known, "machine", self._alike.machine(value, "it"), "snapshot")
            if schema == finding.SCHEMA:
                return _once(known, "diagnosis", from_plain(Diagnosis, value), "report of doctor's")
            if schema == bench.SCHEMA:
                return replace(known, benches=(*known.benches, from_plain(bench.Bench, value)))
        except RecordError as error:
            raise _RefusedError(f"it is not as {schema} should be: {error}") from None
        except InputError as error:
            raise _RefusedError(error.what) from None
        if isinstance(schema, str) and _OURS.fullmatch(schema):
            raise _RefusedError(f"its schema is {schema}, which this page does not show")
        raise _RefusedError("it is no snapshot, report, benchmark or list of packages")


def _once(known: Known, part: str, value: Any, what: str) -> Known:
    if getattr(known, part) is not None:
        raise _RefusedError(f"there is another {what} of {known.name}")
    changed: dict[str, Any] = {part: value}
    return replace(known, **changed)


def _entries(path: str) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(path) as found:
            return sorted((one for one in found if not one.name.startswith(".")), key=lambda one: one.name)
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror or error}") from None


def _lock_form(name: str) -> Format | None:
    """Of a lock that names every package."""
    if name.endswith((".freeze.txt", ".environment.txt")):
        return None
    try:
        form = format_of(name)
    except InputError:
        return None
    return form if form.read and form.complete and not form.edits else None


def _text(path: str) -> str:
    try:
        return read_bytes(path, _LIMIT).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _RefusedError("it is no UTF-8 text") from None
    except OSError as error:
        too_large = error.errno == errno.EFBIG
        raise _RefusedError(
            f"it cannot be read: {error.strerror or error}" if not too_large else "it is too large"
        ) from None


def _listed(text: str) -> Iterator[tuple[str, str]]:
    """As `pip freeze` and `uv pip freeze` write it; raises _RefusedError where no line is so."""
    rows = [match for line in text.splitlines() if (match := _LISTED.fullmatch(line))]
    if not rows:
        raise _RefusedError("it is no list of packages, as `pip freeze` writes it")
    for match in rows:
        yield normalised(match[1]), match[2]


def _of_pip(value: list[Any]) -> Iterator[tuple[str, str]]:
    """As `pip list --format json` writes it."""
    for one in value:
        name, version = (one.get("name"), one.get("version")) if isinstance(one, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(version, str):
            raise _RefusedError("it is no list of packages, as `pip list --format json` writes it")
        yield normalised(name), version
