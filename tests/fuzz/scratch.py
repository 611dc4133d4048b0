"""Folders of this process, gone with it."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path


@cache
def _top() -> Path:
    made = Path(tempfile.mkdtemp(prefix="cudafit-fuzz-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def scratch(name: str) -> Path:
    """An empty folder; the same at each call."""
    place = _top() / name
    place.mkdir(parents=True, exist_ok=True)
    return place
