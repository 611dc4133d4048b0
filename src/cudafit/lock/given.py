"""A lock that somebody wrote, before it is installed: read, judged, and written anew.

What the installer is given is not the file but what was understood of it: nothing that was passed over here can mean
something there. A relative path is one beside the lock, wherever the copy lies that the installer reads.
"""

import os
from dataclasses import field, replace
from typing import NoReturn
from urllib.parse import urlsplit

from cudafit.errors import InputError
from cudafit.model.frozen import frozen
from cudafit.model.plan import Package
from cudafit.system.secrets import redacted

SHOWN = 8


@frozen
class Given:
    """`text` is what the installer gets. `notes` are what a reader of the plan should know: where files come from, and
    with `--allow-unhashed` what is installed without a hash or built here."""

    text: str
    packages: tuple[Package, ...]
    notes: tuple[str, ...] = ()
    unhashed: tuple[str, ...] = ()  # the packages of which something is run or installed that has no hash
    moved: bool = False  # whether a path was made absolute


@frozen
class Judge:
    """What is collected while a lock is read."""

    path: str
    folder: str  # of the lock
    allowed: bool  # what has no hash is installed all the same
    faults: list[str] = field(default_factory=list)
    unhashed: dict[str, str] = field(default_factory=dict)  # by package, what is said of it
    hosts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def no_hash(self, package: str, why: str) -> None:
        """Something of a package that nothing proves."""
        self.faults.append(f"`{package}` {why}")
        self.unhashed.setdefault(package, why)

    def comes_from(self, url: str) -> None:
        host = urlsplit(url).hostname or "files of this machine"
        self.hosts[host] = self.hosts.get(host, 0) + 1

    def below_the_lock(self, path: str) -> str:
        """An absolute path."""
        return os.path.normpath(os.path.join(self.folder, path))

    def not_a_lock(self, why: str, hint: str | None = None) -> NoReturn:
        raise InputError(f"`{self.path}` is not installed: {why}", hint=hint)

    def judged(self, given: Given) -> Given:
        """Raises InputError where something has no hash, and that was not allowed."""
        if self.faults and not self.allowed:
            more = len(self.faults) - SHOWN
            raise InputError(
                f"`{self.path}` does not tell a hash for all that it would install or run",
                cause=[*self.faults[:SHOWN], *([f"and {more} more"] if more > 0 else [])],
                hint="`--allow-unhashed` installs it all the same, unchecked",
            )
        told = [f"unchecked: `{name}` {why}" for name, why in self.unhashed.items()]
        if self.hosts:
            counted = ", ".join(f"{host} ({count})" for host, count in sorted(self.hosts.items()))
            told.append(f"files with an address come from {counted}")
        return replace(given, notes=(*told, *self.notes), unhashed=tuple(self.unhashed))


def judge(path: str, *, allowed: bool) -> Judge:
    return Judge(path, os.path.dirname(os.path.abspath(path)), allowed)


def shown(address: str) -> str:
    return redacted(address)
