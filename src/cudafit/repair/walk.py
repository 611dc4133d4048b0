"""What a tree holds: every file, folder and link below a folder, and what keeps it from being kept as it is."""

import os
import stat

from cudafit.model.frozen import frozen
from cudafit.system.folders import user_name
from cudafit.system.posix import posix

FILE, FOLDER, LINK, SPECIAL = "file", "folder", "link", "special"


@frozen
class Item:
    """What a file was: enough to see that it is another one now."""

    kind: str
    mode: int
    size: int
    mtime_ns: int
    target: str | None  # of a link


@frozen
class Entry:
    """`path` is relative to the tree, and empty for the tree itself."""

    path: str
    item: Item
    stat: os.stat_result


@frozen
class Walk:
    """Folders come before what they hold. `problems` are sentences; each names one path."""

    entries: tuple[Entry, ...]
    problems: tuple[str, ...]

    @property
    def files(self) -> int:
        return sum(1 for entry in self.entries if entry.item.kind != FOLDER)

    @property
    def size(self) -> int:
        return sum(entry.item.size for entry in self.entries if entry.item.kind == FILE)


def walk(root: str) -> Walk:
    """Follows no link and enters no other file system. Raises OSError for the root alone; what vanishes meanwhile was
    never there."""
    top = os.lstat(root)
    entries = [Entry("", item_of(top, None), top)]
    problems: list[str] = []
    user = posix.geteuid()
    todo = [""]
    while todo:
        folder = todo.pop()
        try:
            with os.scandir(os.path.join(root, folder)) as found:
                inside = list(found)
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append(f"`{folder or root}` cannot be read: {error.strerror}")
            continue
        for one in inside:
            path = f"{folder}/{one.name}" if folder else one.name
            try:
                status = one.stat(follow_symlinks=False)
                target = os.readlink(one.path) if stat.S_ISLNK(status.st_mode) else None
            except FileNotFoundError:
                continue
            except OSError as error:
                problems.append(f"`{path}` cannot be read: {error.strerror}")
                continue
            if status.st_dev != top.st_dev:
                problems.append(f"`{path}` is on another file system")
                continue
            if user not in (status.st_uid, 0):
                problems.append(f"`{path}` belongs to {user_name(status.st_uid)}")
            item = item_of(status, target)
            entries.append(Entry(path, item, status))
            if item.kind == FOLDER:
                todo.append(path)
    return Walk(tuple(entries), tuple(sorted(problems)))


def item_of(status: os.stat_result, target: str | None) -> Item:
    mode = status.st_mode
    kind = SPECIAL
    if stat.S_ISREG(mode):
        kind = FILE
    elif stat.S_ISDIR(mode):
        kind = FOLDER
    elif stat.S_ISLNK(mode):
        kind = LINK
    size = status.st_size if kind == FILE else 0
    return Item(kind, stat.S_IMODE(mode), size, status.st_mtime_ns, target)
