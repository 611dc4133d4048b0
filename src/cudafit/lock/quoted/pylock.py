"""pylock.toml (PEP 751)."""

from cudafit.lock.pylock_file import hashes_of, name_of, read_pylock
from cudafit.lock.quoted.text import Given, quote, sha256_of
from cudafit.model.quoted import Quote, Quotes


def read(given: Given) -> Quotes:
    wheels: list[Quote] = []
    for package in read_pylock(given.text).packages:
        for wheel in package.wheels or ():
            told = hashes_of(wheel).get("sha256")
            found = quote(
                str(package.name),
                wheel.url or name_of(wheel),
                sha256_of(f"sha256:{told}"),
                given.source,
                package.index or "",
            )
            wheels += [found] if found else []
    return Quotes(tuple(wheels))
