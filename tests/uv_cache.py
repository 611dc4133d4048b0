"""A cache of uv's own for a test, in which it knows of each Python what it found when another test asked.

To ask one takes 50 ms, four times what uv itself takes for a small lock, and with UV_NO_CACHE each command does it.
Wheels and index pages are each test's own.
"""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

_BUCKET = "interpreter-v5"  # where uv 0.13 has it; in another version's place it is asked again, and that is all


def uv_cache(folder: Path) -> str:
    """The value of UV_CACHE_DIR: a new folder in `folder`."""
    cache = folder / "uv-cache"
    cache.mkdir(exist_ok=True)
    if not (cache / _BUCKET).exists():
        (cache / _BUCKET).symlink_to(_known())
    return str(cache)


@functools.cache
def _known() -> str:
    folder = tempfile.mkdtemp(prefix="cudafit-tests-uv-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
