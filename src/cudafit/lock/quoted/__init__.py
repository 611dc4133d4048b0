"""What a lock of any tool quotes of wheels and of conda's packages, for the facts: it need not be a lock that cudafit
writes or installs. Each module reads one format.
"""

import re
from collections.abc import Callable

from cudafit.errors import InputError
from cudafit.lock.quoted import conda_lock, explicit, pdm, pixi, poetry, pylock, requirements, tables, uv
from cudafit.lock.quoted.text import FormatError, Given
from cudafit.model.quoted import Quotes
from cudafit.system.parsing import reason

_READERS: tuple[tuple[str, Callable[[Given], Quotes]], ...] = (
    (r"(.*[-_.])?uv([-_.].*)?\.lock", uv.read),
    (r"poetry([-_.].*)?\.lock", poetry.read),
    (r"pdm([-_.].*)?\.lock", pdm.read),
    (r"pylock(\..*)?\.toml", pylock.read),
    (r"pixi([-_.].*)?\.lock", pixi.read),
    (r"(.*[-_.])?conda-lock([-_.].*)?\.ya?ml", conda_lock.read),
    (r"conda-.*\.lock", explicit.read),
    (r".*\.csv", tables.read),
    (r".*\.(txt|in)", requirements.read),
)
FORMATS = (
    "uv.lock, poetry.lock, pdm.lock, pylock.toml, requirements with hashes, pixi.lock, conda-lock.yml, explicit lists, "
    "conda-meta folders, and tables (.csv)"
)


def read_quotes(given: Given) -> Quotes:
    """Raises InputError for a file that is no lock of a known kind, or broken."""
    name = given.name.lower()
    for pattern, read in _READERS:
        if re.fullmatch(pattern, name):
            try:
                return explicit.read(given) if explicit.MARK.search(given.text) else read(given)
            except (FormatError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
                raise InputError(f"`{given.path}` cannot be read as a lock: {reason(error)}") from None
    raise InputError(f"`{given.path}` is no lock that is known by its name", hint=f"known are {FORMATS}")
