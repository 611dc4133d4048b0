"""A line as it comes to a line as it was written: without what a terminal, a launcher or a journal put around it."""

import re

from cudafit.system.python310 import possessive

LONGEST = 4096  # of a line that is looked at as one; a longer one is cut into such pieces

_ESCAPES = re.compile("\x1b(?:\\[[0-?]{0,20}[ -/]{0,4}[@-~]|\\][^\x07\x1b]{0,200}(?:\x07|\x1b\\\\)?|[@-Z\\\\^_a-z])")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
# Grave and acute accents, and the quotes of typography.
_QUOTES = str.maketrans(dict.fromkeys('"`\u00b4\u2018\u2019\u201a\u201b\u201c\u201d\u201e', "'"))
_ENTITIES = {"&gt;": ">", "&lt;": "<", "&nbsp;": " ", "&amp;": "&", **dict.fromkeys(("&quot;", "&#39;", "&#x27;"), "'")}
_BLANKS = re.compile(r"\s+")
_DATE = r"\d{4}[-/]\d{2}[-/]\d{2}[t ]\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?:z|[+-]\d{2}:?\d{2})?"
# What stands in front of what a program wrote: each is taken away as long as one is there.
_PREFIXES = re.compile(
    possessive(
        r"(?:"
        r"\[(?:rank)?\d{1,5}(?:,\d{1,5})?\](?:<std(?:err|out)>)?:?|\d{1,4}: (?=\S)"
        r"|\((?:\w{1,40} )?pid=\d{1,9}[^)]{0,60}\)"
        r"|[\w.-]{1,60} {1,20}\| |[|>│] |e {2,6}(?=\S)"
        rf"|{_DATE}(?: std(?:err|out) [fp])?"
        r"|(?:mon|tue|wed|thu|fri|sat|sun) [a-z]{3} {1,2}\d{1,2} [\d:]{8} \d{4}"
        r"|[a-z]{3} {1,2}\d{1,2} \d{2}:\d{2}:\d{2} [\w.-]{1,60} (?:[\w.@/-]{1,60}(?:\[\d{1,9}\])?:)?"
        r"|\[ {0,8}\d{1,9}\.\d{1,9}\]|\[(?:mon|tue|wed|thu|fri|sat|sun) [^\]]{10,30}\]"
        r"|kernel:|nvrm:|#\d{1,4} \d{1,6}\.\d{1,4}"
        r"|(?:error|warning|info|debug|e|w|i|d|f) {1,4}(?:\d{2}-\d{2} [\d:]{8}|\d{1,9}) \[[\w./:]{1,80}\]"
        r")\s{0,40}"
    ),
    re.IGNORECASE,
)


def plain(line: str) -> str:
    """One blank between words, `'` for every quote, nothing in front that the program did not write."""
    if "\x1b" in line:
        line = _ESCAPES.sub("", line)
    if not line.isprintable():
        line = _CONTROLS.sub(" ", line)
    if "&" in line:
        for entity, sign in _ENTITIES.items():
            line = line.replace(entity, sign)
    line = _BLANKS.sub(
        " ", line.replace("^M", " ").replace("\\\\n", " ").translate(_QUOTES).replace("\\'", "'")
    ).strip()
    for _ in range(6):
        found = _PREFIXES.match(line)
        if not found or not found[0]:
            break
        line = line[found.end() :]
    return line


def broken(text: str) -> list[str]:
    """The lines within a line: what a journal wrote as `#012`, and what a progress bar was written over by."""
    if "#012" in text:
        text = text.replace("#012", "\r")
    return [part for part in text.split("\r") if part] if "\r" in text else [text]


def joined_where_wrapped(lines: list[str]) -> list[tuple[int, str]]:
    """Each line with its number; what a terminal of fixed width broke in two is one again.

    A width shows in two lines that are as long as the longest, and have no table's frame.
    """
    width = max(map(len, lines), default=0)
    full = [len(line) == width and line[-1:] not in "|+=-#* " for line in lines]
    if not 60 <= width <= 400 or sum(full) < 2:
        return list(enumerate(lines, 1))
    made: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        if number > 1 and full[number - 2] and made and line[:1].strip() and len(made[-1][1]) < LONGEST:
            made[-1] = made[-1][0], made[-1][1] + line
        else:
            made.append((number, line))
    return made
