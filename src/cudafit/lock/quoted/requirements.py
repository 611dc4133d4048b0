"""Requirements with hashes: those with an address tell which file a hash is of, a pin with several hashes does not."""

import re

from cudafit.lock.integrity import file_name
from cudafit.lock.lines import logical_lines, option_of
from cudafit.lock.quoted.text import FormatError, Given, fragment_hash, package_of, quote, sha256_of
from cudafit.model.quoted import Quote, Quotes

_NAME = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?", re.ASCII)
_ADDRESS = re.compile(r"https?://\S+", re.ASCII)


def read(given: Given) -> Quotes:
    wheels: list[Quote] = []
    hashes = 0
    for line in logical_lines(given.text):
        plain, *options = map(str.strip, re.split(r"\s(?=--[a-z])", line))
        told = [value for name, value in map(option_of, options) if name == "--hash"]
        name_part, _, rest = plain.partition("@") if not _ADDRESS.match(plain) else ("", "", plain)
        named = _NAME.fullmatch("".join(name_part.split()))
        match = _ADDRESS.match(rest.strip()) if named or not name_part else None
        hashes += len(told) + bool(match)
        if match is None:
            continue
        address = match[0]
        name = package_of(named[1] if named else file_name(address.partition("#")[0]).partition("-")[0])
        digest = fragment_hash(address) or (sha256_of(told[0]) if len(told) == 1 else None)
        found = quote(name, address, digest, given.source) if name else None
        wheels += [found] if found else []
    if not hashes:
        raise FormatError("it has no hashes and no addresses")
    return Quotes(tuple(wheels))
