"""The lines of requirement files, as pip reads them. Source: pip's documentation of the format."""

import re
from collections.abc import Iterator

VCS = re.compile(r"(?:git|hg|svn|bzr)\+")


def logical_lines(text: str) -> Iterator[str]:
    """Without comments, each that is continued as one."""
    joined = ""
    for line in [*text.replace("\r\n", "\n").split("\n"), ""]:
        plain = re.sub(r"(?:^|\s)#.*$", "", line)
        # A comment ends what is continued into it.
        joined += plain.rstrip("\\") if plain.endswith("\\") else plain
        if plain.endswith("\\"):
            joined += " "
            continue
        if joined.strip():
            yield joined.strip()
        joined = ""


def option_of(line: str) -> tuple[str, str]:
    """`--find-links x`, `--find-links=x`, `-fx`: the option, and its value."""
    if line.startswith("--"):
        name, _, value = re.sub(r"[=\s]", " ", line, count=1).partition(" ")
        return name, value.strip().strip("\"'")
    return line[:2], line[2:].strip().strip("\"'")
