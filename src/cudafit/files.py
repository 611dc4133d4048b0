"""Reading files below a root.

With the root `/` this is the plain file system. Below another root (an unpacked image, a mounted disk) no link leads
out of it: `/etc/os-release -> /run/host/secret` means `ROOT/run/host/secret`, as it would for a program inside. What
lies there is untrusted, so everything is read as `system/reading` does: regular files only, within a limit.
"""

import errno
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cudafit.system import reading

if TYPE_CHECKING:
    import mmap

LIMIT = 1 << 20
_MAX_LINKS = 40


class Files:
    """The file system below `root`; paths given and returned are those seen from inside."""

    def __init__(self, root: str = "/") -> None:
        self.root = root
        self.whole = root == "/"

    def locate(self, path: str) -> str:
        """Where `path` lies on this machine, its links resolved within the root; it need not exist.

        Raises OSError for a loop of links, and for a name that no file can have.
        """
        _check(path)
        return path if self.whole else self._outside(self._resolve(path))

    def real(self, path: str) -> str:
        """`path` with its links resolved, as seen from inside the root; raises OSError as `locate` does."""
        _check(path)
        return os.path.realpath(path) if self.whole else self._resolve(path)

    def read_bytes(self, path: str, limit: int = LIMIT) -> bytes:
        """All of a regular file; raises OSError, also for one that is larger than the limit."""
        return reading.read_bytes(self.locate(path), limit)

    def read_text(self, path: str, limit: int = LIMIT) -> str:
        """The same as text; bytes that are not UTF-8 show as replacement characters."""
        return reading.read_text(self.locate(path), limit, errors="replace")

    def head(self, path: str, limit: int) -> bytes:
        """The first bytes of a regular file, for where its beginning is all that counts; raises OSError."""
        return reading.head(self.locate(path), limit)

    def head_text(self, path: str, limit: int) -> str:
        """The same as text."""
        return reading.as_text(self.head(path, limit), path, errors="replace")

    def tail_text(self, path: str, limit: int) -> str:
        """The end of a regular file, for logs; raises OSError."""
        return reading.as_text(reading.tail(self.locate(path), limit), path, errors="replace")

    @contextmanager
    def mapped(self, path: str) -> "Iterator[mmap.mmap]":
        """A regular file in memory without reading it; raises OSError, and ValueError for an empty one."""
        import mmap  # noqa: PLC0415 - for large libraries alone

        with (
            reading.opened(self.locate(path)) as descriptor,
            mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as data,
        ):
            yield data

    def names(self, path: str, pattern: str = "*") -> list[str]:
        """The sorted names in a folder that match `pattern`; raises OSError."""
        names = os.listdir(self.locate(path))
        first = re.split(r"[*?[]", pattern, maxsplit=1)[0]  # most names of a large folder begin otherwise
        if pattern != "*":
            names = [name for name in names if name.startswith(first) and fnmatchcase(name, pattern)]
        return sorted(names)

    def stat(self, path: str) -> os.stat_result:
        """Of what the path leads to; raises OSError."""
        return os.stat(self.locate(path))

    def exists(self, path: str) -> bool:
        return self._is(os.path.exists, path)

    def is_dir(self, path: str) -> bool:
        return self._is(os.path.isdir, path)

    def is_file(self, path: str) -> bool:
        return self._is(os.path.isfile, path)

    def link_target(self, path: str) -> str | None:
        """What a symbolic link says, or None where `path` is not one."""
        folder, name = os.path.split(path.rstrip("/"))
        try:
            return os.readlink(os.path.join(self.locate(folder or "/"), name))
        except (OSError, ValueError):
            return None

    def _is(self, check: Callable[[str], bool], path: str) -> bool:
        try:
            return check(self.locate(path))
        except OSError:
            return False

    def _outside(self, inside: str) -> str:
        return os.path.join(self.root, inside.lstrip("/")) if inside != "/" else self.root

    def _resolve(self, path: str) -> str:
        """Walk the path as a kernel would under chroot(2): `..` stops at the root, absolute links start there."""
        todo = [part for part in reversed(path.split("/")) if part not in ("", ".")]
        done: list[str] = []
        links = 0
        while todo:
            part = todo.pop()
            if part == "..":
                del done[-1:]
                continue
            here = self._outside("/" + "/".join([*done, part]))
            try:
                target = os.readlink(here)
            except OSError:
                done.append(part)
                continue
            links += 1
            if links > _MAX_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            if target.startswith("/"):
                done.clear()
            todo += [step for step in reversed(target.split("/")) if step not in ("", ".")]
        return "/" + "/".join(done)


def _check(path: str) -> None:
    if not reading.is_possible(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
