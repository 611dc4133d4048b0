"""Python that others wrote, parsed and never run: the only place that does."""

import ast
import re
import warnings
from typing import Literal, overload

from cudafit.system.python310 import possessive

# What the parser has to say of the code (an escape that is none, `is` with a number) is its author's business. It is
# silenced by the name of the file: unlike `catch_warnings`, which swaps the filters of the whole process, that neither
# races with other threads nor costs more than a look at the first filter.
_NAME = "<code of others>"
# Python's parser takes time by the square of the parts of a name that is imported; 20,000 of them are 40 kB.
_PARTS = 200
_LONG_NAME = re.compile(possessive(rf"(?<!\w)[^\W\d]\w*+[\s\\]*+\.(?:[\s\\]*+[^\W\d]\w*+[\s\\]*+\.){{{_PARTS}}}"))


@overload
def parsed(text: str) -> ast.Module: ...


@overload
def parsed(text: str, mode: Literal["eval"]) -> ast.Expression: ...


def parsed(text: str, mode: str = "exec") -> ast.AST:
    """Raises SyntaxError, ValueError, RecursionError and MemoryError."""
    if text.count(".") > _PARTS and _may_be_long(text) and _LONG_NAME.search(text):
        raise ValueError(f"it has a name of more than {_PARTS} parts")
    if not warnings.filters or getattr(warnings.filters[0][3], "pattern", None) != _NAME:
        warnings.filterwarnings("ignore", module=_NAME)
    return ast.parse(text, _NAME, mode)


def _may_be_long(text: str) -> bool:
    """A quick look: such a name stands in one line, or in several that are joined by a backslash."""
    joined = text.replace("\\\r\n", "").replace("\\\n", "").replace("\\\r", "") if "\\" in text else text
    lines = joined.split("\n")
    if max(map(len, lines)) <= _PARTS:
        return False
    return any(len(line) > _PARTS and line.count(".") > _PARTS for line in lines)
