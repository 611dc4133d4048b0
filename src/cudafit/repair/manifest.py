"""What each file of a generation was when the snapshot was taken, so that a change to it afterwards is noticed."""

import json
import os
from collections.abc import Mapping

from cudafit.errors import CudafitError
from cudafit.model.frozen import frozen
from cudafit.repair.walk import FILE, FOLDER, LINK, SPECIAL, Item, Walk
from cudafit.system.folders import read_own
from cudafit.system.posix import posix

SCHEMA = "cudafit.manifest/1"
NAME = "manifest.json"
_LIMIT = 1 << 28  # of some 1.5 million files
_HUGE = 1 << 63
_KINDS = frozenset({FILE, FOLDER, LINK, SPECIAL})
_ROW = (str, str, int, int, int)


@frozen
class Manifest:
    """By path relative to the tree; "" is the tree itself. A path is only compared, never opened."""

    items: Mapping[str, Item]

    @property
    def files(self) -> int:
        return sum(1 for item in self.items.values() if item.kind != FOLDER)

    @property
    def size(self) -> int:
        return sum(item.size for item in self.items.values() if item.kind == FILE)


@frozen
class Differences:
    """How a tree differs from its manifest. `lost`: missing, added, or of another kind. `written`: other bytes or
    another time. `modes` and `times` (of folders) can be set right."""

    lost: tuple[str, ...]
    written: tuple[str, ...]
    modes: tuple[str, ...]
    times: tuple[str, ...]


def manifest_of(found: Walk) -> Manifest:
    return Manifest({entry.path: entry.item for entry in found.entries})


def compare(manifest: Manifest, found: Walk) -> Differences:
    is_now = {entry.path: entry.item for entry in found.entries}
    lost = list(manifest.items.keys() ^ is_now.keys())
    written, modes, times = [], [], []
    for path, item in is_now.items():
        was = manifest.items.get(path)
        if was is None or was == item:
            continue
        if (was.kind, was.target) != (item.kind, item.target):
            lost.append(path)
        elif item.kind == FILE and (was.size, was.mtime_ns) != (item.size, item.mtime_ns):
            written.append(path)
        elif item.kind == FOLDER and was.mtime_ns != item.mtime_ns:
            times.append(path)
        if was.kind == item.kind != LINK and was.mode != item.mode:
            modes.append(path)
    return Differences(*(tuple(sorted(paths)) for paths in (lost, written, modes, times)))


def write_manifest(manifest: Manifest, folder: int) -> int:
    """Into the folder of its generation; returns its bytes. Raises OSError. It is synced with the tree that it speaks
    of."""
    rows = [
        [name, item.kind, item.mode, item.size, item.mtime_ns, item.target] for name, item in manifest.items.items()
    ]
    data = json.dumps({"schema": SCHEMA, "items": rows}).encode()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | posix.O_NOFOLLOW | posix.O_CLOEXEC
    with open(os.open(NAME, flags, 0o600, dir_fd=folder), "wb") as file:
        file.write(data)
    return len(data)


def read_manifest(folder: str, way_out: str) -> Manifest:
    """That of the generation in `folder`. Raises CudafitError, with `way_out` as what to do."""
    path = os.path.join(folder, NAME)
    try:
        value = json.loads(read_own(path, _LIMIT))
        if value["schema"] != SCHEMA:
            raise ValueError(f"its schema is `{value['schema']}`")
        return Manifest(dict(_row(row) for row in value["items"]))
    except OSError as error:
        cause = f"{error.strerror}"
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        cause = f"{type(error).__name__}: {error}"[:200]
    raise CudafitError(
        f"the manifest `{path}` is broken, or was not written by this cudafit", cause=[cause], hint=way_out
    )


def _row(row: object) -> tuple[str, Item]:
    if not isinstance(row, list) or len(row) != len(_ROW) + 1 or [type(value) for value in row[:-1]] != list(_ROW):
        raise ValueError("a row has another form")
    path, kind, mode, size, mtime_ns, target = row
    if kind not in _KINDS or not (target is None or isinstance(target, str)):
        raise ValueError("a row has another form")
    # What no file can have would be found out half-way, by the system call that is to bring it back.
    if not (0 <= mode <= 0o7777 and 0 <= size < _HUGE and -_HUGE <= mtime_ns < _HUGE):
        raise ValueError("a row has a mode, a size or a time that no file has")
    if os.path.isabs(path) or "\0" in path or any(part in ("", ".", "..") for part in path.split("/") if path):
        raise ValueError("a row has a path that leads out of the tree")
    return path, Item(kind, mode, size, mtime_ns, target)
