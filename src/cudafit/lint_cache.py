"""What lint found in a file of the same name and content before, kept in the user's cache folder.

The entries lie in 256 small JSON files by the beginning of their hash, each replaced whole: several runs at once can
lose an entry, and nothing more. What cannot be read or written is no reason to fail: the file is followed once more.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cudafit import __version__
from cudafit.atomic import write_text
from cudafit.model.code_finding import CodeFinding, Edit
from cudafit.model.kinds import KINDS
from cudafit.system.reading import read_text

_MOST = 256  # entries of one of the files; the oldest make room
_LIMIT = 16 << 20
_KEPT = 3  # folders of other versions

Entry = list[Any]  # findings, the reasons for what was left out, names of configurations


def key_of(path: str, data: bytes, about: bytes) -> str:
    """The name counts, as a file of tests is judged by it; the folder does not."""
    name = os.path.basename(path).encode("utf-8", "surrogateescape")
    made = hashlib.blake2b(b"\0".join((name, about, b"")), digest_size=20)
    made.update(data)
    return made.hexdigest()


class LintCache:
    """Entries by the key of a file; `installed` are the versions that its code was judged for."""

    def __init__(self, folder: str, installed: Mapping[str, str]) -> None:
        self._folder = os.path.join(folder, _fingerprint())
        self.about = json.dumps([sorted(installed.items())]).encode()
        self._parts: dict[str, dict[str, Entry]] = {}
        self._new: dict[str, dict[str, Entry]] = {}

    def get(self, key: str) -> Entry | None:
        part = key[:2]
        if part not in self._parts:
            self._parts[part] = self._read(part)
        found = self._parts[part].get(key)
        return found if isinstance(found, list) and len(found) == 3 else None

    def put(self, key: str, entry: Entry) -> None:
        self._new.setdefault(key[:2], {})[key] = entry

    def write(self) -> None:
        try:
            if self._new and not os.path.isdir(self._folder):
                os.makedirs(self._folder, mode=0o700, exist_ok=True)
                self._forget_others()
            for part, entries in self._new.items():
                self._write(part, entries)
        except OSError:
            return

    def _write(self, part: str, entries: dict[str, Entry]) -> None:
        kept = {key: entry for key, entry in self._read(part).items() if key not in entries} | entries
        held = dict(list(kept.items())[-_MOST:])
        write_text(self._path(part), json.dumps(held))

    def _read(self, part: str) -> dict[str, Entry]:
        try:
            value = json.loads(read_text(self._path(part), _LIMIT))
        except (OSError, ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def _path(self, part: str) -> str:
        return os.path.join(self._folder, f"{part}.json")

    def _forget_others(self) -> None:
        """What earlier versions found is not asked for any more."""
        import shutil  # noqa: PLC0415 - once for a version

        parent = os.path.dirname(self._folder)
        others = [one for one in os.scandir(parent) if one.is_dir(follow_symlinks=False) and one.path != self._folder]
        for one in sorted(others, key=lambda one: one.stat().st_mtime, reverse=True)[_KEPT - 1 :]:
            shutil.rmtree(one.path, ignore_errors=True)


def _fingerprint() -> str:
    """The version of cudafit, and of its analyser: a checkout changes without another version."""
    room = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lint")
    made = hashlib.blake2b(digest_size=8)
    for folder in (room, os.path.join(room, "rules")):
        for entry in sorted(os.scandir(folder), key=lambda one: one.name):
            if entry.name.endswith(".py"):
                state = entry.stat()
                made.update(f"{entry.name} {state.st_size} {state.st_mtime_ns}\n".encode())
    return f"{__version__}-{made.hexdigest()}"


def packed(findings: list[CodeFinding]) -> list[Any]:
    return [
        [one.id, one.line, one.column, one.cell, one.message, one.fix, [list(vars_of(edit)) for edit in one.edits]]
        for one in findings
    ]


def vars_of(edit: Edit) -> tuple[int, int, int, int, str]:
    return edit.line, edit.column, edit.end_line, edit.end_column, edit.text


def unpacked(held: list[Any], path: str) -> list[CodeFinding]:
    """Raises ValueError, TypeError and KeyError for what is no such list."""
    return [_unpacked(one, path) for one in held]


def _unpacked(held: list[Any], path: str) -> CodeFinding:
    name, line, column, cell, message, fix, edits = held
    made = KINDS[name].in_code(
        path,
        int(line),
        str(message),
        column=int(column),
        edits=tuple(Edit(int(a), int(b), int(c), int(d), str(text)) for a, b, c, d, text in edits),
        fix=str(fix),
    )
    return made if cell is None else replace(made, cell=int(cell))
