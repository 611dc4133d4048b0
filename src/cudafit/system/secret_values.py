"""Where a value ends that follows a name in a text: in the way of a shell, of JSON, of YAML, of Python."""

import re

_QUOTE = re.compile(r"\$?(\\{0,8})([\"'`])")
_WORD = re.compile(r"[^\s\"'`]*")
_ELEMENT = re.compile(r"[^<\n]*")
_BLOCK = re.compile(r"[|>][+-]?\d?[ \t]*(?=\n)")
_INDENTED = re.compile(r"(?:\n[ \t]+[^\n]*)*")
_NEXT_LINE = re.compile(r"\s{1,200}(?=[\"'])")
# `token: str | None = "..."`: what follows the colon is a type.
_TYPE = re.compile(r"(?:\[[^\]\n]{0,80}\]|[ \t]*\|[ \t]*[\w.]{1,80}){0,4}[ \t]*=(?!=)[ \t]*")
_BEHIND = ")]},;"


def value_end(text: str, at: int, begin: int, name_end: int, limit: int) -> tuple[int, int]:
    """From where to where the value goes that stands at `at`, behind a name from `begin` to `name_end`; it is not
    looked further than `limit`."""
    if text[at - 1] == ">" and text[begin] == "<":
        return at, _end(_ELEMENT, text, at, limit)
    if block := _BLOCK.match(text, at):
        return at, _end(_INDENTED, text, block.end(), limit)
    if text[at : at + 1].isspace() and (gap := _NEXT_LINE.match(text, at)):
        at = gap.end()
    around = text[begin - 1 : begin]
    if around and around in "\"'`" and text[name_end : name_end + 1] != around:
        if text.startswith(around, at):
            return at, at  # `API_KEY=`
        if not _QUOTE.match(text, at):
            return at, _closing(text, at, around, limit)
    start, end = _word(text, at, limit)
    if ":" in text[name_end:at] and (kind := _TYPE.match(text, end)):
        return start, _word(text, kind.end(), limit)[1]
    return start, end


def quoted_end(text: str, at: int, limit: int) -> tuple[int, int] | None:
    """The text in quotes that begins at `at`, without them; None where none does."""
    quote = _QUOTE.match(text, at)
    return (quote.end(), _closing(text, quote.end(), quote[1] + quote[2], limit)) if quote else None


def line_end(text: str, at: int, limit: int) -> int:
    end = text.find("\n", at, limit)
    return end if end >= 0 else limit


def _word(text: str, at: int, limit: int) -> tuple[int, int]:
    """As a shell reads it: texts in quotes and others that follow each other without a space are one word."""
    start, end = at, at
    if quote := _QUOTE.match(text, at):
        start, end = quote.end(), _closing(text, quote.end(), quote[1] + quote[2], limit)
        behind = end + len(quote[1] + quote[2])
        if not _goes_on(text, behind):
            return start, end
        start, end = at, behind
    else:
        end = _end(_WORD, text, at, limit)
    while end < limit and _goes_on(text, end):
        if quote := _QUOTE.match(text, end):
            end = _closing(text, quote.end(), quote[1] + quote[2], limit) + len(quote[1] + quote[2])
        else:
            end = _end(_WORD, text, end, limit)
    end = min(end, limit)
    while end > at + 1 and text[end - 1] in _BEHIND:
        end -= 1
    return start, end


def _goes_on(text: str, end: int) -> bool:
    """Behind a quote that closes, or before one that stands within a word."""
    following = text[end : end + 2]
    if not following or following[0].isspace():
        return False
    if following[0] in "\"'`":
        return len(following) > 1 and (following[1].isalnum() or following[1] in "\"'`") and following != '""'
    return following[0].isalnum() and text[end - 1 : end] in "\"'`"


def _closing(text: str, at: int, quote: str, limit: int) -> int:
    """Where the quote closes that was opened before `at`; where it does not, the end of the line."""
    end = text.find(quote, at, limit)
    while end >= 0 and _is_escaped(text, at, end):
        end = text.find(quote, end + 1, limit)
    return end if end >= 0 else line_end(text, at, limit)


def _is_escaped(text: str, start: int, at: int) -> bool:
    count = 0
    while at - count > start and text[at - count - 1] == "\\":
        count += 1
    return bool(count % 2)


def _end(pattern: re.Pattern[str], text: str, at: int, limit: int) -> int:
    match = pattern.match(text, at, limit)
    return match.end() if match else at
