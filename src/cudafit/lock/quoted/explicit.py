"""`@EXPLICIT` lists: `ADDRESS#HASH`, sha256 with or without its name before it, or md5. Source: conda."""

import re
from collections.abc import Iterator

from cudafit.lock.quoted.conda_files import by_address
from cudafit.lock.quoted.text import FormatError, Given, sha256_of
from cudafit.model.quoted import CondaQuote, Quotes

MARK = re.compile(r"^@EXPLICIT\s*$", re.M)


def read(given: Given) -> Quotes:
    mark = MARK.search(given.text)
    quotes = tuple(_quotes(given.text[mark.end() :], given)) if mark else ()
    if not quotes:
        raise FormatError("there is no line `@EXPLICIT` with packages below")
    return Quotes(conda=quotes)


def _quotes(text: str, given: Given) -> Iterator[CondaQuote]:
    for line in map(str.strip, text.splitlines()):
        url, _, told = line.partition("#")
        if url and (found := by_address(url, sha256_of(f"sha256:{told.removeprefix('sha256:')}"), (), given.source)):
            yield found
