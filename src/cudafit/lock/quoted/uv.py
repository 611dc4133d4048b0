"""uv.lock. Source: uv's documentation of its lock, and uv.lock files of version 1."""

from collections.abc import Iterator, Mapping
from typing import Any

from cudafit.lock.quoted.markers import platforms
from cudafit.lock.quoted.pinned import Lines, both, either, of_index, pin, source_text
from cudafit.lock.quoted.text import FormatError, Given, package_of, quote, sha256_of, tables_of, text_of
from cudafit.model.declaration import Bound, Declaration, Source
from cudafit.model.quoted import Pin, Quote, Quotes
from cudafit.model.requirement import Wanted
from cudafit.system.toml import read_toml

_MOST_STEPS = 100_000


def read(given: Given) -> Quotes:
    lock, packages = _parsed(given.text)
    overridden = set(_overridden(lock))
    versions = _versions(packages)
    wheels: list[Quote] = []
    pins: list[Pin] = []
    for row in packages:
        name, registry = package_of(row.get("name")), _registry(row)
        if name is None or registry is None:
            continue
        for wheel in tables_of(row.get("wheels")):
            found = quote(name, text_of(wheel, "url"), sha256_of(wheel.get("hash")), given.source, registry)
            wheels += [found] if found else []
        pins += _pins(row, name, registry, versions, overridden, given)
    return Quotes(tuple(wheels), tuple(pins))


def held(path: str, text: str) -> Declaration:
    """What the project itself needs, and what that needs, with the markers on the way."""
    lock, packages = _parsed(text)
    lines = Lines(path, text)
    places = [lines.next(text_of(row, "name")) for row in packages]
    markers = _reached(packages)
    wants: list[Wanted] = []
    sources: list[Source] = []
    for number, (row, place) in enumerate(zip(packages, places, strict=True)):
        if number in markers and (registry := _registry(row)):
            wants += pin(row.get("name"), row.get("version"), place, markers[number])
            sources += of_index(package_of(row.get("name")) or "", registry, place, markers[number])
    bound = text_of(lock, "requires-python")
    return Declaration(
        path,
        "uv.lock",
        wanted=tuple(wants),
        python=(Bound(bound.replace(" ", ""), path),) if bound else (),
        sources=tuple(sources),
        files=(path,),
    )


def _reached(packages: list[Mapping[str, Any]]) -> dict[int, str]:
    """The packages by their numbers that the roots lead to, without extras and groups that nobody asked for."""
    by_name: dict[str, list[int]] = {}
    for number, row in enumerate(packages):
        by_name.setdefault(text_of(row, "name"), []).append(number)
    roots = [number for number, row in enumerate(packages) if source_text(row, "virtual", "editable", "directory")]
    markers: dict[int, str] = dict.fromkeys(roots or range(len(packages)), "")
    extras: dict[int, set[str]] = {}
    queue = list(markers)
    steps = 0
    while queue and (steps := steps + 1) < _MOST_STEPS:
        number = queue.pop()
        row = packages[number]
        optional = row.get("optional-dependencies")
        edges = list(tables_of(row.get("dependencies")))
        for extra in extras.get(number, ()):
            edges += tables_of(optional.get(extra)) if isinstance(optional, dict) else ()
        for edge in edges:
            version = text_of(edge, "version")
            marker = both(markers[number], text_of(edge, "marker"))
            for target in by_name.get(text_of(edge, "name"), ()):
                if version and text_of(packages[target], "version") != version:
                    continue
                known = extras.setdefault(target, set())
                more = {one for one in edge.get("extra") or () if isinstance(one, str)} - known
                joined = either(markers.get(target), marker)
                if target not in markers or more or (markers[target] and not joined):
                    markers[target] = joined
                    known |= more
                    queue.append(target)
    return markers


def _parsed(text: str) -> tuple[dict[str, Any], list[Mapping[str, Any]]]:
    lock = read_toml(text)
    packages = list(tables_of(lock.get("package")))
    if not isinstance(lock.get("version"), int) or not packages:
        raise FormatError("it has no packages as uv writes them")
    return lock, packages


def _registry(row: Mapping[str, Any]) -> str | None:
    """None for what comes from no index."""
    source = row.get("source")
    return text_of(source, "registry") or None if isinstance(source, dict) else None


def _overridden(lock: Mapping[str, Any]) -> Iterator[str]:
    """What the project asks for in place of what the wheels do: it tells nothing of them."""
    manifest = lock.get("manifest")
    for row in tables_of(manifest.get("overrides")) if isinstance(manifest, dict) else ():
        if name := package_of(row.get("name")):
            yield name


def _versions(packages: list[Mapping[str, Any]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in packages:
        if (name := package_of(row.get("name"))) and (version := text_of(row, "version")):
            found.setdefault(name, set()).add(version)
    return found


def _pins(
    row: Mapping[str, Any],
    name: str,
    registry: str,
    versions: Mapping[str, set[str]],
    overridden: set[str],
    given: Given,
) -> Iterator[Pin]:
    """A dependency names its version where the lock holds several of it."""
    for needed in tables_of(row.get("dependencies")):
        other = package_of(needed.get("name"))
        if other is None or other in overridden:
            continue
        told = text_of(needed, "version")
        known = {told} if told else versions.get(other, set())
        if len(known) != 1:
            continue
        extras = sorted(one for one in needed.get("extra") or () if isinstance(one, str))
        wanted = f"{other}[{','.join(extras)}]" if extras else other
        for platform in platforms(text_of(needed, "marker")):
            yield Pin(
                package=name,
                version=text_of(row, "version"),
                platform=platform,
                requirement=f"{wanted}=={next(iter(known))}",
                source=given.source,
                places=(registry,),
            )
