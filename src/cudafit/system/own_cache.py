"""Where cudafit keeps what can be made again: below the user's cache folder."""

import os
from collections.abc import Mapping


def own_cache(environ: Mapping[str, str], room: str) -> str:
    """The folder of one kind of such things, which need not be there."""
    home = environ.get("HOME") or os.path.expanduser("~")
    return os.path.join(environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"), "cudafit", room)
