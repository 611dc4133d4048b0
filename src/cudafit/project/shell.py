"""The commands of a RUN line, as far as they can be told without running them."""

import re
import shlex
from collections.abc import Iterator

_SIGNS = ";&|()"
# What makes it uncertain whether a command runs at all.
_CONDITIONS = frozenset({"if", "elif", "else", "case", "while", "until", "for"})
_ENDS = frozenset({"fi", "esac", "done"})
_BEFORE = _CONDITIONS | {"then", "do", "sudo", "env", "exec", "time", "!", "{", "}"}
_ASSIGNED = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)


def commands(text: str) -> Iterator[tuple[dict[str, str], tuple[str, ...], bool]]:
    """Each command: the variables set before it, its words, and whether it runs for certain."""
    depth, after_or = 0, False
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            continue
        words: list[str] = []
        for word in (*_words(line), ";"):
            if word and set(word) <= set(_SIGNS):
                if words:
                    depth = _depth(words, depth)
                    yield from _command(words, certain=not depth and not after_or)
                    words = []
                after_or = word == "||" or (after_or and word in ("|", "&&"))
            else:
                words.append(word)


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=_SIGNS)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError:  # a quote that is not closed on this line
        return re.findall(rf"[{re.escape(_SIGNS)}]+|[^\s{re.escape(_SIGNS)}]+", line)


def _depth(words: list[str], depth: int) -> int:
    depth += sum(word in _CONDITIONS - {"elif", "else"} for word in words[:1])
    return max(0, depth - (words[0] in _ENDS))


def _command(words: list[str], *, certain: bool) -> Iterator[tuple[dict[str, str], tuple[str, ...], bool]]:
    variables: dict[str, str] = {}
    rest: list[str] = []
    for number, word in enumerate(words):
        if match := _ASSIGNED.fullmatch(word):
            variables[match[1]] = match[2]
        elif word not in _BEFORE:
            rest = words[number:]
            break
    if rest and rest[0] == "export":
        variables |= {match[1]: match[2] for word in rest[1:] if (match := _ASSIGNED.fullmatch(word))}
    if rest:
        yield variables, tuple(rest), certain
