"""The page of a finding."""

import os
from difflib import get_close_matches

from cudafit import shipped
from cudafit.errors import InputError
from cudafit.system.reading import read_text

_LONGEST = 1 << 20


def known_ids() -> list[str]:
    return sorted(name.removesuffix(".md") for name in os.listdir(_folder()) if name.endswith(".md"))


def page(name: str) -> str:
    """What it means, how it is detected, what to do by hand; raises InputError for a finding that there is not."""
    known = known_ids()
    if name not in known:
        near = [one for one in known if name and name in one][:3] or get_close_matches(name, known, n=3, cutoff=0.7)
        hint = f"did you mean {' or '.join(f'`{one}`' for one in near)}?" if near else "`cudafit explain` lists all"
        raise InputError(f"no finding is called `{name}`", hint=hint)
    return read_text(os.path.join(_folder(), f"{name}.md"), _LONGEST)


def _folder() -> str:
    return shipped.folder("docs/findings")
