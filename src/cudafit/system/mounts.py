"""Where other file systems are mounted, by the kernel's own table."""

import os
import re

from cudafit.system.reading import read_bytes

_TABLE = "/proc/self/mountinfo"
_LIMIT = 64 << 20
_ESCAPE = re.compile(r"\\([0-7]{3})")


def mounts_below(folder: str) -> tuple[str, ...]:
    """The mount points inside `folder` (not itself), also those of the same file system; none where there is no table:
    then they show themselves by their device number alone."""
    try:
        text = read_bytes(_TABLE, _LIMIT).decode("utf-8", "surrogateescape")
    except OSError:
        return ()
    return parse_mounts_below(text, folder)


def parse_mounts_below(text: str, folder: str) -> tuple[str, ...]:
    """The fifth field is the mount point, with space, tab, newline and backslash as octal numbers (proc(5)); whatever
    else Python takes for the end of a line is part of a name."""
    points = (line.split(" ", 5)[4] for line in text.split("\n") if line.count(" ") >= 5)
    plain = {_ESCAPE.sub(lambda found: chr(int(found[1], 8)), point) for point in points}
    return tuple(sorted(point for point in plain if point.startswith(folder.rstrip(os.sep) + os.sep)))
