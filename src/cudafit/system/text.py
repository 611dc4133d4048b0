"""Foreign text, made harmless at the place where it leaves.

Names of files and packages, values of variables, what a driver or a program answered: anybody may have written it. None
of it may command a terminal (escape sequences, C1 controls), begin a line of its own (which a CI log would read as a
workflow command), turn the text around it (bidirectional controls), or hide (characters without a shape).
"""

import re

# Controls (Cc); line and paragraph separators; what turns text around or has no shape (Cf, without the joiners U+200C
# and U+200D, which scripts and emoji need); interlinear annotations; tags; lone surrogates: bytes that are no UTF-8.
_COMMANDING = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def harmless(text: str) -> str:
    """The text on one line, with every character spelled out that would do something other than show itself."""
    return text if text.isprintable() else _COMMANDING.sub(_spelled, text)


def harmless_lines(text: str) -> str:
    """The same for a text whose line ends and tabs are our own."""
    return "\n".join("\t".join(harmless(part) for part in line.split("\t")) for line in text.split("\n"))


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
