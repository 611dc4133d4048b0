"""Names of packages that people get wrong, and what they meant."""

import re
from collections.abc import Sequence

from cudafit.errors import InputError
from cudafit.model.requirement import Wanted
from cudafit.resolve.problem import Library
from cudafit.resolve.request import Request
from cudafit.system.commands import command_text

_LIKE_ENOUGH = 0.86


def check(request: Request, library: Library) -> None:
    """Raises InputError for a name that must not be installed, and where a misspelt one is all there is."""
    for want in request.wanted:
        if means := library.means(want.name, "wrong"):
            note = next(row.note for row in library.facts.names if row.name == want.name and row.kind == "wrong")
            raise InputError(
                f"`{want.name}` is not the package that you want{_where(want)}",
                cause=[note or f"the package is called {' or '.join(means)}"],
                hint=f"`{command_text('cudafit', 'resolve', f'{means[0]}{want.specifier}')}`",
            )
        if local := next((extra for extra in want.extras if re.fullmatch(r"cuda\d*[-_]local", extra)), None):
            extra = re.split("[-_]", local)[0]
            raise InputError(
                f"`{want.text}` takes the CUDA libraries of the machine, and cudafit picks builds that bring theirs",
                hint=f"`{command_text('cudafit', 'resolve', f'{want.name}[{extra}]{want.specifier}')}`",
            )
    if any(library.knows(want.name) for want in request.wanted):
        return
    for want in request.wanted:
        if close := closest(want.name, library):
            raise InputError(
                f"the matrix has no package `{want.name}`{_where(want)}",
                cause=[f"`{close}` is one letter or two away"],
                hint=f"`{command_text('cudafit', 'resolve', f'{close}{want.specifier}')}`",
            )


def note(name: str, library: Library) -> str:
    """What to say of a package that is passed on."""
    if close := closest(name, library):
        return f"not in the matrix, passed on; did you mean `{close}`?"
    return "not in the matrix, passed on"


def closest(name: str, library: Library) -> str | None:
    """A package of ours whose name is nearly this one; many names of others begin as ours do, and are meant."""
    from difflib import SequenceMatcher  # noqa: PLC0415 - for unknown names only

    known: Sequence[str] = (*library.book.packages, *(row.name for row in library.facts.names if row.kind != "wrong"))
    ratios = {one: SequenceMatcher(None, name, one).ratio() for one in known if abs(len(one) - len(name)) <= 2}
    best = max(ratios, key=lambda one: ratios[one], default=None)
    if best is None or ratios[best] < _LIKE_ENOUGH:
        return None
    return best


def _where(want: Wanted) -> str:
    return "" if want.origin == "command line" else f" ({want.origin})"
