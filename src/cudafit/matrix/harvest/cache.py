"""What was read of a wheel, kept by the wheel's sha256: an interrupted harvest goes on where it was."""

import json
import os
import tempfile
from collections.abc import Mapping
from typing import Any

from cudafit.system.own_cache import own_cache
from cudafit.system.reading import read_text

_LIMIT = 16 << 20
# Raised when a reader reads more or reads it otherwise: what was kept before is then read anew.
READERS_VERSION = 10


class Cache:
    """A folder with one small JSON file a wheel."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def get(self, sha256: str | None) -> dict[str, Any] | None:
        if sha256 is None:
            return None
        try:
            value = json.loads(read_text(self._path(sha256), _LIMIT))
        except (OSError, ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    def put(self, sha256: str | None, facts: Mapping[str, Any]) -> None:
        """A cache that cannot be written is no reason to fail."""
        if sha256 is None:
            return
        try:
            os.makedirs(self.folder, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=self.folder)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(facts, file)
            os.replace(temporary, self._path(sha256))
        except OSError:
            return

    def _path(self, sha256: str) -> str:
        name = "".join(letter for letter in sha256 if letter.isalnum())
        return os.path.join(self.folder, f"{name}-{READERS_VERSION}.json")


def default_folder(environ: Mapping[str, str] = os.environ) -> str:
    return own_cache(environ, "harvest")
