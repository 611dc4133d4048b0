"""A second tree that stays as it is, whatever is done to the first, for a small part of its bytes.

Installers replace large files: they unlink the old one and write a new one, so a hard link keeps the old one for
nothing. Small files they, and people, also write in place (`pyvenv.cfg`, `conda-meta/history`, a script that is being
debugged), and a hard link would follow: those are copied. Where the file system shares blocks between copies
(reflinks), large files are copied that way instead, and nothing can follow.

Symbolic links are made anew. Sockets, pipes and devices have nothing that could be copied, and are hard-linked.
"""

import errno
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence

from cudafit.repair.manifest import Manifest
from cudafit.repair.walk import FILE, FOLDER, LINK, Entry, Item, item_of
from cudafit.system.posix import posix, share_blocks

# By measurement: the largest size at which a snapshot stays below 5 % of an environment's bytes, also with torch,
# Jupyter, transformers and ray in it (62,000 files, 6.6 GB: 4.5 %; torch alone 2.1 %; TensorFlow 2.6 %). See
# docs/decisions/0009-transaction.md.
LINKED_FROM = 24 << 10

_CHUNK = 1 << 20
_NO_LINK = frozenset({errno.EPERM, errno.EACCES, errno.EMLINK, errno.EXDEV, errno.EOPNOTSUPP, errno.ENOSYS})
_ATTEMPTS = 3
_THREADS = 8
_PART = 100


def take_snapshot(env: str, entries: Sequence[Entry], tree: str, linked_from: int = LINKED_FROM) -> Manifest:
    """Fill the new folder `tree`, and tell what it holds; raises OSError, whose file name says where.

    What vanishes while this goes on was never there: a Python that runs in the environment may write bytecode.
    """
    return _Snapshot(env, tree, linked_from).take(entries)


def is_linked(entry: Entry, linked_from: int = LINKED_FROM) -> bool:
    """Whether a file is one that is replaced and not written. Python replaces bytecode too, whatever its size."""
    return entry.item.kind == FILE and (entry.item.size >= linked_from or entry.path.endswith(".pyc"))


