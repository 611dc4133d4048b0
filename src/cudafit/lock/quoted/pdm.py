"""pdm.lock. Source: PDM's documentation of its lock, versions 4.4 to 4.5."""

from collections.abc import Iterator, Mapping
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from cudafit.lock.quoted.markers import platforms
from cudafit.lock.quoted.text import FormatError, Given, fragment_hash, package_of, quote, sha256_of, tables_of, text_of
from cudafit.model.quoted import Pin, Quote, Quotes
from cudafit.system.toml import read_toml


def read(given: Given) -> Quotes:
    lock = read_toml(given.text)
    packages = list(tables_of(lock.get("package")))
    if not isinstance(lock.get("metadata"), dict) or not packages:
        raise FormatError("it has no packages as PDM writes them")
    wheels: list[Quote] = []
    pins: list[Pin] = []
    for row in packages:
        name = package_of(row.get("name"))
        if name is None or row.get("path") or row.get("git"):
            continue
        for file in tables_of(row.get("files")):
            # With static_urls there is an address in place of a name.
            address = text_of(file, "url") or text_of(file, "file")
            told = sha256_of(file.get("hash")) or fragment_hash(address)
            found = quote(name, address, told, given.source)
            wheels += [found] if found else []
        pins += _pins(row, name, given)
    return Quotes(tuple(wheels), tuple(pins))


def _pins(row: Mapping[str, Any], name: str, given: Given) -> Iterator[Pin]:
    needed = row.get("dependencies")
    for line in needed if isinstance(needed, list) else ():
        try:
            wanted = Requirement(line)
        except (InvalidRequirement, TypeError):
            continue
        if wanted.url or not wanted.specifier:
            continue
        extras = f"[{','.join(sorted(wanted.extras))}]" if wanted.extras else ""
        specifier = ",".join(sorted(str(one) for one in wanted.specifier))
        for platform in platforms(str(wanted.marker) if wanted.marker else ""):
            yield Pin(
                package=name,
                version=text_of(row, "version"),
                platform=platform,
                requirement=f"{package_of(wanted.name)}{extras}{specifier}",
                source=given.source,
                exact=True,
            )
