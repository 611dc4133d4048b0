"""What a probe is given: the machine to look at, and where to note what could not be read."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cudafit.files import Files
from cudafit.model.frozen import frozen
from cudafit.model.machine import Problem, Skipped

_SYSTEMS = {"linux": "linux", "win32": "windows", "cygwin": "windows", "darwin": "macos"}


@dataclass
class Notes:
    """Collects what failed and what was not asked; each thing once."""

    problems: list[Problem] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def problem(self, probe: str, error: str) -> None:
        note = Problem(probe, error)
        if note not in self.problems:
            self.problems.append(note)

    def skip(self, probe: str, reason: str) -> None:
        self.skipped.append(Skipped(probe, reason))


@frozen
class Context:
    """One look at one machine. Only `live` looks may ask the running system or start programs."""

    system: str
    files: Files
    environ: Mapping[str, str]
    live: bool = True
    deep: bool = False
    silence_s: float = 8.0
    notes: Notes = field(default_factory=Notes)

    @property
    def linux(self) -> bool:
        return self.system == "linux"

    @property
    def here(self) -> bool:
        """Whether the files are those of the system that cudafit runs on, so that it may be asked directly."""
        return self.live and self.files.whole

    def read(self, probe: str, path: str, limit: int = 1 << 16) -> str | None:
        """All of a file's text; None where there is no such file, and a note where it is there and cannot be read."""
        return self._noted(probe, path, lambda: self.files.read_text(path, limit))

    def head(self, probe: str, path: str, limit: int = 1 << 16) -> str | None:
        """The same for a file of which the beginning is enough."""
        return self._noted(probe, path, lambda: self.files.head_text(path, limit))

    def tail(self, probe: str, path: str, limit: int) -> str | None:
        """The same for a file of which the end counts, as of a log."""
        return self._noted(probe, path, lambda: self.files.tail_text(path, limit))

    def _noted(self, probe: str, path: str, read: Callable[[], str]) -> str | None:
        try:
            return read()
        except (FileNotFoundError, NotADirectoryError):
            self.note_broken_link(probe, path)
        except OSError as error:
            self.notes.problem(probe, f"{path}: {error.strerror or error}")
        return None

    def names(self, probe: str, path: str, pattern: str = "*") -> list[str]:
        """The names in a folder; none where there is no such folder, and a note where it cannot be listed."""
        try:
            return self.files.names(path, pattern)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self.notes.problem(probe, f"{path}: {error.strerror or error}")
            return []

    def note_broken_link(self, probe: str, path: str) -> None:
        if (target := self.files.link_target(path)) is not None:
            self.notes.problem(probe, f"{path} is a broken link to {target}")

    def homes(self) -> list[str]:
        """The user's home; below another root, every home there is."""
        if self.live:
            home = self.environ.get("HOME") or os.path.expanduser("~")
            return [home] if home.startswith("/") or not self.linux else []
        return ["/root", *(f"/home/{name}" for name in self.names("homes", "/home"))]


def this_machine(*, deep: bool = False, silence_s: float = 8.0) -> Context:
    """The machine that cudafit runs on."""
    return Context(_SYSTEMS.get(sys.platform, sys.platform), Files(), dict(os.environ), True, deep, silence_s)


def other_root(root: str) -> Context:
    """A Linux file system other than `/`: files only, no program is run, and this process's environment is not its."""
    return Context("linux", Files(os.path.abspath(root)), {}, live=False)