class _Snapshot:
    def __init__(self, env: str, tree: str, linked_from: int) -> None:
        self._env = env
        self._tree = tree
        self._linked_from = linked_from
        self._reflinks = True  # until the file system says no
        self._attributes = sys.platform == "linux"
        self._copied: dict[tuple[int, int], str] = {}
        self._items: dict[str, Item] = {}

    def take(self, entries: Sequence[Entry]) -> Manifest:
        folders: list[Entry] = []
        files: list[Entry] = []
        names = Counter((entry.stat.st_dev, entry.stat.st_ino) for entry in entries if entry.stat.st_nlink > 1)
        for entry in entries:
            if entry.item.kind == FILE and names[entry.stat.st_dev, entry.stat.st_ino] < 2:
                files.append(entry)
                continue
            if entry.item.kind == FOLDER:
                folders.append(entry)
            self._add(entry)
        self._add_together(files)
        for entry in reversed(folders):  # filling a folder sets its time
            if entry.path in self._items:
                self._finish_folder(entry)
        return Manifest(self._items)

    def _add_together(self, files: list[Entry]) -> None:
        """In threads: making a file is all system time, and on a network's file system all waiting."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - loaded where it is needed

        def add(part: list[Entry]) -> None:
            for entry in part:
                self._add(entry)

        with ThreadPoolExecutor(_THREADS) as pool:
            parts = [pool.submit(add, files[start : start + _PART]) for start in range(0, len(files), _PART)]
            try:
                for part in parts:
                    part.result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _add(self, entry: Entry) -> None:
        source, target = f"{self._env}/{entry.path}", f"{self._tree}/{entry.path}"
        try:
            self._items[entry.path] = self._make(entry, source, target)
        except FileNotFoundError:
            if os.path.lexists(source):
                raise

    def _make(self, entry: Entry, source: str, target: str) -> Item:
        kind = entry.item.kind
        if kind == FOLDER:
            os.mkdir(target, 0o700)
        elif kind == LINK:
            os.symlink(entry.item.target or "", target)
            os.utime(target, ns=(entry.stat.st_atime_ns, entry.stat.st_mtime_ns), follow_symlinks=False)
            if _is_foreign(entry.stat):
                posix.chown(target, entry.stat.st_uid, entry.stat.st_gid, follow_symlinks=False)
        elif kind == FILE:
            return self._file(entry, source, target)
        else:
            os.link(source, target, follow_symlinks=False)
        return entry.item

    def _file(self, entry: Entry, source: str, target: str) -> Item:
        # Files that are one file in the environment stay one file. Those come one after the other.
        key = (entry.stat.st_dev, entry.stat.st_ino)
        first = self._copied.get(key)
        if first is not None and _link(first, target):
            return self._items[first[len(self._tree) + 1 :]]
        large = is_linked(entry, self._linked_from)
        item = self._clone(source, target) if large and self._reflinks else None
        if item is None and large and _link(source, target):
            return item_of(os.lstat(target), None)
        if item is None:
            item = self._copy(source, target, _copy_data)
        self._copied[key] = target
        return item

    def _clone(self, source: str, target: str) -> Item | None:
        """A copy that shares its blocks; None where the file system cannot, and is not asked again."""
        try:
            return self._copy(source, target, _share_blocks)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.ENOENT):
                raise
            self._reflinks = False
            return None

    def _copy(self, source: str, target: str, data: Callable[[int, int, int], None]) -> Item:
        """Bytes, mode, times, owner and extended attributes; again when the file was written meanwhile."""
        for _ in range(_ATTEMPTS):
            reader = os.open(source, os.O_RDONLY | posix.O_NOFOLLOW | posix.O_NONBLOCK | posix.O_CLOEXEC)
            try:
                writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | posix.O_CLOEXEC, 0o600)
                try:
                    before = os.fstat(reader)
                    data(reader, writer, before.st_size)
                    item = item_of(before, None)
                    if item == item_of(os.fstat(reader), None):
                        if _is_foreign(before):
                            posix.fchown(writer, before.st_uid, before.st_gid)
                        posix.fchmod(writer, item.mode)
                        self._copy_attributes(reader, writer)
                        os.utime(writer, ns=(before.st_atime_ns, before.st_mtime_ns))
                        return item
                except BaseException:
                    os.unlink(target)
                    raise
                finally:
                    os.close(writer)
            except OSError as error:
                raise OSError(error.errno, error.strerror, error.filename or target) from error
            finally:
                os.close(reader)
            os.unlink(target)
        raise OSError(errno.EBUSY, "another program writes this file again and again", source)

    def _copy_attributes(self, source: int | str, target: int | str) -> None:
        """Access lists, labels, capabilities; what the system does not let this user set is left out."""
        if not self._attributes:
            return
        try:
            if sys.platform == "linux":
                for name in os.listxattr(source):
                    os.setxattr(target, name, os.getxattr(source, name))
        except OSError as error:
            if error.errno == errno.EOPNOTSUPP:
                self._attributes = False
            elif error.errno not in (errno.EPERM, errno.EACCES, errno.ENODATA, errno.EINVAL):
                raise

    def _finish_folder(self, entry: Entry) -> None:
        target = f"{self._tree}/{entry.path}" if entry.path else self._tree
        if _is_foreign(entry.stat):
            posix.chown(target, entry.stat.st_uid, entry.stat.st_gid)
        source = f"{self._env}/{entry.path}" if entry.path else self._env
        if os.path.isdir(source):
            self._copy_attributes(source, target)
        os.chmod(target, entry.item.mode)
        os.utime(target, ns=(entry.stat.st_atime_ns, entry.stat.st_mtime_ns))


def _is_foreign(found: os.stat_result) -> bool:
    """It has another owner or group than what root makes; nobody else can give files away."""
    return posix.geteuid() == 0 and (found.st_uid, found.st_gid) != (0, posix.getegid())


def _link(source: str, target: str) -> bool:
    """Whether the file system let the file have one more name."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno in _NO_LINK:
            return False
        raise
    return True


def _share_blocks(reader: int, writer: int, _size: int) -> None:
    share_blocks(reader, writer)


def _copy_data(reader: int, writer: int, size: int) -> None:
    done = 0
    while done < size and (chunk := os.read(reader, min(_CHUNK, size - done))):
        done += len(chunk)
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(writer, rest) :]
