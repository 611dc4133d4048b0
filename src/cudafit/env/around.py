"""What a look around a folder needs: the folders of the user, and what the project says in its own files.

What cannot be read says nothing here; the commands that need a file tell so by themselves.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cudafit.files import Files
from cudafit.model.frozen import frozen
from cudafit.model.machine import CondaInstallation

Installations = Callable[[], Sequence[CondaInstallation]]
LIMIT = 1 << 20
_LINE_LIMIT = 1 << 12


@frozen
class Around:
    """What a look around a folder needs: the process's variables, and conda's installations when they are asked for."""

    files: Files
    environ: Mapping[str, str]
    installations: Installations

    @property
    def home(self) -> str:
        return self.environ.get("HOME", "").rstrip("/")

    def folder_of(self, variable: str, usual: str, on_macos: str) -> str:
        """A user's folder by the XDG rules, as platformdirs has it; without a home there is none."""
        if told := self.environ.get(variable):
            return told
        usual = on_macos if sys.platform == "darwin" else usual
        return f"{self.home}/{usual}" if self.home else ""

    @property
    def data(self) -> str:
        return self.folder_of("XDG_DATA_HOME", ".local/share", "Library/Application Support")

    @property
    def config(self) -> str:
        return self.folder_of("XDG_CONFIG_HOME", ".config", "Library/Application Support")

    @property
    def cache(self) -> str:
        return self.folder_of("XDG_CACHE_HOME", ".cache", "Library/Caches")

    def expanded(self, path: str, base: str) -> str:
        return os.path.normpath(os.path.join(base, self.home + path[1:] if path.startswith("~/") else path))


def names(files: Files, folder: str, beginning: str) -> list[str]:
    try:
        return [name for name in files.names(folder) if name.startswith(beginning)][:100]
    except OSError:
        return []


def toml(files: Files, path: str) -> dict[str, Any]:
    try:
        content = files.read_bytes(path, LIMIT)
    except OSError:
        return {}
    from cudafit.system.toml import TomlError, read_toml  # noqa: PLC0415 - only where there is some

    try:
        return read_toml(content)
    except TomlError:
        return {}


def table(value: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        inner = value.get(name)
        value = inner if isinstance(inner, dict) else {}
    return value


def text(table: dict[str, Any], name: str) -> str | None:
    value = table.get(name)
    return value if isinstance(value, str) and value and "\0" not in value else None


def line(files: Files, path: str) -> str | None:
    try:
        text = files.read_text(path, _LINE_LIMIT).strip()
    except OSError:
        return None
    return text if text and "\n" not in text and "\0" not in text else None
