"""Who uses an environment now: processes of this user that have files of it in memory, or run its interpreter."""

import os
import re
from collections.abc import Iterator

from cudafit.files import Files
from cudafit.model.frozen import frozen
from cudafit.system.secrets import redacted_words

_MOST = 20_000
_MAPS_LIMIT = 4 << 20


@frozen
class Process:
    """A running program."""

    pid: int
    command: str  # its first words


def processes_using(prefix: str, files: Files | None = None, own: int | None = None) -> Iterator[Process]:
    """Those that may be read, and are not this one; none where there is no /proc."""
    files = files or Files()
    own = os.getpid() if own is None else own
    mark = os.fsencode(os.path.realpath(prefix)).rstrip(b"/") + b"/"
    try:
        names = [name for name in files.names("/proc") if name.isdecimal()][:_MOST]
    except OSError:
        return
    for name in names:
        if int(name) == own:
            continue
        try:
            line = files.head(f"/proc/{name}/cmdline", 4096)
            if line.startswith(mark) or mark in files.head(f"/proc/{name}/maps", _MAPS_LIMIT):
                words = [word.decode(errors="replace") for word in line.split(b"\0") if word]
                shown = re.sub(r"[^\x20-\x7e]", "?", " ".join(redacted_words(words)[:3]))
                yield Process(int(name), shown[:80])
        except OSError:
            continue
