"""Foreign text, made harmless at the place where it leaves.

Names of files and packages, values of variables, what a driver or a program answered: anybody may have written it. None
of it may command a terminal (escape sequences, C1 controls), begin a line of its own (which a CI log would read as a
workflow command), turn the text around it (bidirectional controls), or hide (characters without a shape).
"""

import re
from functools import cache

# Controls (Cc); line and paragraph separators; what turns text around or has no shape (Cf, without the joiners U+200C
# and U+200D, which scripts and emoji need); interlinear annotations; tags; lone surrogates: bytes that are no UTF-8;
# and the two that XML does not take.
_COMMANDING = (
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\U000e0000-\U000e007f]"
)
# What the log of a CI reads as a command of its own: `::error ::` after nothing but blanks, `##[error]` and `##vso[`
# anywhere. Source: `TryParseV2` and `TryParse` of GitHub's runner (ActionCommand.cs), Azure Pipelines' "Logging
# commands".
_LOGGING = r"^(\s*):(?=:)|#(?=#(?:vso)?\[)"
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def harmless(text: str) -> str:
    """The text on one line, with every character spelled out that would do something other than show itself."""
    shown = text if text.isprintable() else _commanding().sub(_spelled, text)
    return re.sub(_LOGGING, _of_no_log, shown) if "::" in shown or "##" in shown else shown


def harmless_lines(text: str) -> str:
    """The same for a text whose line ends and tabs are our own."""
    return "\n".join("\t".join(harmless(part) for part in line.split("\t")) for line in text.split("\n"))


def is_plain(text: str) -> bool:
    """Whether each of its characters shows itself, and does nothing else: what a line of a file may hold."""
    return text.isprintable() or not _commanding().search(text)


@cache
def _commanding() -> re.Pattern[str]:
    """Made when something is there that is not printable: most texts have nothing of it."""
    return re.compile(_COMMANDING)


def _of_no_log(match: re.Match[str]) -> str:
    return f"{match[1] or ''}\\x{ord(match[0][-1]):02x}"


def _spelled(match: re.Match[str]) -> str:
    sign = match[0]
    number = ord(sign)
    if 0xDC80 <= number <= 0xDCFF:  # how Python shows a byte of a file's name that is no UTF-8
        number -= 0xDC00
    if sign in _SHORT:
        return _SHORT[sign]
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
