"""Reading an environment's files: what cannot be read is noted, and what is not there is nothing to tell."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from cudafit.env.prefixes import real_path
from cudafit.files import Files
from cudafit.model.machine import Problem
from cudafit.system.reading import as_text

PROBE = "inventory"
METADATA_LIMIT = 1 << 18
SOURCE_LIMIT = 1 << 18
_SMALL = 1 << 16
_HEADERS = 1 << 14  # nearly all of them are shorter
_RECORD_LIMIT = 1 << 20
_COUNTED = 1 << 16
_LINUX, _WINDOWS = (b".so",), (b".dll", b".pyd")


Told = TypeVar("Told", str, bytes)


class Reader:
    """One look at one environment; `windows` where it is one of Windows, whose libraries are DLLs."""

    def __init__(self, files: Files, *, windows: bool = False) -> None:
        self.files = files
        self._marks = (*_LINUX, *_WINDOWS) if windows else _LINUX
        self.problems: list[Problem] = []
        self._records: dict[str, tuple[int | None, tuple[str, ...]]] = {}

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

    def record(self, metadata: str) -> tuple[int | None, tuple[str, ...]]:
        """Of a distribution's RECORD: how many files it lists, and its lines that may name a library.

        For the large packages a count to the limit is enough. It is read once, and most of it never becomes text.
        """
        if metadata not in self._records:
            data = self._noted(path := f"{metadata}/RECORD", lambda: self.files.head(path, _RECORD_LIMIT))
            self._records[metadata] = (
                (None, ()) if data is None else (_lines(data, _COUNTED), _with_library(data, self._marks))
            )
        return self._records[metadata]

    def headers(self, path: str) -> str | None:
        """Of METADATA, which has a long text behind them."""
        data = self._noted(path, lambda: self.files.head(path, _HEADERS))
        if data is not None and len(data) == _HEADERS and b"\n\n" not in data and b"\n\r\n" not in data:
            data = self._noted(path, lambda: self.files.head(path, METADATA_LIMIT))
        if data is None:
            return None
        head = data.partition(b"\r\n\r\n")[0].partition(b"\n\n")[0]
        return as_text(head, path, errors="replace")

    def _noted(self, path: str, read: Callable[[], Told]) -> Told | None:
        try:
            return read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.note(f"{path}: {error.strerror or error}")
            return None


def _lines(data: bytes, limit: int) -> int:
    return data.count(b"\n", 0, limit)


def _with_library(data: bytes, marks: Sequence[bytes]) -> tuple[str, ...]:
    """To find a short text takes a hundredth of the time of a pattern over all of it."""
    found: dict[int, int] = {}
    for mark in marks:
        place = data.find(mark)
        while place >= 0:
            end = data.find(b"\n", place)
            end = len(data) if end < 0 else end
            found[data.rfind(b"\n", 0, place) + 1] = end
            place = data.find(mark, end)
    return tuple(data[start:end].decode("utf-8", "replace") for start, end in sorted(found.items()))
