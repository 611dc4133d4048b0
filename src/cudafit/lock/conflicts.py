"""A conflict that uv finds, in the user's terms: which of the requirements stand in it, and where each was said."""

import re
from collections.abc import Iterable, Iterator, Sequence

from cudafit.lock.uv import UvError
from cudafit.model.requirement import COMMAND_LINE, NEEDED_BY, Wanted
from cudafit.system.secrets import redacted

_PLACES = 6
_UVS_WORDS = 6


def before_any_fit(error: UvError, wanted: Iterable[Wanted], learnt: Sequence[Wanted] = ()) -> UvError:
    """No build was chosen yet that could be blamed. `learnt` is what is needed without the bounds that stand in it."""
    if not error.is_conflict:
        return error
    said = list(_named(error.told, wanted))
    texts = [f"`{redacted(one.text)}`" for one in said]
    if len(texts) > 1:
        what = f"{', '.join(texts[:-1])} and {texts[-1]} do not go together"
    elif texts:
        what = f"{texts[0]} cannot be had with what else is asked for"
    else:
        what = "what is asked for does not go together"
    places = [f"`{redacted(one.text)}` stands in {one.origin}" for one in said if one.origin != COMMAND_LINE]
    needed = sorted(learnt, key=lambda one: one.constraint)  # what only limits a part of another last
    told = [f"without that, {one.origin.removeprefix(NEEDED_BY)} needs `{one.text}`" for one in needed][:_PLACES]
    return UvError(
        what,
        cause=[*places, *error.cause[:_UVS_WORDS], *told],
        hint="loosen one of them" if len(said) > 1 else "ask for another version of it",
        told=error.told,
        learnt=learnt,
    )


def in_conflict(error: UvError, wanted: Iterable[Wanted]) -> tuple[Wanted, ...]:
    """Those of the requirements that uv names."""
    return tuple(_found(error.told, wanted))


def _found(told: str, wanted: Iterable[Wanted]) -> Iterator[Wanted]:
    for one in dict.fromkeys(wanted):
        if not one.url and re.search(rf"(?<![\w.-]){re.escape(one.name)}(?![\w-])", told, re.IGNORECASE):
            yield one


def _named(told: str, wanted: Iterable[Wanted]) -> Iterator[Wanted]:
    """Those that uv names, as they were asked for: what is bound before what is not."""
    found = list(_found(told, wanted))
    bound = [one for one in found if one.specifier]
    yield from (bound if len(bound) > 1 else found)[:_PLACES]
