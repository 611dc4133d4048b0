"""poetry.lock. Source: poetry's documentation, and lock files of versions 1.1 and 2.x."""

from collections.abc import Iterator, Mapping
from typing import Any

from cudafit.lock.quoted.markers import platforms
from cudafit.lock.quoted.pinned import Lines, of_index, pin, source_text
from cudafit.lock.quoted.text import Given, package_of, packages_and_metadata, quote, sha256_of, tables_of, text_of
from cudafit.model.declaration import Bound, Declaration, Source
from cudafit.model.quoted import Pin, Quote, Quotes
from cudafit.model.requirement import Wanted, is_specifier


def read(given: Given) -> Quotes:
    packages, metadata = packages_and_metadata(given.text, "poetry")
    older = metadata.get("files")
    wheels: list[Quote] = []
    pins: list[Pin] = []
    for row in packages:
        name = package_of(row.get("name"))
        places = _places(row)
        if name is None or places is None:
            continue
        files = row.get("files") or (older.get(row["name"]) if isinstance(older, dict) else None)
        for file in tables_of(files):
            found = quote(name, text_of(file, "file"), sha256_of(file.get("hash")), given.source, *places)
            wheels += [found] if found else []
        pins += _pins(row, name, places, given)
    return Quotes(tuple(wheels), tuple(pins))


def held(path: str, text: str) -> Declaration:
    """The main group; what is optional or for developers is a group."""
    packages, metadata = packages_and_metadata(text, "poetry")
    lines = Lines(path, text)
    wants: list[Wanted] = []
    sources: list[Source] = []
    groups: dict[str, list[Wanted]] = {}
    for row in packages:
        place = lines.next(text_of(row, "name"))
        found = list(pin(row.get("name"), row.get("version"), place, _marker(row)))
        told = [one for one in row.get("groups") or [text_of(row, "category") or "main"] if isinstance(one, str)]
        if "main" in told and not row.get("optional"):
            wants += found
        for name in told:
            if name != "main":
                groups.setdefault(name, []).extend(found)
        sources += of_index(package_of(row.get("name")) or "", source_text(row, "url"), place)
    bound = text_of(metadata, "python-versions")
    return Declaration(
        path,
        "poetry.lock",
        wanted=tuple(wants),
        groups={name: tuple(found) for name, found in groups.items()},
        python=(Bound(bound.replace(" ", ""), path),) if is_specifier(bound) and bound else (),
        sources=tuple(sources),
        files=(path,),
    )


def _marker(row: Mapping[str, Any]) -> str:
    """Since 2.0; where it differs by group, that of the main one."""
    told = row.get("markers")
    return told if isinstance(told, str) else text_of(told, "main") if isinstance(told, dict) else ""


def _places(row: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The index, which is the default one where none is named; None for what comes from no index."""
    source = row.get("source")
    if source is None:
        return ("",)
    if not isinstance(source, dict):
        return None
    url = text_of(source, "url")
    if source.get("type") == "url":
        return (url.rpartition("/")[0],)
    return (url,) if source.get("type") == "legacy" else None


def _pins(row: Mapping[str, Any], name: str, places: tuple[str, ...], given: Given) -> Iterator[Pin]:
    """As the wheel's own metadata has them."""
    needed = row.get("dependencies")
    for other, told in needed.items() if isinstance(needed, dict) else ():
        package = package_of(other)
        for one in told if isinstance(told, list) else [told]:
            version = one if isinstance(one, str) else text_of(one, "version") if isinstance(one, dict) else ""
            marker = text_of(one, "markers") if isinstance(one, dict) else ""
            if package is None or not version or version == "*":
                continue
            if isinstance(one, dict) and one.get("optional"):
                continue
            specifier = version.replace(" ", "")
            specifier = specifier if specifier[0] in "<>=!~" else f"=={specifier}"
            for platform in platforms(marker):
                yield Pin(
                    package=name,
                    version=text_of(row, "version"),
                    platform=platform,
                    requirement=f"{package}{specifier}",
                    source=given.source,
                    exact=True,
                    places=places,
                )
