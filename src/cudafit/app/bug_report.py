"""What is left when cudafit itself fails: a report that can be pasted, and where it lies."""

import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence

from cudafit import __version__
from cudafit.errors import CudafitError
from cudafit.system.commands import joined
from cudafit.system.secrets import redacted, redacted_words
from cudafit.system.text import harmless_lines


def report(bug: BaseException, arguments: Sequence[str], show: Callable[[str], None] | None = None) -> CudafitError:
    """Write the report and return what to tell the user; `show` is given all of it."""
    trace = "".join(traceback.format_exception(bug))
    text = redacted(
        f"cudafit {__version__}\n"
        f"python {sys.version.split()[0]} on {platform.platform()}\n"
        f"command: {joined(redacted_words(['cudafit', *arguments]))}\n\n{trace}"
    )
    text = harmless_lines(text)
    if show:
        show(text)
    path = _write(text)
    where = f"a report was written to {path}" if path else "its report could not be written; `-vv` shows it"
    return CudafitError(
        f"a bug in cudafit: {type(bug).__name__}: {redacted(str(bug)).splitlines()[0] if str(bug) else 'no message'}",
        cause=[where],
        hint="please send that report to the cudafit issue tracker" if path else None,
    )


def _write(text: str) -> str | None:
    name = f"bug-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    for folder in (_state_folder(), tempfile.gettempdir()):
        path = os.path.join(folder, name)
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
        except OSError:
            continue
        return path
    return None


def _state_folder() -> str:
    base = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(os.environ.get("LOCALAPPDATA", base) if os.name == "nt" else base, "cudafit", "reports")
