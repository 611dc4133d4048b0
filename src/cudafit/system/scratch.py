"""Folders for what another program is handed as a file, logins among it. Each goes when its work is done, and
what a cudafit that was killed has left goes with the next one.

Whoever works in such a folder holds a lock on it, the kernel's, which ends with the process however that ends.
"""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cudafit.system.folders import open_folder, open_own, remove_tree
from cudafit.system.posix import lock_file

_PREFIX = "cudafit-work-"
# Between a folder's making and its lock: so young a one is let be.
_YOUNG_S = 60


@contextmanager
def scratch() -> Iterator[str]:
    """A new folder that this user alone may read."""
    parent = tempfile.gettempdir()
    with contextlib.suppress(OSError):
        _clear_left(parent)
    folder = tempfile.mkdtemp(prefix=_PREFIX, dir=parent)
    held = None
    try:
        # Where a system has no locks on folders none is ever cleared.
        with contextlib.suppress(OSError):
            held = open_folder(folder)
            lock_file(held, shared=False)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if held is not None:
            os.close(held)


def _clear_left(parent: str) -> None:
    at = None
    try:
        with os.scandir(parent) as found:
            names = [entry.name for entry in found if entry.name.startswith(_PREFIX)]
        for name in names:
            at = open_folder(parent) if at is None else at
            with contextlib.suppress(OSError):  # in use, another user's, or gone meanwhile
                _clear(name, at)
    finally:
        if at is not None:
            os.close(at)


def _clear(name: str, at: int) -> None:
    folder = open_own(name, at)
    try:
        if time.time() - os.fstat(folder).st_mtime > _YOUNG_S:
            lock_file(folder, shared=False)
            remove_tree(name, at)
    finally:
        os.close(folder)
