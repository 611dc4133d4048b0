"""Commands as text that people paste into a shell: the only place that quotes."""

import shlex
from collections.abc import Iterable

from cudafit.system.text import harmless

_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def command_text(*words: str) -> str:
    """One line that a shell reads as exactly these words, whatever is in them."""
    return " ".join(map(word_text, words))


def joined(words: Iterable[str]) -> str:
    """The same for words that are a list already."""
    return command_text(*words)


def word_text(word: str) -> str:
    """One word. What must not be shown as it is (see `text`) is written in the way of `$'…'`, which bash, zsh, ksh and
    POSIX of 2024 read: so the command is harmless to look at and still names the right file."""
    if harmless(word) == word:
        return shlex.quote(word)
    return "$'" + "".join(map(_escaped, word)) + "'"


def _escaped(sign: str) -> str:
    if sign in _ESCAPES:
        return _ESCAPES[sign]
    if harmless(sign) == sign:
        return sign
    # By bytes of three octal digits: unlike `\x`, they end by themselves, whatever digit follows.
    return "".join(f"\\{byte:03o}" for byte in sign.encode("utf-8", "surrogateescape"))
