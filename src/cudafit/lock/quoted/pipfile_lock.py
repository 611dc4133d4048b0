"""Pipfile.lock. Source: Pipenv's documentation, and lock files of specification 6."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cudafit.lock.quoted.pinned import of_index, pin
from cudafit.lock.quoted.text import FormatError, package_of, tables_of, text_of
from cudafit.model.declaration import Bound, Declaration, Source
from cudafit.model.requirement import Wanted


def held(path: str, text: str) -> Declaration:
    """What is installed by default; `develop` is the group `dev`."""
    lock = json.loads(text)
    meta = lock.get("_meta")
    if not isinstance(meta, dict) or not isinstance(lock.get("default"), dict):
        raise FormatError("it has no packages as Pipenv writes them")
    urls = {text_of(row, "name"): text_of(row, "url") for row in tables_of(meta.get("sources"))}
    requires = meta.get("requires")
    python = text_of(requires, "python_version") if isinstance(requires, dict) else ""
    return Declaration(
        path,
        "Pipfile.lock",
        wanted=tuple(_wants(lock["default"], path)),
        groups={"dev": tuple(_wants(lock.get("develop"), path))},
        python=(Bound(f"=={'.'.join(python.split('.')[:2])}.*", path),) if python else (),
        sources=tuple(_sources(lock["default"], urls, path)),
        files=(path,),
    )


def _rows(told: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, row in told.items() if isinstance(told, dict) else ():
        if isinstance(row, dict):
            yield name, row


def _wants(told: object, path: str) -> Iterator[Wanted]:
    for name, row in _rows(told):
        yield from pin(name, text_of(row, "version").removeprefix("=="), path, text_of(row, "markers"))


def _sources(told: object, urls: Mapping[str, str], path: str) -> Iterator[Source]:
    for name, row in _rows(told):
        yield from of_index(package_of(name) or "", urls.get(text_of(row, "index"), ""), path)
