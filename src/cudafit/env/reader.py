"""Reading an environment's files: what cannot be read is noted, and what is not there is nothing to tell."""

from collections.abc import Callable

from cudafit.env.prefixes import real_path
from cudafit.files import Files
from cudafit.model.machine import Problem

PROBE = "inventory"
METADATA_LIMIT = 1 << 18
SOURCE_LIMIT = 1 << 18
_SMALL = 1 << 16


class Reader:
    """One look at one environment."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.problems: list[Problem] = []

    def note(self, error: str) -> None:
        self.problems.append(Problem(PROBE, error))

    def names(self, path: str) -> list[str]:
        try:
            return self.files.names(path)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self.note(f"{path}: {error.strerror or error}")
            return []

    def listed(self, path: str) -> list[str]:
        """The same where most of what is tried is no folder, and that is nothing to tell."""
        try:
            return self.files.names(path)
        except OSError:
            return []

    def real(self, path: str) -> str:
        return real_path(self.files, path)

    def small(self, path: str) -> str | None:
        return self.text(path, _SMALL)

    def text(self, path: str, limit: int) -> str | None:
        return self._noted(path, lambda: self.files.read_text(path, limit))

    def head(self, path: str, limit: int) -> str | None:
        """Of a file whose beginning is enough: of METADATA the headers count."""
        return self._noted(path, lambda: self.files.head_text(path, limit))

    def _noted(self, path: str, read: Callable[[], str]) -> str | None:
        try:
            return read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.note(f"{path}: {error.strerror or error}")
            return None
