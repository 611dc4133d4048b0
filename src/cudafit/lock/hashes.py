"""Hashes of files as locks give them: which of them prove anything.

uv takes a file whose hash is any of those given, and passes over kinds that it does not know: a file with a `sha1`
alone, or with a table of hashes that is empty, is installed unchecked. So one hash is chosen here, and no other is
handed on.
"""

import re

# The kinds that nobody can forge and that installers compare, the most common one first, with their length.
STRONG = {"sha256": 64, "sha384": 96, "sha512": 128}


def is_hash(kind: str, value: object) -> bool:
    """Whether it is one of the strong ones, and whole."""
    length = STRONG.get(kind)
    return isinstance(value, str) and len(value) == length and re.fullmatch(r"[0-9a-fA-F]+", value) is not None


def strong_hash(told: object) -> tuple[str, str] | None:
    """The one to compare, of a mapping of kinds to hashes; None where there is none that proves anything. One that is
    broken makes all of them doubtful."""
    if not isinstance(told, dict):
        return None
    found = [(kind, told[kind]) for kind in STRONG if kind in told]
    if not found or not all(is_hash(kind, value) for kind, value in found):
        return None
    kind, value = found[0]
    return kind, value.lower()


def what_is_missing(told: object) -> str:
    """Why `strong_hash` gave none, as a part of a sentence."""
    if not isinstance(told, dict) or not told:
        return "has no hash"
    if broken := [kind for kind in STRONG if kind in told]:
        return f"has a {broken[0]} that is none"
    return f"has only {', '.join(sorted(map(str, told)))}, which proves nothing"
