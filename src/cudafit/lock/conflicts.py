"""A conflict that uv finds, in the user's terms: which of the requirements stand in it, and where each was said."""

import re
from collections.abc import Iterable, Iterator

from cudafit.lock.uv import UvError
from cudafit.model.requirement import COMMAND_LINE, Wanted
from cudafit.system.secrets import redacted

_PLACES = 6
_UVS_WORDS = 6


def before_any_fit(error: UvError, wanted: Iterable[Wanted]) -> UvError:
    """No build was chosen yet that could be blamed."""
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
    return UvError(
        what,
        cause=[*places, *error.cause[:_UVS_WORDS]],
        hint="loosen one of them" if len(said) > 1 else "ask for another version of it",
        told=error.told,
    )


def _named(told: str, wanted: Iterable[Wanted]) -> Iterator[Wanted]:
    """Those that uv names, as they were asked for: what is bound before what is not."""
    found = [
        one
        for one in dict.fromkeys(wanted)
        if re.search(rf"(?<![\w.-]){re.escape(one.name)}(?![\w-])", told, re.IGNORECASE) and not one.url
    ]
    bound = [one for one in found if one.specifier]
    yield from (bound if len(bound) > 1 else found)[:_PLACES]
