"""uv.lock. Source: uv's documentation of its lock, and uv.lock files of version 1."""

from collections.abc import Iterator, Mapping
from typing import Any

from cudafit.lock.quoted.markers import platforms
from cudafit.lock.quoted.text import FormatError, Given, package_of, quote, sha256_of, tables_of, text_of
from cudafit.model.quoted import Pin, Quote, Quotes
from cudafit.system.toml import read_toml


def read(given: Given) -> Quotes:
    lock = read_toml(given.text)
    packages = list(tables_of(lock.get("package")))
    if not isinstance(lock.get("version"), int) or not packages:
        raise FormatError("it has no packages as uv writes them")
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
