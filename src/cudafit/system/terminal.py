"""The terminal that a stream leads to: how wide it is, and whether it understands colours."""

import os
import sys
from typing import IO

_WIDTH = 80


def width(out: IO[str]) -> int:
    """COLUMNS where it is set, then what the terminal says of itself."""
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said) > 0:
        return int(said)
    try:
        return os.get_terminal_size(out.fileno()).columns or _WIDTH
    except (OSError, ValueError, AttributeError):
        return _WIDTH


if sys.platform == "win32":

    def shows_colors(out: IO[str]) -> bool:
        """A console of Windows 10 reads escape sequences once it is asked to."""
        if not out.isatty():
            return True  # asked for: what reads the pipe may show them
        import ctypes  # noqa: PLC0415 - only here
        import msvcrt  # noqa: PLC0415

        mode = ctypes.c_ulong()
        reads_sequences = 4  # ENABLE_VIRTUAL_TERMINAL_PROCESSING
        try:
            handle = msvcrt.get_osfhandle(out.fileno())
        except (OSError, ValueError):
            return False
        kernel = ctypes.windll.kernel32
        return bool(
            kernel.GetConsoleMode(handle, ctypes.byref(mode))
            and kernel.SetConsoleMode(handle, mode.value | reads_sequences)
        )

else:

    def shows_colors(out: IO[str]) -> bool:  # noqa: ARG001 - as on Windows
        return True
