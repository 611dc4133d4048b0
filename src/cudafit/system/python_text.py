"""Python that others wrote, parsed and never run: the only place that does."""

import ast
import warnings
from typing import Literal, overload

# What the parser has to say of the code (an escape that is none, `is` with a number) is its author's business. It is
# silenced by the name of the file: unlike `catch_warnings`, which swaps the filters of the whole process, that neither
# races with other threads nor costs more than a look at the first filter.
_NAME = "<code of others>"


@overload
def parsed(text: str) -> ast.Module: ...


@overload
def parsed(text: str, mode: Literal["eval"]) -> ast.Expression: ...


def parsed(text: str, mode: str = "exec") -> ast.AST:
    """Raises SyntaxError, ValueError, RecursionError and MemoryError."""
    if not warnings.filters or getattr(warnings.filters[0][3], "pattern", None) != _NAME:
        warnings.filterwarnings("ignore", module=_NAME)
    return ast.parse(text, _NAME, mode)
