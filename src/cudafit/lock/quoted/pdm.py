"""pdm.lock. Source: PDM's documentation of its lock, versions 4.4 to 4.5."""

from collections.abc import Iterator, Mapping
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from cudafit.lock.quoted.markers import platforms
from cudafit.lock.quoted.pinned import Lines, pin
from cudafit.lock.quoted.text import (
    Given,
    fragment_hash,
    package_of,
    packages_and_metadata,
    quote,
    sha256_of,
    tables_of,
    text_of,
)
from cudafit.model.declaration import Bound, Declaration
from cudafit.model.quoted import Pin, Quote, Quotes
from cudafit.model.requirement import Wanted, is_specifier


def read(given: Given) -> Quotes:
    packages, _ = packages_and_metadata(given.text, "PDM")
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


def held(path: str, text: str) -> Declaration:
    """The default group; others by their names."""
    packages, metadata = packages_and_metadata(text, "PDM")
    lines = Lines(path, text)
    wants: list[Wanted] = []
    groups: dict[str, list[Wanted]] = {}
    for row in packages:
        place = lines.next(text_of(row, "name"))
        if row.get("path") or row.get("git"):
            continue
        found = list(pin(row.get("name"), row.get("version"), place, text_of(row, "marker")))
        told = [one for one in row.get("groups") or ["default"] if isinstance(one, str)]
        wants += found if "default" in told else []
        for name in told:
            if name != "default":
                groups.setdefault(name, []).extend(found)
    bound = next((text_of(row, "requires_python") for row in tables_of(metadata.get("targets"))), "")
    return Declaration(
        path,
        "pdm.lock",
        wanted=tuple(dict.fromkeys(wants)),
        groups={name: tuple(found) for name, found in groups.items()},
        python=(Bound(bound.replace(" ", ""), path),) if is_specifier(bound) and bound else (),
        files=(path,),
    )


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
