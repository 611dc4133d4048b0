"""conda-lock.yml. Source: conda-lock's unified lock file, version 1."""

from collections.abc import Iterator, Mapping
from typing import Any

from cudafit.lock.quoted.conda_files import by_address
from cudafit.lock.quoted.text import FormatError, Given, sha256_of, tables_of, text_of
from cudafit.lock.yaml_text import load
from cudafit.model.quoted import CondaQuote, Quotes


def read(given: Given) -> Quotes:
    lock = load(given.text)
    packages = list(tables_of(lock.get("package"))) if isinstance(lock, dict) else []
    if not packages or not isinstance(lock.get("metadata"), dict):
        raise FormatError("it has no packages as conda-lock writes them")
    return Quotes(conda=tuple(_quotes(packages, given)))


def _quotes(packages: list[Mapping[str, Any]], given: Given) -> Iterator[CondaQuote]:
    for row in packages:
        told = row.get("hash")
        sha256 = sha256_of(f"sha256:{told.get('sha256')}") if isinstance(told, dict) else None
        needed = row.get("dependencies")
        depends = [f"{name} {spec}".strip() for name, spec in needed.items()] if isinstance(needed, dict) else []
        if row.get("manager") == "conda" and (found := by_address(text_of(row, "url"), sha256, depends, given.source)):
            yield found
