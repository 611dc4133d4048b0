"""Commands as text that people paste into a shell: the only place that quotes."""

import os
import re
import shlex
from collections.abc import Iterable

from cudafit.system.text import harmless

# What cmd and PowerShell take as it is, and what both take so in double quotes; `%`, `$` and others are replaced there.
_PLAIN_ON_WINDOWS = re.compile(r"[\w@+:./\\~-]+", re.ASCII)
_QUOTED_ON_WINDOWS = re.compile(r"[\w@+:,./\\~ =<>()\[\];#'-]+", re.ASCII)
_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "#": "\\043"}


class Variable(str):
    """A word of ours that the shell is to replace: `$USER`."""

    __slots__ = ()


def command_text(*words: str) -> str:
    """One line that a shell reads as exactly these words, whatever is in them."""
    return " ".join(map(word_text, words))


def joined(words: Iterable[str]) -> str:
    """The same for words that are a list already."""
    return command_text(*words)


def path_word(path: str) -> str:
    """A path as a word of a command, where one that begins with `-` would be taken for an option."""
    return f"./{path}" if path.startswith("-") else path


def option_words(option: str, value: str) -> tuple[str, ...]:
    """An option with its value: in one word where the value would be taken for another option."""
    return (f"{option}={value}",) if value.startswith("-") else (option, value)


def word_text(word: str, *, windows: bool = os.name == "nt") -> str:
    """One word. What must not be shown as it is (see `text`) is written in the way of `$'…'`, which bash, zsh, ksh and
    POSIX of 2024 read: so the command is harmless to look at and still names the right file. On Windows everyday words
    are written as cmd and PowerShell both read them."""
    if windows and not isinstance(word, Variable):
        if _PLAIN_ON_WINDOWS.fullmatch(word):
            return word
        if _QUOTED_ON_WINDOWS.fullmatch(word):
            return f'"{word}\\"' if word.endswith("\\") else f'"{word}"'  # it would take the end's meaning away
    if isinstance(word, Variable):
        return f'"{word}"'
    if harmless(word) == word:
        return shlex.quote(word)
    return "$'" + "".join(map(_escaped, word)) + "'"


def _escaped(sign: str) -> str:
    if sign in _ESCAPES:
        return _ESCAPES[sign]
    if harmless(sign) == sign:
        return sign
    # By bytes of three octal digits: unlike `\x`, they end by themselves, whatever digit follows.
    # Half a character of UTF-16, which no name of a file has, comes out of JSON.
    how = "surrogateescape" if "\udc80" <= sign <= "\udcff" else "surrogatepass"
    return "".join(f"\\{byte:03o}" for byte in sign.encode("utf-8", how))
