"""What Python 3.10 lacks, in one place: when 3.10 goes, so does this module.

Ubuntu 22.04 has it, on which many machines with GPUs run. (What reads TOML there is the concern of `toml`.)
"""

import re
import sys
from collections.abc import Sequence
from functools import cache
from typing import NoReturn

if sys.version_info >= (3, 11):
    from typing import assert_never

    def possessive(pattern: str) -> str:
        """A pattern with repetitions that give nothing back (`*+`), which `re` reads from 3.11 on."""
        return pattern

    def safe_words(words: Sequence[str]) -> list[str]:
        """For a Python that is started: neither the current folder nor that of the script is searched for modules."""
        return ["-P", *words]

else:

    def assert_never(value: NoReturn, /) -> NoReturn:
        raise AssertionError(f"no case is left for {value!r}")

    @cache
    def possessive(pattern: str) -> str:
        return without_possessive(pattern)

    def safe_words(words: Sequence[str]) -> list[str]:
        return safe_words_before_311(words)


__all__ = ["assert_never", "possessive", "safe_words", "safe_words_before_311", "without_possessive"]


def safe_words_before_311(words: Sequence[str]) -> list[str]:
    """`-P` in the words of an older Python: `-c CODE`, `-m MODULE` or a script, and what it is given."""
    start = "import sys; del sys.path[0]; "
    if words[0] == "-c":
        return ["-c", f"{start}exec({words[1]!r})", *words[2:]]
    if words[0] == "-m":
        return ["-c", f"{start}import runpy; runpy.run_module({words[1]!r}, None, '__main__', True)", *words[2:]]
    return ["-c", f"{start}import runpy; runpy.run_path({words[0]!r}, None, '__main__')", *words[1:]]


# The parts of a pattern that are read as one: a set, what is escaped, the beginning of a group, any sign.
_SET = r"\[\^?\]?(?:\\.|[^\\\]])*(?:\]|\Z)"
_GROUP = r"\((?:\?(?:P<\w+>|<?[=!]|:|[a-zA-Z-]+:|\(\w+\)))?"
_PART = rf"(?s)(?P<atom>{_SET}|\\.|\(\?(?:P=\w+|[a-zA-Z]+)\))|(?P<open>{_GROUP})|(?P<any>.)"
_TIMES = r"[*+?]|\{\d*(?:,\d*)?\}"
_CAPTURE = rf"(?s)({_SET}|\\.)|\((?:\?P<\w+>|(?!\?))"


def without_possessive(pattern: str) -> str:
    """The same pattern without possessive repetitions: as many as there are, and then none.

    That is the same where the parts of what is repeated exclude each other, so that it can be read in one way only.
    Going back over it costs as much again as reading it, and finds nothing.
    """
    open_groups: list[list[str]] = [[]]
    at = 0
    parts, repeats = re.compile(_PART), re.compile(_TIMES)  # only where the Python is so old
    while at < len(pattern):
        part = parts.match(pattern, at)
        assert part is not None  # noqa: S101 - any sign is one
        at = part.end()
        if part["open"]:
            open_groups.append([part["open"]])
            continue
        text = "".join(open_groups.pop()) + ")" if part["any"] == ")" else part[0]
        if times := None if text == "|" else repeats.match(pattern, at):
            at = times.end()
            sign = pattern[at : at + 1]
            at += sign in ("+", "?") and bool(sign)
            text = _all_of(text, times[0]) if sign == "+" else text + times[0] + ("?" if sign == "?" else "")
        open_groups[-1].append(text)
    return "".join(open_groups[0])


def _all_of(part: str, times: str) -> str:
    no_more = f"(?!{re.sub(_CAPTURE, lambda found: found[1] or '(?:', part)})"
    if times == "?":
        return f"(?:{part}|{no_more})"
    least, comma, most = times.strip("{}").partition(",")
    if times in ("*", "+") or (comma and not most):
        return f"{part}{times}{no_more}"
    if not comma or least == most:
        return f"{part}{times}"
    return f"(?:{part}{{{most}}}|{part}{{{least},{int(most) - 1}}}{no_more})"
