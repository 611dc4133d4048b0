"""The matrix's name of the index that a quoted wheel is from: by its addresses, else by the mark in its version."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from cudafit.model.matrix import DEFAULT_INDEX, Index

PYTORCH = "pytorch"  # the folder above PyTorch's indexes, whose files all of them show


class Places:
    """`defaults` are addresses of the default index: the user's own, and the installers'."""

    def __init__(self, indexes: Iterable[Index], defaults: Iterable[str]) -> None:
        rows = [index for index in indexes if index.url]
        self._names = {index.name for index in rows}
        self._by_place: Mapping[tuple[str, str], str] = {_place(index.url or ""): index.name for index in rows}
        self._defaults = {_place(address) for address in defaults}

    def name_of(self, told: str | None, places: Iterable[str], local: str) -> str | None:
        """None for an index of which the matrix tells nothing. An address that is empty is the default index's."""
        if told is not None:
            return told if told in self._names else None
        found = [_place(place) for place in places]
        for place in found:
            if place in self._by_place:
                return self._by_place[place]
        if any(place in self._defaults or place == ("", "") for place in found):
            return DEFAULT_INDEX
        by_mark = f"{PYTORCH}-{local}"
        return by_mark if not found and by_mark in self._names else None


def _place(address: str) -> tuple[str, str]:
    """The site and the path: an index and its files lie on hosts of one owner. Source: PyTorch's, whose pages name
    files on another host of the same domain."""
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").lower()
    except ValueError:
        return ("?", address)
    site = host if re.fullmatch(r"[\d.]+", host) else ".".join(host.split(".")[-2:])
    return (f"{site}:{parts.port}" if parts.port else site, parts.path.rstrip("/"))
