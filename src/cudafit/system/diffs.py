"""Differences of files, as `patch` and `git apply` read them."""

import re
from collections.abc import Iterator, Sequence
from difflib import unified_diff

from cudafit.system.text import harmless

# `patch` knows one end of a line; `str.splitlines` knows a dozen.
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def lines_of(text: str) -> list[str]:
    """With their ends."""
    return _LINE.findall(text)


def difference(
    old: Sequence[str], new: Sequence[str], old_name: str, new_name: str, *, around: int = 3
) -> Iterator[str]:
    """The lines of a unified diff, each with its end, whatever is in the names and however the files end."""
    for line in unified_diff(old, new, shown_name(old_name), shown_name(new_name), n=around):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def shown_name(name: str) -> str:
    """A file's name for the two first lines of a diff, as git writes it there.

    One that would end the line or hide something is quoted as in C, by bytes; behind one with a blank stands a tab,
    since `patch` takes the rest for a date. Source: `quote.c` and `diff.c` of git.
    """
    if harmless(name) != name or '"' in name or "\\" in name:
        return '"' + "".join(map(_escaped, name)) + '"'
    return f"{name}\t" if " " in name else name


def _escaped(sign: str) -> str:
    if sign in _ESCAPES:
        return _ESCAPES[sign]
    if harmless(sign) == sign:
        return sign
    return "".join(f"\\{byte:03o}" for byte in sign.encode("utf-8", "surrogateescape"))
