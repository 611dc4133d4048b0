"""pixi.lock. Source: pixi's lock file, versions 5 and 6. What it has of the Python index names no wheel's index."""

from collections.abc import Iterator, Mapping
from typing import Any

from cudafit.lock.quoted.conda_files import by_address
from cudafit.lock.quoted.text import FormatError, Given, sha256_of, tables_of, text_of
from cudafit.lock.yaml_text import load
from cudafit.model.quoted import CondaQuote, Quotes


def read(given: Given) -> Quotes:
    lock = load(given.text)
    packages = list(tables_of(lock.get("packages"))) if isinstance(lock, dict) else []
    if not packages or not isinstance(lock.get("environments"), dict):
        raise FormatError("it has no packages as pixi writes them")
    return Quotes(conda=tuple(_quotes(packages, given)))


def wheels(text: str) -> Iterator[tuple[str, str]]:
    """What it has of the Python index: names and versions."""
    lock = load(text)
    for row in tables_of(lock.get("packages")) if isinstance(lock, dict) else ():
        if row.get("pypi") or row.get("kind") == "pypi":
            yield text_of(row, "name"), text_of(row, "version")


def _quotes(packages: list[Mapping[str, Any]], given: Given) -> Iterator[CondaQuote]:
    for row in packages:
        address = text_of(row, "conda") or (text_of(row, "url") if row.get("kind") == "conda" else "")
        needed = row.get("depends")
        depends = needed if isinstance(needed, list) else ()
        if found := by_address(address, sha256_of(f"sha256:{row.get('sha256')}"), depends, given.source):
            yield found
