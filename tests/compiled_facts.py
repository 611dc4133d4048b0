"""The packaged facts, compiled as a wheel has them: once for this checkout, not for each run, worker and home.

They lie in pytest's own cache, under a name that follows from the facts and from the code that compiles them, so that
checkouts side by side do not take each other's away.
"""

import functools
import os
import shutil
from contextlib import suppress
from pathlib import Path

from cudafit import atomic, shipped
from cudafit.matrix import messages
from cudafit.matrix.compiled import content_key
from cudafit.matrix.load import open_matrix

_TOP = Path(__file__).parents[1]
_CACHE = _TOP / ".pytest_cache"
_PREFIX = "facts-"
_KEPT = 2


@functools.cache
def compiled() -> Path:
    """The folder, named as a command in this checkout looks for it in its cache."""
    cache = _CACHE / f"{_PREFIX}{_key()}"
    found = Path(open_matrix(environ={"XDG_CACHE_HOME": str(cache), "XDG_CONFIG_HOME": "/nonexistent"}).path)
    rules = found / messages.COMPILED
    if not rules.exists():
        read = messages.read_rules(shipped.folder("matrices"))
        atomic.write_text(str(rules), messages.compiled_text(read))
        _forget_older()
    return found


def as_in_a_wheel() -> None:
    """From now on, what is asked in this process is answered from there, as where cudafit is installed."""
    shipped.COMPILED = str(compiled())


def _key() -> str:
    """Of the rules for error texts, whose files are no part of the facts' own name, and of the code."""
    code = [_TOP / "src/cudafit" / room for room in ("matrix", "messages", "model", "system")]
    paths = [*(_TOP / "matrices/messages").glob("*.yaml"), *(path for room in code for path in room.glob("*.py"))]
    return content_key(sorted(map(str, paths)))


def _forget_older() -> None:
    with suppress(OSError):
        found = sorted(_CACHE.glob(f"{_PREFIX}*"), key=lambda path: os.stat(path).st_mtime, reverse=True)
        for path in found[_KEPT:]:
            shutil.rmtree(path, ignore_errors=True)
