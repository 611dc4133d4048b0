r"""What a word of a command line is taken for: the place of an environment, an address, a requirement or a bare name.

By its form alone, and alike on every system: no requirement and no name of an environment has a drive or a backslash,
and a script with `C:\envs\gpu` may run anywhere. A bare word (`gpu`) says nothing: what was asked decides whether it is
a requirement or the name of an environment, and `./gpu` is always the place.
"""

import re
from collections.abc import Sequence
from typing import Literal

from cudafit.system.python310 import possessive

WordKind = Literal["path", "address", "requirement", "bare"]

_NAME = r"[A-Za-z0-9_][\w.-]*"
_BARE = re.compile(_NAME, re.ASCII)
# Not `c::torch`, a package of a conda channel called `c`.
_DRIVE = re.compile(r"[A-Za-z]:(?!:)", re.ASCII)
# Two letters at least, or it would be a drive; behind `name @ ` anything is meant for an address.
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]+:(?!:)\S"
_ADDRESS = re.compile(possessive(rf"{_SCHEME}|{_NAME}\s*+(?:\[[^\]]*+\]\s*+)?+@\s*+(?:{_SCHEME}|(?<=\s))"), re.ASCII)
# Only brackets, a marker and the channel in front of `::` may hold a slash.
_BOUNDS = r"(?:[(<>=!~][^/\\;@]*)?"
_REQUIREMENT = re.compile(
    rf"{_NAME}\s*(?:\[[^\]]*\]\s*)?{_BOUNDS}(?:;.*)?|(?:[A-Za-z0-9_][^\\:\s]*|[^\\:\s]+://\S+)::.+",
    re.ASCII | re.DOTALL,
)


def word_kind(word: str) -> WordKind:
    """A path has a slash of either kind or a drive, or begins with a dot or `~`."""
    if word.startswith((".", "~", "/", "\\")) or _DRIVE.match(word):
        return "path"
    if _BARE.fullmatch(word):
        return "bare"
    if _REQUIREMENT.fullmatch(word):
        return "requirement"
    if _ADDRESS.match(word):
        return "address"
    return "path" if "/" in word or "\\" in word else "requirement"


def is_path(word: str) -> bool:
    """For where a path or a name may stand, as behind `--conda`."""
    return word_kind(word) == "path"


def is_windows_path(word: str) -> bool:
    r"""Whether elsewhere it would be the odd name of one file: `C:\envs`, `envs\gpu`, but not `./a\b`."""
    return bool(_DRIVE.match(word)) or ("\\" in word and "/" not in word)


def parted(words: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
    """The place of the environment, where the first word is one, and the requirements."""
    if words and is_path(words[0]):
        return words[0], tuple(words[1:])
    return None, tuple(words)
