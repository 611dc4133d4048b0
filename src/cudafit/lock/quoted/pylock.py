"""pylock.toml (PEP 751)."""

from cudafit.lock.pylock_file import hashes_of, name_of, read_pylock
from cudafit.lock.quoted.pinned import Lines, of_index, pin
from cudafit.lock.quoted.text import Given, quote, sha256_of
from cudafit.model.declaration import Bound, Declaration, Source
from cudafit.model.quoted import Quote, Quotes
from cudafit.model.requirement import Wanted


def held(path: str, text: str) -> Declaration:
    lock = read_pylock(text)
    lines = Lines(path, text)
    wants: list[Wanted] = []
    sources: list[Source] = []
    for package in lock.packages:
        place = lines.next(str(package.name))
        marker = str(package.marker) if package.marker else ""
        wants += pin(str(package.name), str(package.version or ""), place, marker)
        sources += of_index(str(package.name), package.index or "", place, marker)
    bound = str(lock.requires_python or "")
    python = (Bound(bound, path),) if bound else ()
    return Declaration(path, "pylock", wanted=tuple(wants), python=python, sources=tuple(sources), files=(path,))


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
