"""TOML of others: the only place that reads it, with what the libraries themselves do not bound.

A key of 20,000 dotted parts is a file of 40 kB, and keeps tomllib busy for many seconds: its time grows with the square
of the parts. tomlkit, which keeps comments and order, needs up to a minute for a megabyte.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cudafit.system.python310 import possessive

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

_LIMIT = 16 << 20  # locks of whole projects have a few
_DOCUMENT_LIMIT = 128 << 10  # of one that people write
_PARTS = 100  # as tomlkit has it
# Comments, and texts of one line and of many; what does not end goes to the end, so that nothing is gone over twice.
_NO_BARE_KEY = re.compile(
    possessive(
        r"#[^\n]*+"
        r'|"""(?:[^"\\]|\\.|"(?!""))*+(?:"""|\Z)'
        r"|'''(?:[^']|'(?!''))*+(?:'''|\Z)"
        r'|(")(?:[^"\\\n]|\\[^\n])*+"?'
        r"|(')[^'\n]*+'?"
    ),
    re.DOTALL,
)
_LONG_KEY = re.compile(possessive(rf"(?<![\w-])[\w-]++(?:[ \t]*+\.[ \t]*+[\w-]++){{{_PARTS}}}"), re.ASCII)


class TomlError(ValueError):
    """What is no TOML, or no TOML that anybody writes; as one line."""


def read_toml(data: str | bytes) -> dict[str, Any]:
    """Raises TomlError."""
    text = _text(data, _LIMIT)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TomlError(str(error)) from None
    except RecursionError:
        raise TomlError("it is nested too deeply") from None
    except ValueError:  # an integer of more digits than Python reads
        raise TomlError("it holds a number that is too long") from None


def read_document(text: str) -> "TOMLDocument":
    """The same with its comments and its order, to be changed and written; raises TomlError."""
    import tomlkit  # noqa: PLC0415 - for files that are written alone
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415

    _text(text, _DOCUMENT_LIMIT)
    read_toml(text)  # tomlkit takes some texts that are none, and fails in its own ways on others
    try:
        return tomlkit.parse(text)
    except (TOMLKitError, ValueError, RecursionError) as error:
        raise TomlError(str(error).partition("\n")[0]) from None


def toml_text(table: Mapping[str, Any]) -> str:
    """TOML from data."""
    import tomlkit  # noqa: PLC0415 - for files that are written alone

    return tomlkit.dumps(table)


def inline(**values: Any) -> Any:
    """A table in one line, spaced as people write it, for `toml_text` and for a document."""
    import tomlkit  # noqa: PLC0415 - for files that are written alone

    written = ", ".join(f"{key} = {tomlkit.item(value).as_string()}" for key, value in values.items())
    return tomlkit.value(f"{{ {written} }}")


def listed(values: Sequence[Any]) -> Any:
    """A list whose tables stay in it, one a line; tomlkit would make headings of them."""
    import tomlkit  # noqa: PLC0415 - for files that are written alone

    texts = [tomlkit.item(value).as_string() for value in values]
    return tomlkit.value("[\n" + "".join(f"  {text},\n" for text in texts) + "]")


def _text(data: str | bytes, limit: int) -> str:
    if len(data) > limit:
        raise TomlError(f"it is larger than {limit >> 10} KiB")
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
    except UnicodeDecodeError:
        raise TomlError("it is not UTF-8 text") from None
    if _has_long_key(text):
        raise TomlError(f"it has a key of more than {_PARTS} parts")
    return text


def _has_long_key(text: str) -> bool:
    """Most files have no line with as many dots, and need no closer look."""
    if not any(line.count(".") >= _PARTS for line in text.split("\n")):
        return False
    bare = _NO_BARE_KEY.sub(lambda match: "x" if match[1] or match[2] else "", text)
    return any(_LONG_KEY.search(line) for line in bare.split("\n"))
